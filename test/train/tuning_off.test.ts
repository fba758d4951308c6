import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { runBench } from '../../src/bench/run.js';
import { createDevice, type Device } from '../../src/device.js';
import { UsageError } from '../../src/errors.js';
import { formatChoices, identityOf } from '../../src/tune/choice_cache.js';
import { summaryLines } from '../../src/tune/report.js';
import { matmul } from '../../src/ops/linear.js';
import { runTraining } from '../../src/train/run.js';
import type { TrainRequest } from '../../src/train/run_plan.js';
import { stopAfter, temporaryFolder } from './helpers.js';

const OFF = 'tuning is off: TILEGRAD_AUTOTUNE=off, kernels are chosen by rule';

const folder = temporaryFolder();
const caches = join(folder, 'caches');
const devices: Device[] = [];
afterAll(() => {
  vi.unstubAllEnvs();
  for (const device of devices) device.destroy();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  rmSync(caches, { recursive: true, force: true });
  mkdirSync(caches);
  vi.stubEnv('TILEGRAD_CACHE', caches);
  vi.stubEnv('TILEGRAD_AUTOTUNE', undefined);
});

async function open(setting?: string): Promise<Device> {
  vi.stubEnv('TILEGRAD_AUTOTUNE', setting);
  const device = await createDevice({ seed: 11 });
  devices.push(device);
  return device;
}

/** Runs a product of its own, which tuning would time. */
const product = (device: Device) => (): void => {
  matmul(device.randn([4, 8]), device.randn([8, 12]));
};

/** As if tuning had chosen the naive kernel for everything that `keys` name; returns the file's text. */
async function keepNaive(keys: readonly string[]): Promise<string> {
  const device = await open();
  if (readdirSync(caches).length === 0) await device.tune(product(device));
  const [file] = readdirSync(caches);
  const choices = Object.fromEntries(keys.map((key) => [key, 'naive']));
  const text = formatChoices(await identityOf(device.runtime), choices);
  writeFileSync(join(caches, file), text);
  return text;
}

interface Run {
  said: string[];
  variants: Record<string, string>;
}

async function run(request: TrainRequest, steps = Infinity): Promise<Run> {
  const said: string[] = [];
  await runTraining(
    { ...(request.resume === undefined ? { recipe: 'mnist' } : {}), report: false, ...request },
    {
      openDevice: (seed) => createDevice({ seed }),
      say: (text) => said.push(text),
      onDecoded: () => undefined,
      signal: stopAfter(steps),
    },
  );
  const path = join(request.out ?? request.resume!, 'config.json');
  return { said, ...(JSON.parse(readFileSync(path, 'utf8')) as { variants: Run['variants'] }) };
}

const settings: TrainRequest['settings'] = {
  ...{ data: 'builtin:digits', model: 'mlp', limit: 40, batchSize: 16, seed: 5 },
  ...{ epochs: 1, tensorboard: 'off' },
};

describe('TILEGRAD_AUTOTUNE', () => {
  it('off leaves kept choices unread, on and nothing read them', async () => {
    const text = await keepNaive(['matmul a', 'matmul b']);
    for (const setting of ['on', '', undefined]) {
      expect((await open(setting)).runtime.choices.size).toBe(2);
    }
    // A file that would be told of as broken is not even looked at.
    writeFileSync(join(caches, readdirSync(caches)[0]), text.slice(0, 9));
    const { choices } = (await open('off')).runtime;
    expect([choices.size, choices.problem]).toEqual([0, null]);
    expect((await open()).runtime.choices.problem).toContain('is broken');
  });

  it('takes on and off alone', async () => {
    for (const setting of ['no', '0', 'OFF']) {
      await expect(open(setting)).rejects.toThrow(UsageError);
      await expect(open(setting)).rejects.toThrow(
        `device: TILEGRAD_AUTOTUNE must be on or off, got ${setting}`,
      );
    }
  });

  it('off: device.tune says so, and neither runs the function nor keeps anything', async () => {
    const device = await open('off');
    const said: string[] = [];
    let runs = 0;
    const report = await device.tune(() => runs++, { say: (text) => said.push(text) });
    expect(said).toEqual([OFF]);
    expect([runs, readdirSync(caches)]).toEqual([0, []]);
    expect(report).toEqual({
      kernels: [],
      ms: 0,
      known: 0,
      place: null,
      problem: null,
      isOff: true,
    });
    expect(summaryLines(report)).toEqual([]);
  });

  it('off: a bench with --tune says so, and measures what the rule chooses', async () => {
    const device = await open('off');
    const said: string[] = [];
    const request = { op: 'matmul', shape: '4,8,12', direction: 'forward', tune: true } as const;
    const { document } = await runBench(device, request, (text) => said.push(text));
    expect(said.filter((text) => text.includes('tun'))).toEqual([OFF]);
    expect(document.tuning).toBeUndefined();
    expect(document.results.some(({ isChosen }) => isChosen)).toBe(true);
  });

  it('off: a run with --tune says so and trains; one that goes on keeps what it began with', async () => {
    const tuned = join(folder, 'tuned');
    const stopped = await run({ settings, out: tuned, tune: true }, 1);
    const keys = Object.keys(stopped.variants);
    expect(keys.length).toBeGreaterThan(0);

    vi.stubEnv('TILEGRAD_AUTOTUNE', 'off');
    const plain = await run({ settings, out: join(folder, 'plain'), tune: true });
    expect(plain.said.filter((text) => text.includes('tun'))).toEqual([OFF]);
    expect(plain.variants).toEqual({});

    const resumed = await run({ settings: {}, resume: tuned });
    expect(resumed.variants).toEqual(stopped.variants);
    expect(resumed.said).toContain(
      `tuning is off, but this run goes on with the ${keys.length} choices it began with`,
    );

    // Another run's settings are no reason to go on with its kernels.
    const config = join(tuned, 'config.json');
    const copied = await run({ settings: {}, config, out: join(folder, 'copied') });
    expect(copied.variants).toEqual({});
  }, 120_000);
});
