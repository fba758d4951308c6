import type { Device } from '../device.js';
import { DeviceError, UsageError } from '../gpu/errors.js';
import type { BenchCase, RecordCase } from './case.js';
import { opCases } from './op_cases.js';
import { measureCase, type CaseSettings } from './measure_case.js';
import { withRatios } from './numbers.js';
import { measureOptimizers } from './optimizers.js';
import { peakOf } from './peak.js';
import { checkPeers, measurePeers } from './peers.js';
import { metasOf, openRecordCase } from './record_runner.js';
import { checkRequest, directionsOf } from './request.js';
import { shapesOf } from './shapes.js';
import { timingSource } from './timing.js';
import { tuneCases } from './tune_cases.js';
import type { BenchDocument, BenchRequest, BenchRow, Peak } from './types.js';

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
): Promise<BenchReport> {
  checkRequest(request);
  if (request.against) await checkPeers(request.against);
  const { runtime, info } = device;
  if (request.dtype === 'f16' && !info.features.includes('shader-f16')) {
    throw new DeviceError(
      `bench: ${info.description} has no shader-f16`,
      'use --dtype f32, or another adapter',
    );
  }
  const cases = casesOf(request, info.isSoftware);
  if (info.isSoftware) {
    say(`${info.description} is a software adapter: timings are not meaningful for GPUs`);
  }
  const tuning =
    request.tune && cases.length > 0 ? (await tuneCases(device, cases, say)).kernels : null;
  say('measuring the peak of this adapter');
  const peak = await peakOf(runtime);
  const { rows, ...rest } = await measureRequest(device, request, cases, peak, say);
  if (request.against) rows.push(...(await measurePeers(request.against, cases, peak, say)));
  return {
    document: {
      adapter: info.description,
      isSoftware: info.isSoftware,
      timing: timingSource(runtime, request.op === 'train' || request.against !== undefined),
      peak,
      results: withRatios(rows),
      ...(tuning ? { tuning } : {}),
      ...rest,
    },
    isRight: rows.every((row) => row.problem === undefined),
  };
}

async function measureRequest(
  device: Device,
  request: BenchRequest,
  cases: readonly BenchCase[],
  peak: Peak,
  say: (text: string) => void,
): Promise<Pick<BenchDocument, 'training' | 'profile' | 'tuning'> & { rows: BenchRow[] }> {
  const { op } = request;
  const variant = request.variant === 'all' ? undefined : request.variant;
  if (op === 'train') {
    const { measureTraining } = await import('./training.js');
    return measureTraining(device, request, peak, say);
  }
  if (op === 'optimizer') {
    const shapes = shapesOf(op, request, device.info.isSoftware);
    return { rows: await measureOptimizers(device, shapes, { variant, peak, say }) };
  }
  const settings = { variant, peak, isWallClock: request.against !== undefined };
  return { rows: await measureCases(device, op, cases, settings, say) };
}

/** Every shape and direction of an op that is measured by its record. */
function casesOf(request: BenchRequest, isSoftware: boolean): BenchCase[] {
  const { op, dtype = 'f32' } = request;
  if (op === 'train' || op === 'optimizer') return [];
  const shapes = shapesOf(op, request, isSoftware);
  const { directions, build } = opCases[op];
  return shapes.flatMap((shape) =>
    directionsOf(directions, request.direction).map((direction): BenchCase => {
      const { cost, ...recordCase } = build(shape, direction, dtype);
      if (dtype === 'f16') expectHalves(op, recordCase);
      const open = (device: Device) => openRecordCase(device, recordCase);
      return { op, shape: shape.join(), direction, dtype, cost, open };
    }),
  );
}

/** An op has an f16 path where its shape rule takes f16 inputs. */
function expectHalves(op: string, recordCase: RecordCase): void {
  try {
    recordCase.record.shape(metasOf(recordCase), recordCase.options);
  } catch {
    throw new UsageError(`bench ${op}: there are no f16 kernels`, 'use --dtype f32');
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
  for (const [i, benchCase] of cases.entries()) {
    say(`${i + 1}/${cases.length} ${op} ${benchCase.shape} ${benchCase.direction}`);
    const found = await measureCase(device, benchCase, settings);
    rows.push(...found.rows);
    for (const name of found.names) seen.add(name);
    if (variant && found.rows.length === 0) {
      say(`  no kernel ${variant} here; there are ${found.names.join(', ')}`);
    }
  }
  if (variant && !seen.has(variant)) {
    throw new UsageError(
      `bench ${op}: no kernel named "${variant}" for these shapes; there are ${[...seen].join(', ')}`,
    );
  }
  return rows;
}
