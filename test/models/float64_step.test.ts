import { describe, expect, it } from 'vitest';
import * as models from '../../src/models/index.js';
import { conv2dReference } from '../../src/reference/conv2d.js';
import { testDevice } from '../helpers/device.js';
import { seededRandom } from '../helpers/fill.js';
import { conv2dFloat64 } from './float64_conv2d.js';
import * as twins from './float64_networks.js';
import { runStep, type StepCase } from './float64_step.js';
import { ReferenceTape, valueOf, type Value } from './reference_tape.js';

const device = await testDevice();

const classes = 5;

/** `flat` are the gradients that must be 0: of what a batch norm further on takes off again. */
const cases: Record<string, StepCase & { flat?: RegExp }> = {
  mnistCnn: {
    make: (on) => models.mnistCnn(on, { input: [10, 8, 1], classes }),
    forward: twins.mnistCnn64,
    ...{ images: [3, 10, 8, 1], seed: 4 },
  },
  simpsonsTf: {
    make: (on) => models.simpsonsTf(on, { input: [16, 20, 3], classes }),
    forward: twins.simpsonsTf64,
    ...{ images: [3, 16, 20, 3], seed: 1 },
  },
  simpsonsKeras: {
    make: (on) => models.simpsonsKeras(on, { input: [30, 31, 3], classes }),
    forward: twins.simpsonsKeras64,
    ...{ images: [2, 30, 31, 3], seed: 2 },
  },
  cifarSimple: {
    make: (on) => models.cifarSimple(on, { input: [20, 21, 3], classes }),
    forward: twins.cifarSimple64,
    ...{ images: [4, 20, 21, 3], seed: 11 },
  },
  cifarVgg: {
    make: (on) => models.cifarVgg(on, { input: [32, 32, 3], classes }),
    forward: twins.cifarVgg64,
    ...{ images: [4, 32, 32, 3], seed: 7, isFarFromZero: true },
    flat: /of ((?!44)\d+\.bias|37\.beta)$/,
  },
  'resnet101V1 with fewer blocks and channels': {
    make: (on) =>
      new models.ResNetV1(on, { input: [37, 42, 3], classes, stages: [1, 2, 2, 1], width: 4 }),
    flat: /of (conv1|layer.*)\.bias$/,
    forward: twins.resnetV1([1, 2, 2, 1]),
    ...{ images: [3, 37, 42, 3], seed: 4 },
  },
  'resnet50 with fewer blocks and channels': {
    make: (on) =>
      new models.ResNet(on, {
        ...{ input: [33, 36, 3], classes, block: 'bottleneck', stages: [1, 2], width: 4 },
        stem: 'large',
      }),
    forward: twins.bottleneckResnet([1, 2]),
    ...{ images: [3, 33, 36, 3], seed: 6 },
  },
  'cifarResnet20 with fewer blocks and channels': {
    make: (on) =>
      new models.ResNet(on, {
        ...{ input: [9, 12, 3], classes, block: 'basic', stages: [1, 2, 1], width: 4 },
        ...{ stem: 'small', shortcut: 'pad' },
      }),
    forward: twins.cifarResnet([1, 2, 1]),
    ...{ images: [3, 9, 12, 3], seed: 2 },
  },
  'cifarResnet20 padded on both sides, with fewer blocks and channels': {
    make: (on) =>
      new models.ResNet(on, {
        ...{ input: [9, 12, 3], classes, block: 'basic', stages: [1, 2, 1], width: 4 },
        ...{ stem: 'small', shortcut: 'pad-both' },
      }),
    forward: twins.cifarResnet([1, 2, 1], true),
    ...{ images: [3, 9, 12, 3], seed: 2 },
  },
  'efficientNetB0 with fewer blocks and channels': {
    make: (on) =>
      new models.EfficientNet(on, {
        ...{ input: [21, 28, 3], classes, stemStride: 2, stemChannels: 8, headChannels: 24 },
        stages: [
          { expansion: 1, kernelSize: 3, stride: 1, outChannels: 6, blocks: 1 },
          { expansion: 6, kernelSize: 3, stride: 2, outChannels: 8, blocks: 2 },
          { expansion: 6, kernelSize: 5, stride: 2, outChannels: 12, blocks: 2 },
        ],
      }),
    flat: /project\.norm\.beta$/,
    forward: twins.efficientNet([
      { name: 'block1a', kernelSize: 3, stride: 1, isWidened: false },
      { name: 'block2a', kernelSize: 3, stride: 2, isWidened: true },
      { name: 'block2b', kernelSize: 3, stride: 1, isWidened: true },
      { name: 'block3a', kernelSize: 5, stride: 2, isWidened: true },
      { name: 'block3b', kernelSize: 5, stride: 1, isWidened: true },
    ]),
    ...{ images: [4, 21, 28, 3], seed: 3 },
  },
};

/** Of the gradients and values of a tensor, as a share of its length: ‖got − wanted‖ / ‖wanted‖. */
const TOLERANCE = 1e-4;

/** A ReLU's input or a maximum's lead this near to 0, as a share of its layer's values, may go either way in float32. */
const KINK_DISTANCE = 1e-5;

/** Gradients of this share of the longest are 0 but for rounding: a shift that a later batch norm takes off. */
const NOTHING = 1e-9;

function length(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ** 2;
  return Math.sqrt(sum);
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return Math.sqrt(sum);
}

describe('a training step is the same in float64', () => {
  it.each(Object.entries(cases))(
    '%s',
    async (_name, test) => {
      const { got, wanted, nearestKink } = await runStep(device, test);
      expect(nearestKink).toBeGreaterThan(KINK_DISTANCE);
      expect([...got.keys()].sort()).toEqual([...wanted.keys()].sort());
      const isGradient = (name: string): boolean => name.startsWith('gradient of ');
      const gradients = [...wanted].filter(([name]) => isGradient(name));
      const longest = Math.max(...gradients.map(([, values]) => length(values)));
      const flat = gradients.filter(([, values]) => length(values) < NOTHING * longest);
      const flatNames = new Set(flat.map(([name]) => name));
      for (const [name] of gradients) {
        expect(flatNames.has(name), `${name} is flat`).toBe(test.flat?.test(name) ?? false);
      }
      for (const [name, values] of wanted) {
        const others = got.get(name)!;
        expect(others.length, name).toBe(values.length);
        const scale = flatNames.has(name) ? longest : length(values);
        expect(distance(others, values) / scale, name).toBeLessThan(TOLERANCE);
      }
    },
    180_000,
  );

  it('on convolutions that are the reference’s', () => {
    const random = seededRandom(3);
    const value = (shape: number[]): Value => {
      const size = shape.reduce((product, each) => product * each, 1);
      return valueOf(
        shape,
        Float64Array.from({ length: size }, () => random() - 0.5),
      );
    };
    const [x, w, bias] = [value([2, 7, 6, 3]), value([3, 3, 3, 4]), value([4])];
    for (const options of [{}, { padding: 1 }, { stride: 2, padding: 'same' as const }]) {
      for (const each of [x, w, bias]) each.gradient.fill(0);
      const tape = new ReferenceTape();
      const y = conv2dFloat64(tape, { x, w, bias }, options);
      const reference = conv2dReference.forward({ x, w, bias }, options).y;
      expect(y.shape).toEqual(reference.shape);
      expect(distance(y.data, reference.data)).toBeLessThan(1e-12);
      // All ones come in; what each input gets of them is the reference's.
      tape.backward(y);
      const dy = { shape: y.shape, data: y.gradient };
      const gradients = conv2dReference.backward({ x, w, bias }, options, dy);
      expect(distance(x.gradient, gradients.x.data)).toBeLessThan(1e-12);
      expect(distance(w.gradient, gradients.w.data)).toBeLessThan(1e-12);
      expect(distance(bias.gradient, gradients.bias.data)).toBeLessThan(1e-12);
    }
  });
});
