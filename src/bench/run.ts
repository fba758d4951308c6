import type { Device } from '../device.js';
import { DeviceError, UsageError } from '../errors.js';
import { figuresOf } from '../tune/report.js';
import type { BenchCase, RecordCase } from './case.js';
import { opCases } from './op_cases.js';
import { measureCase, type CaseSettings } from './measure_case.js';
import { compareEngines } from './comparison.js';
import { withRatios } from './numbers.js';
import { measureOptimizers } from './optimizers.js';
import { peakOf } from './peak.js';
import {
  findPeers,
  measurePeers,
  peerCommands,
  trainerCommands,
  type PeerCommands,
} from './peers.js';
import { metasOf, openRecordCase } from './record_runner.js';
import { checkRequest, directionsOf } from './request.js';
import { shrinkSuite } from './scale.js';
import { shapesOf } from './shapes.js';
import { timingSource } from './timing.js';
import { tuneCases } from './tune_cases.js';
import type { BenchDocument, BenchRequest, BenchRow, Comparison, Peak, PeerName } from './types.js';

export interface BenchReport {
  document: BenchDocument;
  /** False where a kernel gave a wrong result, or a peer failed. */
  isRight: boolean;
}

/** Measures what a request asks for; `say` gets a line for each case, and warnings. */
export async function runBench(
  device: Device,
  request: BenchRequest,
  say: (text: string) => void,
  commands: PeerCommands = request.op === 'train' ? trainerCommands : peerCommands,
): Promise<BenchReport> {
  checkRequest(request);
  const peers = request.against ? await findPeers(request.against, say, commands) : null;
  const { runtime, info } = device;
  if (request.dtype === 'f16' && !info.features.includes('shader-f16')) {
    throw new DeviceError(
      `bench: ${info.description} has no shader-f16`,
      'use --dtype f32, or another adapter',
    );
  }
  const { shapes, scale } = scaledShapes(request, info.isSoftware);
  for (const note of scale?.notes ?? []) say(`--scale ${scale!.name}: ${note}`);
  const cases = casesOf(request, shapes, say);
  if (info.isSoftware) {
    say(`${info.description} is a software adapter: timings are not meaningful for GPUs`);
  }
  const report = request.tune && cases.length > 0 ? await tuneCases(device, cases, say) : null;
  const tuning = report && figuresOf(report);
  say('measuring the peak of this adapter');
  const peak = await peakOf(runtime);
  const { rows, ...rest } = await measureRequest(device, request, { cases, shapes, peak, say });
  const comparison = peers
    ? await compare(device, request, peers, { cases, rows, peak, say, commands })
    : null;
  return {
    document: {
      adapter: info.description,
      isSoftware: info.isSoftware,
      timing: timingSource(runtime, request.op === 'train' || request.against !== undefined),
      peak,
      results: withRatios(rows),
      ...(tuning ? { tuning } : {}),
      ...(scale ? { scale } : {}),
      ...(comparison ? { comparison } : {}),
      ...rest,
    },
    isRight: rows.every((row) => row.problem === undefined),
  };
}

/** Adds the rows of other engines, and what they come to. */
async function compare(
  device: Device,
  request: BenchRequest,
  { ready, missing }: { ready: PeerName[]; missing: Comparison['missing'] },
  work: Omit<Work, 'shapes'> & { rows: BenchRow[]; commands: PeerCommands },
): Promise<Comparison> {
  const { cases, rows, ...settings } = work;
  if (request.op !== 'train') {
    rows.push(...(await measurePeers(device, ready, cases, settings)));
    return compareEngines(rows, missing);
  }
  const { compareTrainers } = await import('./training_peers.js');
  const { losses } = await compareTrainers(device, ready, request, { ...settings, rows });
  return { ...compareEngines(rows, missing), losses };
}

interface Work {
  cases: readonly BenchCase[];
  shapes: readonly string[];
  peak: Peak;
  say: (text: string) => void;
}

async function measureRequest(
  device: Device,
  request: BenchRequest,
  { cases, shapes, peak, say }: Work,
): Promise<Pick<BenchDocument, 'training' | 'profile' | 'step' | 'tuning'> & { rows: BenchRow[] }> {
  const { op, explain: isExplained = false } = request;
  const variant = request.variant === 'all' ? undefined : request.variant;
  if (op === 'train') {
    const { measureTraining } = await import('./training.js');
    return measureTraining(device, request, peak, say);
  }
  if (op === 'optimizer') {
    return { rows: await measureOptimizers(device, shapes, { variant, peak, say }) };
  }
  const settings = { variant, peak, isWallClock: request.against !== undefined, isExplained };
  return { rows: await measureCases(device, op, cases, settings, say) };
}

function scaledShapes(
  request: BenchRequest,
  isSoftware: boolean,
): { shapes: readonly string[]; scale?: NonNullable<BenchDocument['scale']> } {
  const { op, scale = 'full' } = request;
  if (op === 'train') return { shapes: [] };
  const shapes = shapesOf(op, request, isSoftware);
  if (op === 'optimizer' || scale === 'full') return { shapes };
  const { shapes: small, notes } = shrinkSuite(op, shapes);
  return { shapes: small, scale: { name: scale, notes } };
}

/** Every shape and direction of an op that is measured by its record. */
function casesOf(
  request: BenchRequest,
  shapes: readonly string[],
  say: (text: string) => void,
): BenchCase[] {
  const { op, dtype = 'f32' } = request;
  if (op === 'train' || op === 'optimizer') return [];
  const { directions, build } = opCases[op];
  const usable = shapes.filter((shape) => {
    const takes = dtype === 'f32' || hasHalves(build(shape, 'forward', dtype));
    if (!takes) say(`left out ${shape}: there are no f16 kernels for it`);
    return takes;
  });
  if (usable.length === 0) {
    throw new UsageError(`bench ${op}: there are no f16 kernels`, 'use --dtype f32');
  }
  return usable.flatMap((shape) =>
    directionsOf(directions, request.direction).map((direction): BenchCase => {
      const { cost, ...recordCase } = build(shape, direction, dtype);
      const { convolution, unsupportedReason } = recordCase;
      const open = (device: Device) => openRecordCase(device, recordCase);
      return { op, shape, direction, dtype, cost, convolution, unsupportedReason, open };
    }),
  );
}

/** An op has an f16 path where its shape rule takes f16 inputs. */
function hasHalves(recordCase: RecordCase): boolean {
  try {
    recordCase.record.shape(metasOf(recordCase), recordCase.options);
    return true;
  } catch {
    return false;
  }
}

async function measureCases(
  device: Device,
  op: string,
  cases: readonly BenchCase[],
  settings: CaseSettings,
  say: (text: string) => void,
): Promise<BenchRow[]> {
  const { variant } = settings;
  const rows: BenchRow[] = [];
  const seen = new Set<string>();
  let reason = '';
  for (const [i, benchCase] of cases.entries()) {
    say(`${i + 1}/${cases.length} ${op} ${benchCase.shape} ${benchCase.direction}`);
    const found = await measureCase(device, benchCase, settings);
    rows.push(...found.rows);
    for (const name of found.names) seen.add(name);
    if (variant && found.rows.length === 0) {
      const why = benchCase.unsupportedReason?.(variant, device);
      reason = why ? `, ${why}` : '';
      say(`  ${variant} does not fit${reason}; there are ${found.names.join(', ')}`);
    }
  }
  if (variant && rows.length === 0) {
    throw new UsageError(
      `bench ${op}: no kernel named "${variant}" for these shapes${reason}; there are ${[...seen].join(', ')}`,
    );
  }
  return rows;
}
