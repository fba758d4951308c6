import { closeSync, existsSync, openSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folder, run, start, until } from './helpers.js';

/** A file that takes no byte, as on a full disk. */
const FULL = '/dev/full';
const hasFull = existsSync(FULL);
if (!hasFull) console.log(`skipped: full disks, there is no ${FULL} here`);

const small = [
  ...['train', 'mnist', '--data', 'builtin:digits', '--model', 'mlp', '--limit', '192'],
  ...['--epochs', '2', '--no-report'],
];

/** Runs with streams into a full disk. */
async function onFullDisk(args: string[], streams: ('stdout' | 'stderr')[]) {
  const full = openSync(FULL, 'w');
  try {
    return await start(args, Object.fromEntries(streams.map((name) => [name, full]))).done;
  } finally {
    closeSync(full);
  }
}

describe.runIf(hasFull)('standard output on a full disk is a failure', () => {
  const commands = [
    ...['summary mlp', 'summary mlp --json', 'explain relu', 'data list', 'data list --json'],
    ...['data cache', 'doctor --json', '--help', 'train --help', '--version'],
  ];
  it.each(commands)('%s', async (command) => {
    const { code, stderr } = await onFullDisk(command.split(' '), ['stdout']);
    expect(code).toBe(1);
    expect(stderr).toContain('tilegrad: standard output: the disk is full');
    expect(stderr).not.toContain('    at ');
  });

  it('train has saved by then, predict and evaluate say it too', async () => {
    const out = join(folder(), 'r');
    const trained = await onFullDisk([...small, '--out', out], ['stdout']);
    expect([trained.code, readdirSync(out).includes('last.safetensors')]).toEqual([1, true]);
    expect(trained.stderr).toContain('standard output: the disk is full');
    const evaluation = ['evaluate', out, '--data', 'builtin:digits', '--limit', '20'];
    for (const args of [evaluation, [...evaluation, '--json']]) {
      const { code, stderr } = await onFullDisk(args, ['stdout']);
      expect(code).toBe(1);
      expect(stderr).toContain('standard output: the disk is full');
    }
  }, 120_000);
});

describe('standard error is information', () => {
  it('a run goes on and saves when its reader goes away after one line', async () => {
    const out = join(folder(), 'r');
    const running = start([...small, '--out', out]);
    await until(() => running.said().length > 0, 'the first line');
    running.child.stderr!.destroy();
    const { code, stdout } = await running.done;
    expect(code).toBe(0);
    expect(stdout).toContain('test: loss');
    expect(readFileSync(join(out, 'metrics.csv'), 'utf8').trim().split('\n')).toHaveLength(3);
  }, 120_000);

  it.runIf(hasFull)(
    'a run goes on when it is on a full disk, with a trace too',
    async () => {
      const out = join(folder(), 'r');
      process.env.TRACE = '1';
      try {
        const { code } = await onFullDisk([...small, '--out', out], ['stderr']);
        expect(code).toBe(0);
      } finally {
        delete process.env.TRACE;
      }
      expect(existsSync(join(out, 'best.safetensors'))).toBe(true);
    },
    120_000,
  );

  it.runIf(hasFull)('an error that cannot be told keeps its exit code', async () => {
    expect((await onFullDisk(['train', 'mnst'], ['stderr'])).code).toBe(2);
    expect((await onFullDisk(['train', '--epoch'], ['stderr'])).code).toBe(2);
    expect((await onFullDisk(['evaluate', 'nowhere', '--data', 'x'], ['stderr'])).code).toBe(1);
  });
});

it('a reader of standard output that goes away is no failure', async () => {
  const running = start(['summary', 'resnet50']);
  running.child.stdout!.destroy();
  const { code, stderr } = await running.done;
  expect(code).toBe(0);
  expect(stderr).not.toContain('standard output');
});

it('a long result arrives whole in a pipe', async () => {
  const { stdout } = await run('summary', 'resnet152', '--json');
  expect(stdout.length).toBeGreaterThan(50_000);
  expect((JSON.parse(stdout) as { layers: unknown[] }).layers.length).toBeGreaterThan(150);
});
