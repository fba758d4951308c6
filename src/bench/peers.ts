import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DeviceError, UsageError } from '../gpu/errors.js';
import type { BenchCase } from './case.js';
import { ratesOf } from './numbers.js';
import type { BenchRow, PeerName, Peak } from './types.js';

const folder = new URL('../../bench/peers/', import.meta.url);

/** Each peer runs in a process of its own: a module for Node, or a script for Python. */
const programs: Record<PeerName, readonly [command: string, script: string]> = {
  tfjs: [process.execPath, 'tfjs.mjs'],
  'jax-js': [process.execPath, 'jax_js.mjs'],
  torch: ['python3', 'torch_conv2d.py'],
};

/** What a peer prints, a line for each measurement. */
export interface PeerLine {
  /** Name, version and what was switched on. */
  engine: string;
  adapter: string;
  shape: string;
  direction: string;
  ms: number | null;
  runs: number;
  problem?: string;
  note?: string;
}

/**
 * Starts each peer with nothing to do, so that one that cannot run is known before the work begins.
 *
 * Errors: UsageError outside a checkout, which alone has the peers' programs; DeviceError with what
 * is missing and the command that installs it.
 */
export async function checkPeers(names: readonly PeerName[]): Promise<void> {
  if (!existsSync(folder)) {
    throw new UsageError(
      'bench: --against needs a checkout of the repository, the package has no bench/peers',
      'clone the repository and run npm run bench there',
    );
  }
  for (const name of names) await runPeer(name, []);
}

/** Measures the same shapes and directions by other engines; the process of each ends with it. */
export async function measurePeers(
  names: readonly PeerName[],
  cases: readonly BenchCase[],
  peak: Peak,
  say: (text: string) => void,
): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const name of names) {
    say(`measuring ${name}`);
    const wanted = cases.map(({ shape, direction }) => ({ shape, direction }));
    const lines = await runPeer(name, wanted);
    for (const benchCase of cases) {
      const { shape, direction } = benchCase;
      const own = lines.filter((line) => line.shape === shape && line.direction === direction);
      if (own.length === 0) throw new DeviceError(`bench: ${name} did not measure ${shape}`);
      rows.push(...own.map((line) => rowOf(benchCase, line, peak)));
    }
  }
  return rows;
}

function rowOf({ op, shape, direction, cost }: BenchCase, line: PeerLine, peak: Peak): BenchRow {
  const { engine, adapter, ms, runs, problem } = line;
  const note = [line.note, `on ${adapter}`].filter(Boolean).join('; ');
  const rates =
    ms === null ? { ms, gflops: null, gbps: null, percentOfPeak: null } : ratesOf(ms, cost, peak);
  return {
    ...{ op, shape, direction, variant: '–', dtype: 'f32' },
    ...rates,
    ...{ ratioToBest: null, engine, isChosen: false, runs },
    ...(problem === undefined ? {} : { problem }),
    note,
  };
}

/** Starts a peer, hands it the cases and collects its lines. */
function runPeer(
  name: PeerName,
  cases: readonly { shape: string; direction: string }[],
): Promise<PeerLine[]> {
  const [command, script] = programs[name];
  const path = fileURLToPath(new URL(script, folder));
  return new Promise((resolve, reject) => {
    const child = spawn(command, [path], { stdio: ['pipe', 'pipe', 'pipe'] });
    const [output, complaints]: [string[], string[]] = [[], []];
    child.stdout.setEncoding('utf8').on('data', (text: string) => output.push(text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => complaints.push(text));
    child.on('error', (cause) =>
      reject(new DeviceError(`bench: ${name} does not start: ${cause.message}`)),
    );
    child.on('close', (code, signal) => {
      if (code === 0) resolve(parseLines(output.join('')));
      else reject(failureOf(name, code ?? signal, complaints.join('')));
    });
    // A peer that ends early has its own reason, told by its exit code.
    child.stdin.on('error', () => undefined);
    child.stdin.end(JSON.stringify(cases));
  });
}

/** Lines of JSON; libraries may print others, which are passed over. */
export function parseLines(text: string): PeerLine[] {
  const lines = text.split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line) as PeerLine);
}

/** A peer says what is missing in lines that begin with `missing:` and `fix:`. */
function failureOf(name: string, code: number | string | null, complaints: string): DeviceError {
  const missing = /^missing: (.*)$/m.exec(complaints)?.[1];
  const fix = /^fix: (.*)$/m.exec(complaints)?.[1];
  if (missing) return new DeviceError(`bench: ${name}: ${missing}`, fix);
  const last = complaints.trim().split('\n').slice(-5).join('\n');
  return new DeviceError(`bench: ${name} ended with ${code}:\n${last}`);
}
