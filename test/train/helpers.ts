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
import type { LossScalerOptions } from '../../src/optim/index.js';
import { freshProgress, readCheckpoint } from '../../src/train/checkpoint.js';
import { makeOptimizer } from '../../src/train/parameter_groups.js';
import type { RunConfig } from '../../src/train/run_config.js';
import { defaultSettings } from '../../src/train/settings.js';
import { Trainer, type TrainerEvents } from '../../src/train/trainer.js';
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
  events?: TrainerEvents;
  checkpointEveryMs?: number;
  /** In place of the tiny model. */
  model?: (device: Device) => Module;
  lossScale?: LossScalerOptions;
}

/** Trains on a device of its own; returns the final weights and the trainer's progress. */
export async function train(session: Session) {
  const settings = { ...config, ...session.config };
  const device = await createDevice({ seed: settings.seed });
  try {
    const model = (session.model ?? tinyModel)(device);
    const optimizer = makeOptimizer(model, settings, session.lossScale);
    let progress = freshProgress(device.runtime.random.position);
    if (session.resume) {
      const checkpoint = readCheckpoint(join(session.folder, 'last.safetensors'));
      model.loadStateDict(checkpoint.weights);
      optimizer.loadStateDict({ tensors: checkpoint.optimizer, scalars: checkpoint.scalars });
      device.runtime.random.position = checkpoint.progress.randomPosition;
      progress = checkpoint.progress;
    }
    // 72 images: four full batches of 16 and a ragged one of 8.
    const [images, validation] = [quarters(72, 1), quarters(40, 2)];
    const { folder, isCaptured, events, checkpointEveryMs } = session;
    const trainer = new Trainer(
      {
        ...{ device, model, optimizer, config: settings, train: images, validation },
        ...{ folder, progress },
        ...(isCaptured === undefined ? {} : { isCaptured }),
        ...(checkpointEveryMs === undefined ? {} : { checkpointEveryMs }),
      },
      events,
    );
    const end = await trainer.run();
    const weights: Record<string, number[]> = {};
    for (const [name, tensor] of model.stateDict()) weights[name] = [...(await tensor.data())];
    trainer.dispose();
    return { weights, progress, end, memory: device.memory };
  } finally {
    device.destroy();
  }
}
