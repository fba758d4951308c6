/** Layers in float64 on the reference's ops, with their parameters by name. */
import { batchNormReference } from '../../src/reference/batch_norm.js';
import { binaryReference } from '../../src/reference/binary.js';
import { denseReference } from '../../src/reference/dense.js';
import { depthwiseConv2dReference } from '../../src/reference/depthwise_conv2d.js';
import { globalPool2dReference } from '../../src/reference/global_pool2d.js';
import { padReference } from '../../src/reference/pad.js';
import { pool2dReference } from '../../src/reference/pool2d.js';
import { reshapeReference } from '../../src/reference/reshape.js';
import type { Padding } from '../../src/reference/lib/windows.js';
import { softmaxCrossEntropyReference } from '../../src/reference/softmax_cross_entropy.js';
import { unaryReference } from '../../src/reference/unary.js';
import { conv2dFloat64, type Float64ConvOptions } from './float64_conv2d.js';
import { valueOf, ReferenceTape, type Value } from './reference_tape.js';

/** Of a batch norm: momentum is the share of the new batch. */
export interface NormRule {
  momentum: number;
  epsilon: number;
}

/** One pass through a network: parameters and buffers are read, and buffers renewed, in `state`. */
export class Float64Pass {
  readonly tape = new ReferenceTape();
  /**
   * How near the pass came to a kink: the smallest |z| of a ReLU and the smallest lead of a maximum,
   * each as a share of its layer's root mean square. Beyond a kink float32 and float64 may part.
   */
  nearestKink = Infinity;

  constructor(
    private readonly state: ReadonlyMap<string, Value>,
    readonly training: boolean,
  ) {}

  conv(x: Value, name: string, options: Float64ConvOptions = {}): Value {
    const bias = this.state.get(`${name}.bias`);
    return conv2dFloat64(this.tape, { x, w: this.of(`${name}.weight`), bias }, options);
  }

  depthwise(x: Value, name: string, options: { stride: number; padding: Padding }): Value {
    const w = this.of(`${name}.weight`);
    return this.tape.apply(depthwiseConv2dReference, { x, w }, options);
  }

  dense(x: Value, name: string): Value {
    const [w, bias] = [this.of(`${name}.weight`), this.of(`${name}.bias`)];
    return this.tape.apply(denseReference, { x, w, bias }, {});
  }

  norm(x: Value, name: string, rule: NormRule): Value {
    const names = ['gamma', 'beta', 'runningMean', 'runningVariance'] as const;
    const own = Object.fromEntries(names.map((each) => [each, this.of(`${name}.${each}`)]));
    const options = { training: this.training, ...rule };
    return this.tape.apply(batchNormReference, { x, ...own }, options, (extra) => {
      for (const each in extra) own[each].data.set(extra[each].data);
    });
  }

  relu(x: Value): Value {
    const scale = rootMeanSquare(x.data);
    for (const z of x.data) this.nearestKink = Math.min(this.nearestKink, Math.abs(z) / scale);
    return this.tape.apply(unaryReference, { x }, { op: 'relu' });
  }

  silu(x: Value): Value {
    return this.tape.apply(unaryReference, { x }, { op: 'silu' });
  }

  sigmoid(x: Value): Value {
    return this.tape.apply(unaryReference, { x }, { op: 'sigmoid' });
  }

  maxPool(x: Value, size = 2, stride = size, padding = 0): Value {
    const options = { kind: 'max' as const, size, stride, padding };
    const y = this.tape.apply(pool2dReference, { x }, options);
    this.nearestKink = Math.min(this.nearestKink, smallestLead(x, y, { size, stride, padding }));
    return y;
  }

  avgPool(x: Value, size: number): Value {
    return this.tape.apply(pool2dReference, { x }, { kind: 'avg', size });
  }

  globalAvgPool(x: Value): Value {
    return this.tape.apply(globalPool2dReference, { x }, { kind: 'avg' });
  }

  flatten(x: Value): Value {
    return this.tape.apply(reshapeReference, { x }, { shape: [x.shape[0], -1] });
  }

  /** [N C] → [N 1 1 C]. */
  asPixels(x: Value): Value {
    return this.tape.apply(reshapeReference, { x }, { shape: [x.shape[0], 1, 1, x.shape[1]] });
  }

  zeroPad(x: Value, by: number): Value {
    const [none, sides] = [[0, 0] as const, [by, by] as const];
    return this.tape.apply(padReference, { x }, { padding: [none, sides, sides, none] });
  }

  add(a: Value, b: Value): Value {
    return this.tape.apply(binaryReference, { a, b }, { op: 'add' });
  }

  mul(a: Value, b: Value): Value {
    return this.tape.apply(binaryReference, { a, b }, { op: 'mul' });
  }

  loss(logits: Value, labels: readonly number[]): Value {
    const inputs = { logits, labels: valueOf([labels.length], labels) };
    return this.tape.apply(softmaxCrossEntropyReference, inputs, {});
  }

  private of(name: string): Value {
    const value = this.state.get(name);
    if (!value) throw new Error(`the network has no ${name}`);
    return value;
  }
}

function rootMeanSquare(values: Float64Array): number {
  return Math.sqrt(values.reduce((sum, each) => sum + each ** 2, 0) / values.length);
}

/** The least by which a window's maximum leads its runner-up; equal values, all of them cut off by a ReLU, do not count. */
function smallestLead(
  x: Value,
  y: Value,
  { size, stride, padding }: { size: number; stride: number; padding: number },
): number {
  const [, H, W, C] = x.shape;
  const [N, P, Q] = y.shape;
  let least = Infinity;
  for (let at = 0; at < N * P * Q * C; at++) {
    const c = at % C;
    const q = Math.floor(at / C) % Q;
    const p = Math.floor(at / (C * Q)) % P;
    const n = Math.floor(at / (C * Q * P));
    for (let tap = 0; tap < size * size; tap++) {
      const h = p * stride - padding + Math.floor(tap / size);
      const w = q * stride - padding + (tap % size);
      if (h < 0 || h >= H || w < 0 || w >= W) continue;
      const behind = y.data[at] - x.data[((n * H + h) * W + w) * C + c];
      if (behind > 0) least = Math.min(least, behind);
    }
  }
  return least / rootMeanSquare(x.data);
}
