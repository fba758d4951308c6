import { beforeAll, describe, expect, it } from 'vitest';
import { checkRequest } from '../../src/bench/request.js';
import { runBench } from '../../src/bench/run.js';
import { formatReport } from '../../src/bench/table.js';
import { measureTraining, type TrainingMeasurement } from '../../src/bench/training.js';
import type { BenchDocument, BenchRequest } from '../../src/bench/types.js';
import { createDevice, type Device } from '../../src/index.js';
import { testDevice } from '../helpers/device.js';

const PEAK = { gflops: 100, gbps: 10 };

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

async function measure(
  request: Omit<BenchRequest, 'op'>,
): Promise<TrainingMeasurement & { said: string[] }> {
  const said: string[] = [];
  const say = (text: string): void => void said.push(text);
  return { ...(await measureTraining(device, { op: 'train', ...request }, PEAK, say)), said };
}

/** As it is printed; what a device adds does not matter here. */
function printed({ rows, ...rest }: TrainingMeasurement): string {
  const document: BenchDocument = {
    ...{ adapter: 'a', isSoftware: false, timing: 'wall clock', peak: PEAK, results: rows },
    training: rest.training,
  };
  return formatReport(document, false).join('\n');
}

describe('bench train --recompute', () => {
  const shape = { suite: 'cifar-resnet20', shape: '4,16,16,3,5' };

  it('holds less at the peak for more dispatches, and says what runs again', async () => {
    const plain = await measure(shape);
    const again = await measure({ ...shape, recompute: true });
    expect(plain.training.recompute).toBeNull();
    expect(again.training.recompute!.length).toBeGreaterThan(1);
    expect(again.training.peakBytes).toBeLessThan(plain.training.peakBytes);
    expect(again.training.imagesPerSecond).toBeCloseTo(4000 / again.training.stepMs, 6);
    if (device.runtime.hasTimestamps) {
      const dispatches = ({ profile }: TrainingMeasurement): number =>
        profile!.reduce((sum, { count }) => sum + count, 0);
      expect(dispatches(again)).toBeGreaterThan(dispatches(plain));
    }
    const segments = again.training.recompute!;
    expect(again.said[0]).toBe(
      `train cifar-resnet20: runs again in backward ${segments.join(', ')}`,
    );
    expect(again.rows[0].note).toBe('wall clock of captured steps, with recomputation');
    expect(plain.rows[0].note).toBe('wall clock of captured steps');
    const peak = (training: { peakBytes: number }): string =>
      `${(training.peakBytes / 2 ** 20).toFixed(2)} MiB live at the peak of a step`;
    expect(printed(again)).toContain(
      `${peak(again.training)}, running again ${segments.length} of its segments`,
    );
    expect(printed(plain)).toContain(peak(plain.training));
    expect(printed(plain)).not.toContain('running again');
  });

  it('is for train alone', () => {
    expect(() => checkRequest({ op: 'conv2d', recompute: true })).toThrow(
      'bench conv2d: --recompute does not apply, it is there for train\n' +
        'fix: tilegrad bench train --recompute',
    );
    checkRequest({ op: 'train', recompute: true });
  });
});

describe('bench train --dtype f16', () => {
  const shape = { shape: '2,8,8,1,3' };

  it('runs the trainer’s step: halves, the loss scale, and what skips a step', async ({ skip }) => {
    skip(!device.info.features.includes('shader-f16'), 'no shader-f16 on this adapter');
    const half = await measure({ ...shape, dtype: 'f16' });
    expect(half.training).toMatchObject({
      ...{ dtype: 'f16', lossScale: { scale: 65536, skippedSteps: 0 } },
    });
    expect(printed(half)).toContain('# loss scale 65,536, 0 steps skipped');
    if (!device.runtime.hasTimestamps) return;
    const shaders = half.profile!.map(({ shader }) => shader);
    for (const shader of ['unscale', 'rows', 'update']) {
      expect(shaders).toContain(`loss_scale_${shader}`);
    }
    expect(shaders).toContain('training_statistics');
  });

  it('has no scale in full precision', async () => {
    const full = await measure({ ...shape, dtype: 'f32' });
    expect(full.training).toMatchObject({ dtype: 'f32', lossScale: null });
    expect(printed(full)).not.toContain('loss scale');
    const shaders = (full.profile ?? []).map(({ shader }) => shader);
    expect(shaders.filter((name) => name.startsWith('loss_scale'))).toEqual([]);
  });

  it('is refused where the adapter has no f16', async () => {
    using other = await createDevice();
    const { info } = other;
    info.features = info.features.filter((name) => name !== 'shader-f16');
    const silent = (): void => undefined;
    await expect(runBench(other, { op: 'train', dtype: 'f16' }, silent)).rejects.toThrow(
      `bench: ${info.description} has no shader-f16\nfix: use --dtype f32, or another adapter`,
    );
  });
});
