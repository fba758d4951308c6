import { GradError } from '../errors.js';
import type { GpuArray } from '../gpu/array.js';
import type { InputArrays, OpRecord } from './record.js';

/** The values that the gradients of `targets` read, retained for the node. */
export function savedFor(
  record: OpRecord,
  values: InputArrays,
  targets: ReadonlyMap<string, unknown>,
): Record<string, GpuArray> {
  const saved: Record<string, GpuArray> = {};
  for (const [name, users] of Object.entries(record.saves)) {
    const array = users.some((input) => targets.has(input)) ? values[name] : undefined;
    if (array) saved[name] = array.retain();
  }
  return saved;
}

/**
 * The saved values as a record's backward reads them: a name that `saves` does not list is an error that
 * says so, where a plain object would give undefined, which fails later in some kernel.
 */
export function readable(
  { name, saves }: OpRecord,
  saved: Record<string, GpuArray>,
): Record<string, GpuArray> {
  return new Proxy(saved, {
    get(kept, value) {
      const isListed = typeof value === 'symbol' || value in kept || value in saves;
      if (isListed) return kept[value as string];
      throw new GradError(
        `${name}: backward reads saved.${value}, which was not kept`,
        `list ${value} in saves of the record, with the inputs whose gradient reads it`,
      );
    },
  });
}
