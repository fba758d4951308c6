import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { folder, run } from './helpers.js';

interface Config {
  lr: number;
  schedule: string;
  momentum: number | null;
  inForce: { optimizer: Record<string, unknown>; learningRate: number; images: object };
}

const tiny = [
  ...['train', 'mnist', '--model', 'mlp', '--data', 'builtin:digits', '--limit', '64'],
  ...['--batch-size', '32', '--tensorboard', 'off', '--no-report'],
];
const configOf = (where: string): Config =>
  JSON.parse(readFileSync(join(where, 'config.json'), 'utf8')) as Config;

describe('a run that goes on', () => {
  /** One epoch each, by schedule. */
  const runs = new Map<string, string>();
  beforeAll(async () => {
    for (const schedule of ['plateau:0.5,5', 'per-epoch:0.002,0.003', 'cosine', 'constant']) {
      const out = join(folder(), 'run');
      const rates = schedule.startsWith('per') ? [] : ['--lr', '0.001'];
      const how = ['--optimizer', 'sgd', '--epochs', '1', '--schedule', schedule, ...rates];
      const { code, stderr } = await run(...tiny, ...how, '--out', out);
      expect(code, stderr).toBe(0);
      runs.set(schedule, out);
    }
  }, 120_000);
  const copyOf = (schedule: string): string => {
    const where = join(folder(), 'run');
    cpSync(runs.get(schedule)!, where, { recursive: true });
    return where;
  };

  it.each([
    ['plateau:0.5,5', 'plateau:0.5,5', 1e-5],
    ['per-epoch:0.002,0.003', 'constant', 1e-5],
    ['constant', 'constant', 1e-5],
    // Of three epochs, the second begins where a cosine over all of them is at 3/4.
    ['cosine', 'cosine', 0.75e-5],
  ])(
    'takes --lr with the schedule %s',
    async (schedule, inForce, rate) => {
      const where = copyOf(schedule);
      const args = ['--epochs', '3', '--lr', '0.00001', '--no-report', '--json'];
      const { code, stdout, stderr } = await run('train', '--resume', where, ...args);
      expect(code, stderr).toBe(0);
      const { epochs } = JSON.parse(stdout) as { epochs: { learningRate: number }[] };
      // Of the last step of the second epoch.
      if (schedule !== 'cosine') expect(epochs[1].learningRate).toBe(rate);
      const config = configOf(where);
      expect(config).toMatchObject({ lr: 1e-5, schedule: inForce, momentum: null });
      expect(config.inForce.learningRate).toBeCloseTo(rate, 12);
      expect(config.inForce.optimizer).toEqual({
        ...{ name: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 0 },
      });
      expect(config.inForce.images).toEqual({ training: 64, validation: 64, test: 64 });
    },
    60_000,
  );

  it.each([
    [['--lr', '0.1'], /has done its 1 epochs: nothing is left for --lr to change\nfix: .*--epochs/],
    [['--schedule', 'cosine'], /nothing is left for --schedule to change/],
    [
      ['--lr', '1', '--schedule', 'stages:1,2', '--epochs', '2'],
      /--lr 1 says nothing beside --sch/,
    ],
    [
      ['--data', 'builtin:signs', '--epochs', '2'],
      /trained on other data than builtin:signs, it had/,
    ],
  ])('refuses %j, which it could not use', async (args, message) => {
    const where = copyOf('constant');
    const before = readFileSync(join(where, 'config.json'), 'utf8');
    const { code, stderr, stdout } = await run('train', '--resume', where, ...args);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(readFileSync(join(where, 'config.json'), 'utf8')).toBe(before);
  });
});

describe('a new run', () => {
  it.each([
    [
      ['--lr', '0.1', '--schedule', 'stages:1,2'],
      /--lr 0.1 says nothing beside --schedule stages:1,2/,
    ],
    [['--unfreeze-after', '2'], /--unfreeze-after, but nothing is frozen/],
    [
      ['--overfit', '--augment', 'flip', '--l2', '1e-3'],
      /--overfit has no use for --l2, --augment/,
    ],
  ])('refuses %j, which it could not use', async (args, message) => {
    const { code, stderr } = await run(...tiny, ...args, '--out', join(folder(), 'run'));
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });
});
