import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Device } from '../device.js';
import { UsageError, type DeviceError } from '../errors.js';
import type { GpuArray } from '../gpu/array.js';
import type { BenchCase, CaseRunner } from './case.js';
import { ratesOf } from './numbers.js';
import {
  MissingPeer,
  PeerProcess,
  type ConvolutionJob,
  type PeerCommand,
  type PeerLine,
} from './peer_process.js';
import type { BenchRow, Comparison, PeerName, Peak } from './types.js';

const folder = new URL('../../bench/peers/', import.meta.url);
const script = (name: string): string => fileURLToPath(new URL(name, folder));

/** Null for an engine that has no program for what is asked. */
export type PeerCommands = Readonly<Record<PeerName, PeerCommand | null>>;

/** Python would keep compiled modules beside the scripts. */
const python = (name: string): PeerCommand => [
  process.env.TILEGRAD_PYTHON ?? 'python3',
  '-B',
  script(name),
];

/** How each peer is started: a module for Node, or a script for Python. */
export const peerCommands: PeerCommands = {
  tfjs: [process.execPath, script('tfjs.mjs')],
  'jax-js': [process.execPath, script('jax_js.mjs')],
  torch: python('torch_conv2d.py'),
};

/** The same for whole training steps. */
export const trainerCommands: PeerCommands = {
  tfjs: [process.execPath, script('tfjs_train.mjs')],
  'jax-js': null,
  torch: python('torch_train.py'),
};

/**
 * How many times the error bound of one result its difference from ours may reach. Two right ones
 * differ by twice the bound. cuDNN and oneDNN may choose Winograd, which has 47 times the error.
 */
const slacks: Readonly<Record<PeerName, number>> = { tfjs: 2, 'jax-js': 2, torch: 48 };
/** TF32 keeps 10 bits of the fraction where f32 has 23. */
const REDUCED_SLACK = 2 ** 13;

/**
 * Starts each peer without a job, so that peers that cannot run are known before the work begins.
 * Prints one line for each missing peer; the others continue.
 *
 * Errors: UsageError outside a checkout, which alone has the peers' programs.
 */
export async function findPeers(
  names: readonly PeerName[],
  say: (text: string) => void,
  commands = peerCommands,
): Promise<{ ready: PeerName[]; missing: Comparison['missing'] }> {
  if (!existsSync(folder)) {
    throw new UsageError(
      'bench: --against needs a checkout of the repository, the package has no bench/peers',
      'clone the repository and run npm run bench there',
    );
  }
  const ready: PeerName[] = [];
  const missing: Comparison['missing'] = [];
  for (const peer of names) {
    const command = commands[peer];
    try {
      if (!command) throw new MissingPeer(`${peer}: it has no training here, only convolutions`);
      await new PeerProcess(peer, command).close();
      ready.push(peer);
    } catch (error) {
      const { message, fix } = error as DeviceError;
      const reason = message.split('\n')[0].replace(`${peer}: `, '');
      missing.push({ peer, reason: fix ? `${reason}; to install it: ${fix}` : reason });
      say(`goes on without ${peer}: ${missing.at(-1)!.reason}`);
    }
  }
  return { ready, missing };
}

export interface PeerSettings {
  peak: Peak;
  say: (text: string) => void;
  commands?: PeerCommands;
}

/**
 * Measures the same convolutions by other engines, one engine after the other, each on the operands
 * that we computed with, and compares the results. One that differs has no speed.
 */
export async function measurePeers(
  device: Device,
  names: readonly PeerName[],
  cases: readonly BenchCase[],
  { peak, say, commands = peerCommands }: PeerSettings,
): Promise<BenchRow[]> {
  const place = mkdtempSync(join(tmpdir(), 'tilegrad-peers-'));
  const rows: BenchRow[] = [];
  try {
    for (const name of names) {
      let peer: PeerProcess | null = null;
      try {
        for (const [i, benchCase] of cases.entries()) {
          say(`${name} ${i + 1}/${cases.length} ${benchCase.shape} ${benchCase.direction}`);
          peer ??= new PeerProcess(name, commands[name]!);
          const found = await measureByPeer(device, peer, benchCase, { peak, place });
          rows.push(...found.rows);
          // A peer that failed is restarted for the next case.
          if (found.isBroken) peer = null;
        }
        await peer?.close();
        peer = null;
      } finally {
        peer?.kill();
      }
    }
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
  return rows;
}

async function measureByPeer(
  device: Device,
  peer: PeerProcess,
  benchCase: BenchCase,
  { peak, place }: { peak: Peak; place: string },
): Promise<{ rows: BenchRow[]; isBroken: boolean }> {
  const runner = benchCase.open(device);
  try {
    const [result] = runner.run();
    const ours = await valuesOf(device, result);
    result.release();
    const lines = await peer.measure(await jobOf(device, benchCase, runner, place));
    const rows = lines.map((line) => {
      const check = (got: Float32Array) => compare(peer.name as PeerName, line, runner, got, ours);
      return rowOf(benchCase, line, peak, check);
    });
    return { rows, isBroken: false };
  } catch (error) {
    const problem = (error instanceof Error ? error.message : String(error)).split('\n')[0];
    const line = { engine: peer.name, adapter: '', ms: null, runs: 0, problem };
    peer.kill();
    return { rows: [rowOf(benchCase, line, peak)], isBroken: true };
  } finally {
    runner.close();
    await device.sync();
  }
}

async function jobOf(
  device: Device,
  { shape, direction, convolution }: BenchCase,
  { operands }: CaseRunner,
  place: string,
): Promise<ConvolutionJob> {
  const { geometry, padding } = convolution!;
  const { n, h, w, c, k, r, p, q, strideH: stride, groups } = geometry;
  const files = { x: join(place, 'x'), filter: join(place, 'filter'), dy: join(place, 'dy') };
  writeFileSync(files.x, await valuesOf(device, operands.x));
  writeFileSync(files.filter, await valuesOf(device, operands.w));
  // The forward direction has none, and is measured without.
  if (operands.dy) writeFileSync(files.dy, await valuesOf(device, operands.dy));
  const isDepthwise = groups > 1;
  const numbers = { n, h, w, c, k, r, stride, p, q };
  const output = join(place, 'result');
  return { shape, direction, ...numbers, padding, isDepthwise, files, output };
}

async function valuesOf(device: Device, array: GpuArray): Promise<Float32Array> {
  return new Float32Array(await device.runtime.read(array));
}

/** The relative error of a peer's result, and what is wrong with it if anything is. */
function compare(
  peer: PeerName,
  { isReduced }: PeerLine,
  runner: CaseRunner,
  got: Float32Array,
  ours: Float32Array,
): { relativeError: number; problem: string | null } {
  if (got.length !== ours.length) {
    return { relativeError: NaN, problem: `${got.length} values, we have ${ours.length}` };
  }
  let [largest, difference] = [0, 0];
  for (let i = 0; i < ours.length; i++) {
    largest = Math.max(largest, Math.abs(ours[i]));
    // NaN on either side stays NaN.
    difference = Math.max(difference, Math.abs(got[i] - ours[i]));
  }
  const relativeError = difference / largest;
  const allowed = (isReduced ? REDUCED_SLACK : slacks[peer]) * runner.allowed(ours, 0);
  if (difference <= allowed) return { relativeError, problem: null };
  const most = (allowed / largest).toExponential(1);
  return {
    relativeError,
    problem: `disagrees with tilegrad: relative error ${relativeError.toExponential(1)}, allowed ${most}`,
  };
}

function rowOf(
  { op, shape, direction, cost }: BenchCase,
  line: PeerLine,
  peak: Peak,
  check?: (got: Float32Array) => { relativeError: number; problem: string | null },
): BenchRow {
  const { engine, adapter, runs, output, isReduced } = line;
  const note = [line.note, adapter && `on ${adapter}`].filter(Boolean).join('; ');
  const result = output && check?.(readFloats(output));
  const unchecked = line.ms !== null && !result ? 'it gave no result to compare' : null;
  const problem = line.problem ?? (result ? result.problem : unchecked);
  const ms = problem ? null : line.ms;
  const rates =
    ms === null ? { ms, gflops: null, gbps: null, percentOfPeak: null } : ratesOf(ms, cost, peak);
  return {
    ...{ op, shape, direction, variant: '–', dtype: 'f32' },
    ...rates,
    ...{ ratioToBest: null, engine, isChosen: false, runs },
    ...(result ? { relativeError: result.relativeError } : {}),
    ...(isReduced ? { isReduced } : {}),
    ...(problem ? { problem } : {}),
    ...(note ? { note } : {}),
  };
}

function readFloats(path: string): Float32Array {
  const { buffer, byteOffset, byteLength } = readFileSync(path);
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
}
