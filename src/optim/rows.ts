import type { Member } from './parameters.js';

/** What a row of the kernel is computed from. */
export interface RowInput {
  /** The parameter's step, from 1 on; infinite where the GPU counts them. */
  t: number;
  lr: number;
  weightDecay: number;
}

/**
 * What may change between steps, for one parameter: the weight decay (at least 0) and three numbers
 * that the optimizer defines.
 */
export type RowNumbers = readonly [number, number, number, number];

/** A row whose parameter has no gradient. */
const INACTIVE: RowNumbers = [-1, 0, 0, 0];

/** A parameter that takes part in a step, and the index of its row. */
export interface ActiveMember {
  member: Member;
  index: number;
}

/** f32 [count, 4] for the next step: one row for each parameter of a flat buffer. */
export function nextRows(
  count: number,
  active: readonly ActiveMember[],
  lr: number,
  nextStep: (member: Member) => number,
  row: (input: RowInput) => RowNumbers,
): Float32Array {
  const rows = new Float32Array(4 * count);
  for (let i = 0; i < count; i++) rows.set(INACTIVE, 4 * i);
  let last: RowInput | null = null;
  let numbers = INACTIVE;
  for (const { member, index } of active) {
    const { weightDecay } = member;
    const input = { t: nextStep(member), lr: lr * member.lrScale, weightDecay };
    // Hundreds of parameters have the same row, and some rows need powers.
    if (last?.t !== input.t || last.lr !== input.lr || last.weightDecay !== weightDecay) {
      last = input;
      numbers = row(input);
    }
    rows.set(numbers, 4 * index);
  }
  return rows;
}
