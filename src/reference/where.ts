/** Chooses: y = condition ≠ 0 ? a : b, all three broadcast as in NumPy; dy goes to the operand that was chosen. */
import { Accumulator, fillOutput, need } from './lib/arrays.js';
import { broadcastIndices, broadcastShapes } from './lib/broadcast.js';
import type { Reference, RefInputs } from './types.js';

export type WhereReferenceOptions = Record<string, never>;

/** The common shape, and for each of its elements whether a is chosen, and the places read in a and b. */
function describe(inputs: RefInputs) {
  const [condition, a, b] = ['condition', 'a', 'b'].map((name) => need(inputs, name));
  const shape = broadcastShapes(condition.shape, a.shape, b.shape);
  const isA = Array.from(
    broadcastIndices(condition.shape, shape),
    (at) => condition.data[at] !== 0,
  );
  const aPlaces = broadcastIndices(a.shape, shape);
  const bPlaces = broadcastIndices(b.shape, shape);
  return { a, b, shape, isA, aPlaces, bPlaces };
}

export const whereReference: Reference<WhereReferenceOptions> = {
  forward(inputs) {
    const { a, b, shape, isA, aPlaces, bPlaces } = describe(inputs);
    const y = fillOutput(shape, (flat) => ({
      value: isA[flat] ? a.data[aPlaces[flat]] : b.data[bPlaces[flat]],
    }));
    return { y };
  },
  backward(inputs, _options, dy) {
    const { a, b, isA, aPlaces, bPlaces } = describe(inputs);
    const da = new Accumulator(a.shape);
    const db = new Accumulator(b.shape);
    dy.data.forEach((gradient, flat) => {
      if (isA[flat]) da.add(aPlaces[flat], gradient);
      else db.add(bPlaces[flat], gradient);
    });
    return { a: da.finish(), b: db.finish() };
  },
};
