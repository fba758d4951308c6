import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { folder, run, start, until, type Running } from './helpers.js';

const small = [
  ...['train', 'mnist', '--data', 'builtin:digits', '--model', 'mlp', '--limit', '192'],
  ...['--validate-every', '2', '--no-report'],
];
const lines = (path: string): string[] => readFileSync(path, 'utf8').trim().split('\n');

async function stopped(running: Running): Promise<void> {
  running.child.kill('SIGTERM');
  await running.done;
}

it('two runs never write into one folder: the second is refused, or takes the next number', async () => {
  const where = folder();
  const endless = [...small, '--epochs', '9999'];
  const out = join(where, 'out');
  const first = start([...endless, '--out', out], { cwd: where });
  await until(() => /epoch +1\//.test(first.said()), 'an epoch');
  for (const second of [
    [...endless, '--out', out],
    ['train', '--resume', out],
  ]) {
    const { code, stderr } = await run(...second);
    expect(code).toBe(2);
    expect(stderr).toContain(`another run writes into ${out} (process ${first.child.pid} on `);
    expect(stderr).toContain('fix: wait until it has ended');
  }
  await stopped(first);
  const both = [1, 2].map(() => start(endless, { cwd: where }));
  const saved = () =>
    [1, 2].every((n) => readdirSync(join(where, 'runs', `mnist-${n}`)).includes('metrics.csv'));
  await until(() => {
    try {
      return saved();
    } catch {
      return false;
    }
  }, 'both runs');
  await Promise.all(both.map(stopped));
}, 120_000);

it('a run that was killed goes on, without what it left half written and with all rows', async () => {
  const out = join(folder(), 'r');
  const begun = start([...small, '--epochs', '9999', '--out', out]);
  await until(() => /epoch +2\//.test(begun.said()), 'two epochs');
  begun.child.kill('SIGKILL');
  await begun.done;
  writeFileSync(join(out, `.last.safetensors.${begun.child.pid}.tmp`), 'half of it');
  expect(readdirSync(out)).toContain('.claim');
  const epochs = String(lines(join(out, 'metrics.csv')).length + 1);
  const done = await run('train', '--resume', out, '--epochs', epochs, '--no-report');
  expect(done.code).toBe(0);
  expect(readdirSync(out).filter((name) => name.startsWith('.'))).toEqual([]);
  // As if it had been killed between the last checkpoint and the tables.
  const tables = ['metrics.csv', 'validation.csv'].map((name) => join(out, name));
  const whole = tables.map((path) => readFileSync(path, 'utf8'));
  for (const path of tables) writeFileSync(path, `${lines(path).slice(0, -1).join('\n')}\n`);
  expect((await run('train', '--resume', out, '--no-report')).code).toBe(0);
  expect(tables.map((path) => readFileSync(path, 'utf8'))).toEqual(whole);
}, 120_000);

it.each(['SIGTERM', 'SIGHUP'] as const)('%s finishes the step and saves', async (signal) => {
  const out = join(folder(), 'r');
  const running = start([...small, '--epochs', '9999', '--out', out]);
  await until(() => /epoch +1\//.test(running.said()), 'an epoch');
  running.child.kill(signal);
  const { code, stdout } = await running.done;
  expect(code).toBe(1);
  expect(stdout).toContain(`continue with: tilegrad train --resume ${out}`);
  expect(readdirSync(out)).toContain('last.safetensors');
});
