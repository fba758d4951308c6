import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '../../src/device.js';
import { LimitError, TrainingError } from '../../src/errors.js';
import { createModel } from '../../src/models/index.js';
import { recomputeSegments } from '../../src/nn/index.js';
import { Classifier } from '../../src/train/classifier.js';
import { checkDiskSpace } from '../../src/train/disk_space.js';
import { batchSizes, checkBatches } from '../../src/train/dry_run.js';
import { testDevice } from '../helpers/device.js';

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

describe('a dry run by shapes', () => {
  const classifierOf = (size: number, dtype: 'f32' | 'f16' = 'f32') => {
    const imageShape = [size, size, 1] as const;
    const model = createModel(device, 'resnet18', { input: imageShape, classes: 4 });
    return new Classifier(device, model, { imageShape, dtype });
  };
  const always = () => true;

  it('takes no GPU memory and leaves the modes of modules alone', () => {
    const classifier = classifierOf(32);
    const { liveBytes, peakBytes } = device.memory;
    classifier.model.train();
    checkBatches(classifier, { full: 64, rest: 1, evaluated: 64 }, always);
    expect(device.memory).toMatchObject({ liveBytes, peakBytes });
    for (const [, module] of classifier.model.namedModules()) expect(module.isTraining).toBe(true);
  });

  it.each(['plain', 'recomputed', 'f16'])('finds single values in a network that is %s', (how) => {
    const classifier = classifierOf(8, how === 'f16' ? 'f16' : 'f32');
    if (how === 'recomputed') recomputeSegments(classifier.model, [8, 8, 1]);
    const check = (full: number, rest: number, trains = always) =>
      checkBatches(classifier, { full, rest, evaluated: 1 }, trains);
    expect(() => check(32, 1)).toThrow(TrainingError);
    expect(() => check(32, 1)).toThrow('the last batch has 1 image, of which layer4.0.bn1');
    expect(() => check(1, 0)).toThrow(/a batch has 1 image, .+\nfix: raise batchSize/s);
    check(32, 2);
    check(32, 0);
    // Frozen ones use their running statistics.
    check(32, 1, () => false);
  });

  it('finds what the adapter cannot bind, and how many images it can', () => {
    const classifier = classifierOf(64);
    const limit = device.runtime.device.limits.maxStorageBufferBindingSize;
    // The first convolution makes 64 channels of the same size, which is the largest value.
    const most = Math.floor(limit / (4 * 64 * 64 * 64));
    checkBatches(classifier, { full: most, rest: 0, evaluated: most }, always);
    for (const sizes of [
      { full: most + 1, rest: 0, evaluated: 1 },
      { full: 1, rest: 0, evaluated: most + 1 },
    ]) {
      const check = () => checkBatches(classifier, sizes, () => false);
      expect(check).toThrow(LimitError);
      expect(check).toThrow(
        new RegExp(
          `the output of conv1 \\(conv2d\\), .+\\nfix: lower batchSize, here to at most ${most}, or input$`,
          's',
        ),
      );
    }
  });

  it('counts the images of each batch', () => {
    const sizes = (batchSize: number, dropLast: boolean, images: number) =>
      batchSizes({ batchSize, dropLast }, images, 40);
    expect(sizes(32, false, 33)).toEqual({ full: 32, rest: 1, evaluated: 32 });
    expect(sizes(32, true, 33)).toEqual({ full: 32, rest: 0, evaluated: 32 });
    expect(sizes(64, false, 36)).toEqual({ full: 36, rest: 0, evaluated: 40 });
  });
});

it('a disk too small for the checkpoints is named with what is wanted and free', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tilegrad-disk-'));
  try {
    const run = join(folder, 'not', 'there');
    checkDiskSpace(run, 1000);
    checkDiskSpace(run, 2e6, 6e6);
    expect(() => checkDiskSpace(run, 2e6, 5.9e6)).toThrow(TrainingError);
    expect(() => checkDiskSpace(run, 2e6, 5.9e6)).toThrow(
      /needs 6\.0 MB for its checkpoints of 2\.0 MB, the disk has 5\.9 MB free\nfix: free some space/,
    );
    expect(() => checkDiskSpace(run, 2 ** 60)).toThrow(TrainingError);
    // What is there is written over.
    for (const name of ['best', 'last'])
      writeFileSync(join(folder, `${name}.safetensors`), 'x'.repeat(1000));
    checkDiskSpace(folder, 1000, 1000);
    expect(() => checkDiskSpace(folder, 1000, 999)).toThrow(TrainingError);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
