import type { Tensor } from '../tensor.js';

/** Values of one entry of a state that are not on the GPU yet. */
export interface SavedState {
  shape: readonly number[];
  data: Float32Array | Int32Array | Uint32Array | Uint8Array;
}

/** Everything an optimizer remembers between steps. */
export interface OptimizerState<T = Tensor> {
  /** `<parameter>.<state>`: moments and velocities, by name; with a LossScaler also `steps`. */
  tensors: Map<string, T>;
  /**
   * `lr`, and for each parameter `<parameter>.step`, the steps it took part in. With a LossScaler
   * only the GPU knows these: they are the tensor `steps`, u32 [parameters].
   */
  scalars: Record<string, number>;
}

/** A state to load: that of another optimizer, or one read from a file. */
export interface LoadableState {
  tensors: ReadonlyMap<string, Tensor | SavedState>;
  scalars: Readonly<Record<string, number>>;
}

/** What keeps `given` from being loaded in place of `own`; a sentence each. */
export function differences(own: OptimizerState, given: LoadableState): string[] {
  const problems: string[] = [];
  for (const [name, { shape }] of own.tensors) {
    const value = given.tensors.get(name);
    if (!value) problems.push(`${name} is missing`);
    else if (value.shape.join() !== shape.join()) {
      const [came, wanted] = [value.shape.join(', '), shape.join(', ')];
      problems.push(`${name} has shape [${came}], expected [${wanted}]`);
    }
  }
  for (const name of given.tensors.keys()) {
    if (!own.tensors.has(name)) problems.push(`${name} is unknown`);
  }
  for (const name in own.scalars) {
    const value: unknown = given.scalars[name];
    if (typeof value !== 'number') problems.push(`number ${name} is missing`);
  }
  return problems;
}
