import { ShapeError } from '../errors.js';
import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import {
  allocLossScale,
  completeRows,
  readLossScale,
  unscaleGradients,
  updateLossScale,
  writeLossScale,
  type LossScaleArrays,
  type LossScaleCounts,
} from '../kernels/loss_scale.js';
import { outsideScopes, Tensor } from '../tensor.js';
import type { Optimizer } from './optimizer.js';

export interface LossScalerOptions {
  /** Initial scale: a power of two from 1 to 2¹²⁶. Default 65,536. */
  initial?: number;
  /** Consecutive steps without overflow before the scale doubles. Default 2000. */
  interval?: number;
}

/** What a checkpoint keeps of a scaler. */
export interface LossScaleState extends LossScaleCounts {
  scale: number;
}

/** Set when training cannot continue: gradients are not finite even at the lowest scale. */
export interface LossScaleHalt {
  /** Counted from 0, over all steps of the scaler. */
  step: number;
  /** Parameters whose gradients were not finite, by name. */
  parameters: string[];
}

/** A scale below 1 gains nothing. */
const LOWEST = 1;
/** Lifts 2⁻⁴⁸ to the smallest f16. Growing further would only cause overflows. */
const HIGHEST = 2 ** 24;

/**
 * Keeps small gradients within the range of half precision: the loss is multiplied by a scale
 * before backward, the gradients are divided by it before they are used.
 *
 *     a gradient is NaN or infinite:    the step is skipped, scale ← max(1, scale / 2)
 *     `interval` steps on end without:  scale ← scale · 2, up to 2²⁴
 *
 * The scale is a power of two, so dividing by it undoes the multiplication exactly, unless a value left
 * the range of its type in between.
 *
 * Made for an optimizer, before its first captured step, and disposed with it. Then `loss.backward`
 * takes `scaler.scale`, and `optimizer.step()` unscales the gradients, skips the step or does it,
 * and adapts the scale: all on the GPU, so that it works in a captured step. A skipped step changes
 * no parameter and no state, and no parameter counts it. Gradients that were not finite are 0
 * after it.
 *
 * **Errors** ShapeError for an option out of range, or where the optimizer has a scaler.
 * **Cost** a pass over the gradients: 8 bytes and 1 FLOP each.
 * **Source** Micikevicius et al., arXiv:1710.03740, section 3.2; how the scale changes: NVIDIA,
 * "Train with mixed precision", "Choosing a scaling factor".
 *
 * @example
 * const w = device.tensor([1, 2], [2], { requiresGrad: true });
 * const optimizer = new optim.SGD([w], { lr: 0.5 });
 * const scaler = new optim.LossScaler(optimizer);
 * w.mul(device.tensor([1, -1])).sum().backward(scaler.scale);
 * await w.grad.data(); // [65536, -65536]
 * optimizer.step();
 * await w.data(); // [0.5, 2.5]
 */
export class LossScaler {
  /** f32 []: the scale, to be given to `backward` of a loss of one number. */
  readonly scale: Tensor;
  /** @internal u32 [parameters]: the steps each took part in; the optimizer's state has it. */
  readonly stepCounts: Tensor;
  private readonly runtime: Runtime;
  private readonly arrays: LossScaleArrays;
  private readonly interval: number;
  private isUnscaled = false;

  constructor(
    private readonly optimizer: Optimizer,
    { initial = 2 ** 16, interval = 2000 }: LossScalerOptions = {},
  ) {
    if (optimizer.scaler) throw new ShapeError('LossScaler: the optimizer has one already');
    if (!(initial >= LOWEST && initial <= 2 ** 126 && Number.isInteger(Math.log2(initial)))) {
      throw new ShapeError(
        `LossScaler: initial must be a power of two from 1 to 2^126, got ${initial}`,
      );
    }
    if (!Number.isInteger(interval) || interval < 1 || interval > 2 ** 31) {
      throw new ShapeError(
        `LossScaler: interval must be a whole number of at least 1, got ${interval}`,
      );
    }
    const { runtime, members } = optimizer.parts;
    this.runtime = runtime;
    this.interval = interval;
    this.arrays = allocLossScale(runtime, members.length);
    const own = (array: GpuArray): Tensor => outsideScopes(() => Tensor.own(runtime, array));
    this.scale = own(this.arrays.scale);
    this.stepCounts = own(runtime.allocPersistent([members.length], 'u32'));
    runtime.uncaptured(() => {
      this.stepCounts.assign(Uint32Array.from(members, ({ step }) => step));
      this.load({ scale: initial, goodSteps: 0, skippedSteps: 0, steps: 0 });
    });
    optimizer.scaler = this;
  }

  /**
   * Divides the gradients by the scale. `optimizer.step()` does it where this was not called; call
   * it, once and after the last `backward`, before gradients are clipped or looked at.
   */
  unscale(): void {
    if (this.isUnscaled) return;
    for (const part of this.optimizer.gatherGradients()) {
      unscaleGradients(this.runtime, this.arrays, part);
      this.isUnscaled = true;
    }
  }

  /** The scale and its counts, and where it halted: after that no step does anything. */
  read(): Promise<{ state: LossScaleState; halted: LossScaleHalt | null }> {
    this.runtime.recorder.refuseRead('LossScaler.read()');
    return this.readNow();
  }

  /** Takes over a state that `read` gave, for a run that goes on. */
  load({ scale, ...counts }: LossScaleState): void {
    writeLossScale(this.runtime, this.arrays, scale, counts);
  }

  /** @internal The gradients are new ones: they carry the scale again. */
  forget(): void {
    this.isUnscaled = false;
  }

  /** @internal Decides about the step, for the rows of a flat buffer whose first parameter is `first`. */
  completeRows(rows: GpuArray, first: number, decays: readonly [number, number]): void {
    const steps = this.stepCounts.gpuArray;
    completeRows(this.runtime, this.arrays, { rows, steps, first }, decays);
  }

  /** @internal Ends a step; one without gradients is none. */
  update(): void {
    if (!this.isUnscaled) return;
    this.isUnscaled = false;
    const rule = { lowest: LOWEST, highest: HIGHEST, interval: this.interval };
    updateLossScale(this.runtime, this.arrays, rule);
  }

  /** @internal Called by the optimizer's. */
  dispose(): void {
    this.scale.dispose();
    this.stepCounts.dispose();
    this.arrays.words.release();
  }

  private async readNow(): Promise<{ state: LossScaleState; halted: LossScaleHalt | null }> {
    const { halted, ...counts } = await readLossScale(this.runtime, this.arrays);
    const state = { scale: await this.scale.item(), ...counts };
    if (!halted) return { state, halted };
    const { members } = this.optimizer.parts;
    const parameters = halted.parameters.map((parameter) => members[parameter].name);
    return { state, halted: { step: halted.step, parameters } };
  }
}
