import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryDataset } from '../../src/data/index.js';
import { createDevice, type Device } from '../../src/device.js';
import {
  Conv2d,
  Dense,
  Dropout,
  Flatten,
  MaxPool2d,
  Sequential,
  type Module,
} from '../../src/nn/index.js';
import type { LossScalerOptions, LossScaleState } from '../../src/optim/index.js';
import {
  checkpoint,
  earlyStopping,
  tensorBoard,
  type Callback,
} from '../../src/train/callbacks/index.js';
import { fit } from '../../src/train/fit.js';
import { sharedKeys } from '../../src/train/fit_settings.js';
import { LearnedByHeart } from '../../src/train/run.js';
import type { EpochMetrics } from '../../src/train/history.js';
import type { RunConfig } from '../../src/train/run_config.js';
import { defaultSettings } from '../../src/train/settings.js';
import { seededRandom } from '../helpers/fill.js';

export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), 'tilegrad-train-'));

/** Images of 8×8 with one bright quarter each; the class is which quarter. */
export function quarters(size: number, seed: number): MemoryDataset {
  const random = seededRandom(seed);
  const labels = Int32Array.from({ length: size }, (_, n) => n % 4);
  const images = new Uint8Array(size * 64);
  for (let n = 0; n < size; n++) {
    for (let i = 0; i < 64; i++) {
      const quarter = (i % 8 < 4 ? 0 : 1) + (i < 32 ? 0 : 2);
      images[n * 64 + i] = (quarter === labels[n] ? 120 : 0) + random() * 120;
    }
  }
  return new MemoryDataset({
    ...{ name: 'quarters', imageShape: [8, 8, 1], labels, images },
    classNames: ['a', 'b', 'c', 'd'],
  });
}

export const config: RunConfig = {
  ...defaultSettings(),
  ...{ recipe: 'test', model: 'mlp', data: 'test', epochs: 3, batchSize: 16, seed: 3 },
  ...{ optimizer: 'adam', lr: 1e-2, tensorboard: 'scalars' },
  ...{ imageShape: [8, 8, 1], sourceShape: [8, 8, 1], classNames: ['a', 'b', 'c', 'd'] },
};

export function tinyModel(device: Device): Sequential {
  return new Sequential(
    new Conv2d(device, {
      ...{ inChannels: 1, outChannels: 8, kernelSize: 3, padding: 'same', activation: 'relu' },
    }),
    new MaxPool2d({ size: 2 }),
    new Flatten(),
    new Dropout({ rate: 0.25 }),
    new Dense(device, { inFeatures: 128, outFeatures: 4 }),
  );
}

export interface Session {
  folder: string;
  /** Continue from the folder's last checkpoint. */
  resume?: boolean;
  isCaptured?: boolean;
  config?: Partial<RunConfig>;
  events?: {
    onProgress?: NonNullable<Callback['onProgress']>;
    /** Asked after each step. */
    shouldStop?: () => boolean;
  };
  signal?: { readonly aborted: boolean };
  checkpointEvery?: number;
  /** In place of the tiny model. */
  model?: (device: Device) => Module;
  lossScale?: LossScalerOptions;
}

/** An epoch of a run that has validation images. */
export type Validated = EpochMetrics & { valLoss: number; valAccuracy: number };

/** A signal that is aborted once `isTrue` says so, asked after each step. */
export function stopWhen(isTrue: () => boolean): { readonly aborted: boolean } {
  let isBegun = false;
  let isAborted = false;
  return {
    get aborted() {
      // The first question comes before the first step.
      if (isBegun) isAborted ||= isTrue();
      isBegun = true;
      return isAborted;
    },
  };
}

/** The same after a number of steps. */
export function stopAfter(steps: number): { readonly aborted: boolean } {
  let done = 0;
  return stopWhen(() => ++done >= steps);
}

/** Trains on a device of its own; returns the final weights and how the run went. */
export async function train(session: Session) {
  const settings = { ...config, ...session.config };
  const device = await createDevice({ seed: settings.seed });
  try {
    const model = (session.model ?? tinyModel)(device);
    const { folder, isCaptured, checkpointEvery, events = {} } = session;
    const { onProgress, shouldStop } = events;
    let lossScale: LossScaleState | null = null;
    const atEnd: Callback = { onEnd: (_end, run) => void ({ lossScale } = run) };
    const { earlyStopping: patience, tensorboard: what, overfit } = settings;
    const shared = Object.fromEntries(sharedKeys.map((key) => [key, settings[key]]));
    // 72 images: four full batches of 16 and a ragged one of 8.
    const [images, validation] = [quarters(72, 1), quarters(40, 2)];
    const history = await fit(
      model,
      { train: images, validation },
      {
        ...shared,
        ...{ optimizer: settings.optimizer, schedule: settings.schedule },
        ...{ out: folder, resume: session.resume ?? false, capture: isCaptured ?? true },
        lossScale: session.lossScale ?? {},
        signal: session.signal ?? (shouldStop ? stopWhen(shouldStop) : null),
        callbacks: [
          ...(overfit ? [new LearnedByHeart()] : []),
          ...(patience === null ? [] : [earlyStopping({ patience })]),
          ...(what === 'off' ? [] : [tensorBoard({ folder: join(folder, 'events'), what })]),
          ...(checkpointEvery === undefined ? [] : [checkpoint({ every: checkpointEvery })]),
          ...(onProgress ? [{ onProgress }] : []),
          atEnd,
        ],
      },
    );
    const weights: Record<string, number[]> = {};
    for (const [name, tensor] of model.stateDict()) weights[name] = [...(await tensor.data())];
    const { end, steps } = history;
    const epochs = history.epochs as Validated[];
    const progress = {
      history: epochs,
      step: steps,
      lossScale: lossScale as LossScaleState | null,
    };
    return { weights, progress, end, memory: device.memory };
  } finally {
    device.destroy();
  }
}
