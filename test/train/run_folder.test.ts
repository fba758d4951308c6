import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { RunFolder } from '../../src/train/run_folder.js';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'tilegrad-folder-'));
});
afterAll(() => rmSync(root, { recursive: true }));

/** The number of a process that has ended. */
const gone = () => spawnSync(process.execPath, ['-e', '']).pid;

function claimed(name: string, owner: unknown, ageSeconds = 0): string {
  const path = join(root, name);
  mkdirSync(path);
  const claim = join(path, '.claim');
  writeFileSync(claim, typeof owner === 'string' ? owner : JSON.stringify(owner));
  const then = Date.now() / 1000 - ageSeconds;
  utimesSync(claim, then, then);
  return path;
}

it('is one run’s until it is released', () => {
  const path = join(root, 'one');
  const folder = RunFolder.claim(path);
  expect(() => RunFolder.claim(path)).toThrow(UsageError);
  expect(() => RunFolder.claim(path)).toThrow(
    `fit: another run writes into ${path} (process ${process.pid} on ${hostname()})\nfix: wait until it has ended, or choose another out; if there is no such run, remove ${join(path, '.claim')}`,
  );
  writeFileSync(join(path, 'config.json'), '');
  folder.release();
  expect(readdirSync(path)).toEqual(['config.json']);
  RunFolder.claim(path).release();
});

it('goes with the folders made for it where the run never began', () => {
  RunFolder.claim(join(root, 'deep', 'er', 'run')).release();
  expect(existsSync(join(root, 'deep'))).toBe(false);
  const there = join(root, 'there');
  mkdirSync(there);
  RunFolder.claim(there).release();
  expect(readdirSync(there)).toEqual([]);
});

it('takes the next free number, two at once two numbers', () => {
  const runs = join(root, 'runs');
  mkdirSync(join(runs, 'mnist-2'), { recursive: true });
  const folders = [1, 2, 3].map(() => RunFolder.claimNext(runs, 'mnist'));
  expect(folders.map(({ path }) => path)).toEqual([1, 3, 4].map((n) => join(runs, `mnist-${n}`)));
  folders.forEach((folder) => folder.release());
  expect(readdirSync(runs)).toEqual(['mnist-2']);
});

it.each([
  ['a process that has ended', () => ({ pid: gone(), host: hostname(), started: null })],
  ['another process of that number', () => ({ pid: process.pid, host: hostname(), started: '1' })],
  ['another machine that fell silent', () => ({ pid: 1, host: 'elsewhere', started: null }), 600],
  ['nobody, half written', () => '{"pid":', 600],
])('passes over the claim of %s', (title, owner, age = 0) => {
  const path = claimed(title, owner(), age);
  const folder = RunFolder.claim(path);
  expect(readdirSync(path)).toEqual(['.claim']);
  folder.release();
});

it.each([
  ['another machine that was there a minute ago', { pid: 1, host: 'elsewhere', started: null }, 60],
  ['somebody who is writing it', '', 0],
])('keeps the claim of %s', (title, owner, age) => {
  expect(() => RunFolder.claim(claimed(title, owner, age))).toThrow('another run writes into');
});

it('removes what dead writers left half written, and nothing else', () => {
  const path = join(root, 'left');
  mkdirSync(join(path, 'report'), { recursive: true });
  const dead = gone();
  const left = [`.last.safetensors.${dead}.tmp`, `.metrics.csv.${dead}.tmp`, `.claim.${dead}.tmp`];
  const kept = ['notes.tmp', '.hidden', `.best.safetensors.${process.ppid}.tmp`];
  for (const name of [...left, ...kept, join('report', `.index.html.${dead}.tmp`)]) {
    writeFileSync(join(path, name), '');
  }
  RunFolder.claim(path).release();
  expect(readdirSync(path).sort()).toEqual([...kept, 'report'].sort());
  expect(readdirSync(join(path, 'report'))).toEqual([]);
});
