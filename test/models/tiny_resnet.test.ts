import { describe, expect, it } from 'vitest';
import { noGrad } from '../../src/autograd/recording.js';
import type { Device } from '../../src/device.js';
import { ResNet } from '../../src/models/index.js';
import type { StateValue } from '../../src/nn/index.js';
import { softmaxCrossEntropy } from '../../src/ops/loss.js';
import { SGD } from '../../src/optim/index.js';
import { batchNormReference } from '../../src/reference/batch_norm.js';
import { conv2dReference } from '../../src/reference/conv2d.js';
import { denseReference } from '../../src/reference/dense.js';
import { globalPool2dReference } from '../../src/reference/global_pool2d.js';
import { optimizerState, sgdStep } from '../../src/reference/optimizers.js';
import { softmaxCrossEntropyReference } from '../../src/reference/softmax_cross_entropy.js';
import { testDevice } from '../helpers/device.js';
import { seededRandom } from '../helpers/fill.js';
import { ReferenceTape, valueOf, type Value } from './reference_tape.js';
import { slopeRatio } from './slope.js';

/*
 * A residual network of two stages, one block each: 3×3 stem of 4 channels, a block at 8×8, one of
 * stride 2 with a downsampling shortcut to 8 channels, and 3 classes. Ten steps of gradient descent
 * with momentum on one batch of 4 images.
 */
const architecture = {
  block: 'basic' as const,
  ...{ stages: [1, 1], width: 4, input: [8, 8, 3] as const, classes: 3 },
};
const [BATCH, STEPS] = [4, 10];
const rule = { lr: 0.05, momentum: 0.9 };

/** Losses before each of the ten steps, then the loss in evaluation mode: from the float64 reference. */
const LOSSES = [
  1.2842959244481005, 1.1568034376593648, 0.9787937455769836, 0.8114501985380334,
  0.6915296906363396, 0.6065801543825391, 0.5475619725737341, 0.49776798950701306,
  0.4448814898225276, 0.3898516932502728, 0.5242681032901171,
];

/**
 * A loss near 1 is known to 2⁻²⁴ in float32; every batch norm and every step adds some of that. The
 * largest distance seen is 1.6e-7.
 */
const TOLERANCE = 2e-6;

const images = {
  shape: [BATCH, 8, 8, 3],
  data: normals(BATCH * 8 * 8 * 3, 11).map(Math.fround),
};
const labels = { shape: [BATCH], data: [0, 1, 2, 1] };

function normals(count: number, seed: number): number[] {
  const random = seededRandom(seed);
  return Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );
}

/** First values of every parameter and buffer, all of them float32; the batch norms' are not 1 and 0. */
function firstValues(model: ResNet): Map<string, StateValue & { data: Float32Array }> {
  const state = [...model.stateDict()].map(([name, { shape, size }], seed) => {
    const noise = normals(size, 100 + seed);
    const fanIn = size / (shape.at(-1) ?? 1);
    const scale = name.endsWith('weight') ? Math.sqrt(2 / fanIn) : 0.1;
    const middle = name.endsWith('gamma') || name.endsWith('Variance') ? 1 : 0;
    const data = Float32Array.from(noise, (value) =>
      name.includes('running') ? middle : middle + scale * value,
    );
    return [name, { shape, data }] as const;
  });
  return new Map(state);
}

/**
 * Shifts that keep every ReLU's input far from 0, where a difference quotient means nothing: most
 * channels are on for all pixels, every fourth of those before a second convolution is off.
 */
function awayFromKinks<T extends { data: Float32Array }>(state: Map<string, T>): Map<string, T> {
  for (const [name, { data }] of state) {
    if (!name.endsWith('beta')) continue;
    data.forEach(
      (beta, i) => (data[i] = beta + (name.endsWith('bn1.beta') && i % 4 === 3 ? -8 : 8)),
    );
  }
  return state;
}

/** The same network written with the reference's ops. */
class ReferenceNetwork {
  constructor(private readonly state: ReadonlyMap<string, Value>) {}

  loss(tape: ReferenceTape, training: boolean): Value {
    const stem = this.convolutionNorm(tape, valueOf(images.shape, images.data), 'conv1', 'bn1', {
      ...{ stride: 1, padding: 1, training, activation: 'relu' },
    });
    const first = this.block(tape, stem, 'layer1.0', { stride: 1, training });
    const second = this.block(tape, first, 'layer2.0', { stride: 2, training });
    const features = tape.apply(globalPool2dReference, { x: second }, { kind: 'avg' });
    const [w, bias] = [this.of('fc.weight'), this.of('fc.bias')];
    const logits = tape.apply(denseReference, { x: features, w, bias }, {});
    const inputs = { logits, labels: valueOf(labels.shape, labels.data) };
    return tape.apply(softmaxCrossEntropyReference, inputs, {});
  }

  private block(
    tape: ReferenceTape,
    x: Value,
    name: string,
    { stride, training }: { stride: number; training: boolean },
  ): Value {
    const shortcut = this.state.has(`${name}.downsample.0.weight`)
      ? this.convolutionNorm(tape, x, `${name}.downsample.0`, `${name}.downsample.1`, {
          ...{ stride, padding: 0, training },
        })
      : x;
    const inner = this.convolutionNorm(tape, x, `${name}.conv1`, `${name}.bn1`, {
      ...{ stride, padding: 1, training, activation: 'relu' },
    });
    return this.convolutionNorm(tape, inner, `${name}.conv2`, `${name}.bn2`, {
      ...{ stride: 1, padding: 1, training, activation: 'relu', residual: shortcut },
    });
  }

  private convolutionNorm(
    tape: ReferenceTape,
    x: Value,
    conv: string,
    norm: string,
    options: {
      stride: number;
      padding: number;
      training: boolean;
      activation?: 'relu';
      residual?: Value;
    },
  ): Value {
    const { stride, padding, training, activation, residual } = options;
    const w = this.of(`${conv}.weight`);
    const z = tape.apply(conv2dReference, { x, w }, { stride, padding });
    const names = ['gamma', 'beta', 'runningMean', 'runningVariance'] as const;
    const own = Object.fromEntries(names.map((each) => [each, this.of(`${norm}.${each}`)]));
    return tape.apply(
      batchNormReference,
      { x: z, ...own, residual },
      { training, ...(activation ? { activation } : {}) },
      (extra) => {
        for (const each in extra) own[each].data.set(extra[each].data);
      },
    );
  }

  private of(name: string): Value {
    return this.state.get(name)!;
  }
}

function referenceLosses(model: ResNet): number[] {
  const state = new Map(
    [...firstValues(model)].map(([name, { shape, data }]) => [name, valueOf(shape, data)]),
  );
  const trained = [...model.namedParameters()].map(([name]) => state.get(name)!);
  const moments = trained.map(({ data }) => optimizerState(data.length));
  const network = new ReferenceNetwork(state);
  const losses: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    for (const { gradient } of trained) gradient.fill(0);
    const tape = new ReferenceTape();
    const loss = network.loss(tape, true);
    tape.backward(loss);
    losses.push(loss.data[0]);
    trained.forEach(({ data, gradient }, i) => sgdStep(data, gradient, moments[i], rule));
  }
  losses.push(network.loss(new ReferenceTape(), false).data[0]);
  return losses;
}

/** Runs `fn` with the network at its first values, in training mode. */
async function withModel<T>(
  device: Device,
  fn: (model: ResNet, loss: () => ReturnType<typeof softmaxCrossEntropy>) => Promise<T>,
): Promise<T> {
  const model = new ResNet(device, architecture);
  model.loadStateDict(firstValues(model));
  const x = device.tensor(Float32Array.from(images.data), images.shape);
  const y = device.tensor(Int32Array.from(labels.data));
  try {
    return await fn(model, () => softmaxCrossEntropy(model.call(x), y));
  } finally {
    for (const tensor of [model, x, y]) tensor.dispose();
  }
}

describe('a tiny residual network', () => {
  it('has these ten losses in float64', async () => {
    await withModel(await testDevice(), async (model) => {
      const losses = referenceLosses(model);
      expect(losses.length).toBe(LOSSES.length);
      losses.forEach((loss, i) =>
        expect(Math.abs(loss - LOSSES[i]), `loss ${i}`).toBeLessThan(1e-12),
      );
    });
  });

  it('has the same losses on the GPU', async () => {
    await withModel(await testDevice(), async (model, loss) => {
      const optimizer = new SGD(model.namedParameters(), rule);
      const losses: number[] = [];
      for (let step = 0; step < STEPS; step++) {
        const value = loss();
        optimizer.zeroGrad();
        value.backward();
        optimizer.step();
        losses.push(await value.item());
        value.dispose();
      }
      model.eval();
      losses.push(await noGrad(loss).item());
      losses.forEach((value, i) =>
        expect(Math.abs(value - LOSSES[i]), `loss ${i}`).toBeLessThan(TOLERANCE),
      );
    });
  });

  it('falls along a direction as its gradients say, within 1 %', async () => {
    await withModel(await testDevice(), async (model, loss) => {
      model.loadStateDict(awayFromKinks(firstValues(model)));
      // Twenty tensors: one gradient of double or half its size would show as 2.5 or 5 %.
      expect([...model.parameters()].length).toBe(20);
      const { ratio, flat } = await slopeRatio(model, loss, 1e-4);
      expect(flat).toEqual([]);
      expect(Math.abs(ratio - 1)).toBeLessThan(0.01);
    });
  });
});
