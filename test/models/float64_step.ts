/** One training step of a network on the GPU and of its twin in float64, from the same values. */
import { noGrad } from '../../src/autograd/recording.js';
import type { Device } from '../../src/device.js';
import { Dropout, StochasticDepth, type Module } from '../../src/nn/index.js';
import { softmaxCrossEntropy } from '../../src/ops/loss.js';
import { SGD } from '../../src/optim/index.js';
import { optimizerState, sgdStep } from '../../src/reference/optimizers.js';
import { seededRandom } from '../helpers/fill.js';
import { Float64Pass } from './float64_network.js';
import type { Float64Forward } from './float64_networks.js';
import { valueOf, type Value } from './reference_tape.js';

export interface StepCase {
  make: (device: Device) => Module;
  forward: Float64Forward;
  /** Of the batch: N H W C. */
  images: readonly [number, number, number, number];
  seed: number;
  /**
   * Moves the biases before every ReLU so far that three channels of four are on and the fourth is
   * off, for every pixel: a network of a million activations has some within float32's rounding of 0
   * otherwise, and its gradient jumps there.
   */
  isFarFromZero?: boolean;
}

/** How far, where what is added to the bias has a standard deviation of about 1. */
const FAR = 10;

/** All numbers of a step, by name: `logits`, `loss`, `gradient of …`, `… after the step`. */
export type StepNumbers = Map<string, ArrayLike<number>>;

const rule = { lr: 0.1, momentum: 0.9 };

/** Labels 0, 1, 2, 0, 1, … */
function labelsOf({ images }: StepCase): number[] {
  return Array.from({ length: images[0] }, (_, n) => n % 3);
}

function normals(count: number, seed: number): Float32Array {
  const random = seededRandom(seed);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    values[i] = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  }
  return values;
}

/** Images and first values of all parameters and buffers: nothing is 0 or 1 that could hide a mistake. */
function firstValues(model: Module, { images, seed, isFarFromZero }: StepCase) {
  const pixels = normals(
    images.reduce((product, length) => product * length, 1),
    seed,
  );
  const state = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const [name, { shape, size }] of model.stateDict()) {
    const data = normals(size, seed + 1 + state.size);
    const inputs = name.includes('depthwise')
      ? shape[0] * shape[1]
      : size / shape[shape.length - 1];
    const scale = name.endsWith('weight') ? Math.sqrt(2 / inputs) : 0.1;
    const middle = name.endsWith('gamma') || name.endsWith('Variance') ? 1 : 0;
    data.forEach((value, i) => (data[i] = middle + scale * value));
    state.set(name, { shape, data });
  }
  if (isFarFromZero) {
    const biases = [...state].filter(([name]) => name.endsWith('.bias')).slice(0, -1);
    for (const [, { data }] of biases) {
      data.forEach((bias, k) => (data[k] = bias + (k % 4 === 3 ? -FAR : FAR)));
    }
  }
  return { pixels, state };
}

/** The step both ways, and how near the one in float64 came to a kink. */
export async function runStep(
  device: Device,
  test: StepCase,
): Promise<{ got: StepNumbers; wanted: StepNumbers; nearestKink: number }> {
  const model = test.make(device);
  const first = firstValues(model, test);
  const trained = [...model.namedParameters()].map(([name]) => name);
  const got = await stepOnGpu(device, model, first, test);
  model.dispose();
  return { got, ...stepInFloat64(trained, first, test) };
}

type FirstValues = ReturnType<typeof firstValues>;

/** What Module, SGD and the loss make of it. */
async function stepOnGpu(
  device: Device,
  model: Module,
  { pixels, state }: FirstValues,
  test: StepCase,
): Promise<StepNumbers> {
  model.loadStateDict(state);
  for (const [, module] of model.namedModules()) {
    if (module instanceof Dropout || module instanceof StochasticDepth) module.rate = 0;
  }
  const x = device.tensor(pixels, test.images);
  const labels = device.tensor(Int32Array.from(labelsOf(test)));
  const numbers: StepNumbers = new Map();
  model.eval();
  numbers.set('logits in evaluation', await noGrad(() => model.call(x)).data());
  model.train();
  const optimizer = new SGD(model.namedParameters(), rule);
  const logits = model.call(x);
  const loss = softmaxCrossEntropy(logits, labels);
  numbers.set('logits', await logits.data());
  numbers.set('loss', await loss.data());
  loss.backward();
  for (const [name, { grad, size }] of model.namedParameters()) {
    // A bias in front of a batch norm gets none: it must be zero in the reference.
    numbers.set(`gradient of ${name}`, grad ? await grad.data() : new Float32Array(size));
  }
  optimizer.step();
  for (const [name, tensor] of model.stateDict()) {
    numbers.set(`${name} after the step`, await tensor.data());
  }
  return numbers;
}

function stepInFloat64(
  trained: readonly string[],
  { pixels, state: first }: FirstValues,
  test: StepCase,
): { wanted: StepNumbers; nearestKink: number } {
  const state = new Map<string, Value>();
  for (const [name, { shape, data }] of first) state.set(name, valueOf(shape, data));
  const images = valueOf(test.images, pixels);
  const wanted: StepNumbers = new Map();
  const evaluation = test.forward(new Float64Pass(state, false), images);
  wanted.set('logits in evaluation', evaluation.data);
  const pass = new Float64Pass(state, true);
  const logits = test.forward(pass, images);
  const loss = pass.loss(logits, labelsOf(test));
  wanted.set('logits', logits.data);
  wanted.set('loss', loss.data);
  pass.tape.backward(loss);
  for (const name of trained) {
    const { data, gradient } = state.get(name)!;
    wanted.set(`gradient of ${name}`, gradient);
    sgdStep(data, gradient, optimizerState(data.length), rule);
  }
  for (const [name, { data }] of state) wanted.set(`${name} after the step`, data);
  return { wanted, nearestKink: pass.nearestKink };
}
