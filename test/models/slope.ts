import { noGrad } from '../../src/autograd/recording.js';
import type { Module } from '../../src/nn/index.js';
import type { Tensor } from '../../src/tensor.js';

/**
 * Compares a network's gradients with differences of its loss, along one direction through all of
 * its parameters: the gradient of each tensor, scaled so that every tensor has the same share in the
 * slope. With n tensors a gradient that is twice what it should be moves the quotient by 1 / 2n, so
 * the check is sharp for small networks only.
 *
 * `ratio` is (measured slope) / (slope by the gradients). `flat` names the tensors whose gradient is
 * nothing but rounding, such as a shift that a later batch norm takes off: they take no part.
 * Parameters are left changed.
 */
export async function slopeRatio(
  model: Module,
  loss: () => Tensor,
  distance: number,
): Promise<{ ratio: number; flat: string[] }> {
  model.zeroGrad();
  loss().backward();
  const gradients = new Map<string, number[]>();
  for (const [name, { grad }] of model.namedParameters()) {
    if (!grad) throw new Error(`${name} has no gradient`);
    gradients.set(name, [...(await grad.data())]);
  }
  const squares = new Map([...gradients].map(([name, values]) => [name, sumOfSquares(values)]));
  const largest = Math.max(...squares.values());
  const flat = [...squares.keys()].filter(
    (name) => !(squares.get(name)! > ROUNDING ** 2 * largest),
  );
  const lines: { parameter: Tensor; start: Float32Array; direction: number[] }[] = [];
  for (const [name, parameter] of model.namedParameters()) {
    if (flat.includes(name)) continue;
    const start = Float32Array.from(await parameter.data());
    const direction = gradients.get(name)!.map((each) => each / squares.get(name)!);
    lines.push({ parameter, start, direction });
  }
  const lossAt = async (along: number): Promise<number> => {
    for (const { parameter, start, direction } of lines) {
      parameter.assign(start.map((each, i) => each + along * direction[i]));
    }
    return noGrad(loss).item();
  };
  const measured = ((await lossAt(distance)) - (await lossAt(-distance))) / (2 * distance);
  return { ratio: measured / lines.length, flat };
}

/** Gradients this much shorter than the longest are rounding of float32. */
const ROUNDING = 1e-6;

function sumOfSquares(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each ** 2, 0);
}
