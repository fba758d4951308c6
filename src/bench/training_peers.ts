import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Device } from '../device.js';
import { PeerProcess, type PeerLine, type TrainingJob } from './peer_process.js';
import type { PeerCommands } from './peers.js';
import {
  compareLosses,
  lossTarget,
  reducedAllowance,
  UPDATES,
  type LossTarget,
} from './training_losses.js';
import { planOf } from './training_program.js';
import type { BenchRequest, BenchRow, Comparison, PeerName } from './types.js';

interface TrainerSettings {
  /** Our row; those of other engines are added. */
  rows: BenchRow[];
  say: (text: string) => void;
  commands: PeerCommands;
}

/**
 * Trains the same network in other engines, one after the other, from our weights, on our batch and
 * by our optimizer, without dropout, and compares their losses with ours. One that differs has no
 * speed.
 */
export async function compareTrainers(
  device: Device,
  names: readonly PeerName[],
  request: BenchRequest,
  { rows, say, commands }: TrainerSettings,
): Promise<{ losses: NonNullable<Comparison['losses']> }> {
  const plan = planOf(request);
  const own = rows[0];
  const target = await lossTarget(device, plan, say);
  if (!target.isSteady) say('rounding alone changes these losses: the comparison tells little');
  own.training!.losses = target.losses;
  own.note = `${own.note}; dropout is off in every engine`;
  const place = mkdtempSync(join(tmpdir(), 'tilegrad-trainers-'));
  try {
    const job = jobOf(target, place);
    for (const name of names) {
      say(`${name} train ${plan.name}, batch ${plan.batchSize}`);
      for (const line of await answersOf(name, commands, job)) {
        rows.push(await rowOf(device, line, own, target));
      }
    }
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
  const { optimizer, lr } = target.plan.settings;
  return { losses: { optimizer, lr, usualLr: plan.settings.lr, allowed: target.allowed } };
}

async function answersOf(
  name: PeerName,
  commands: PeerCommands,
  job: TrainingJob,
): Promise<PeerLine[]> {
  const peer = new PeerProcess(name, commands[name]!);
  try {
    const lines = await peer.measure(job);
    await peer.close();
    return lines;
  } catch (error) {
    const problem = (error instanceof Error ? error.message : String(error)).split('\n')[0];
    return [{ engine: name, adapter: '', ms: null, runs: 0, problem }];
  } finally {
    peer.kill();
  }
}

function jobOf({ plan, weights, images, labels }: LossTarget, place: string): TrainingJob {
  const files = {
    weights: join(place, 'weights'),
    images: join(place, 'images'),
    labels: join(place, 'labels'),
  };
  let offset = 0;
  const entries = [...weights].map(([name, { shape, data }]) => {
    const entry = { name, shape, offset };
    offset += data.length;
    return entry;
  });
  const values = new Float32Array(offset);
  for (const entry of entries) values.set(weights.get(entry.name)!.data, entry.offset);
  writeFileSync(files.weights, values);
  // The pixels in [0, 1] that the network sees of these bytes.
  writeFileSync(
    files.images,
    Float32Array.from(images, (byte) => byte / 255),
  );
  writeFileSync(files.labels, labels);
  const { name: model, batchSize, input, classes, settings } = plan;
  // What createOptimizer takes where nothing else is said.
  const rule = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, momentum: 0.9 };
  const optimizer = { name: settings.optimizer, lr: settings.lr, ...rule };
  return { model, batchSize, input, classes, optimizer, updates: UPDATES, weights: entries, files };
}

async function rowOf(
  device: Device,
  line: PeerLine,
  own: BenchRow,
  target: LossTarget,
): Promise<BenchRow> {
  const { engine, adapter, runs, isReduced, losses, firstStepMs, peakBytes, memoryOf } = line;
  const allowed = isReduced ? await reducedAllowance(device, target) : target.allowed;
  const result = losses
    ? compareLosses(
        losses.map((loss) => loss ?? NaN),
        { losses: target.losses, allowed },
      )
    : null;
  const unchecked = result ? result.problem : 'it gave no losses to compare';
  const problem = line.problem ?? unchecked;
  const ms = problem ? null : line.ms;
  const { batchSize } = target.plan;
  const memory = memoryOf && `memory: ${memoryOf}`;
  const note = [line.note, adapter && `on ${adapter}`, memory].filter(Boolean).join('; ');
  return {
    ...{ op: own.op, shape: own.shape, direction: own.direction, variant: own.variant },
    ...{ dtype: own.dtype, ms, gflops: null, gbps: null, percentOfPeak: null },
    ...{ ratioToBest: null, engine, isChosen: false, runs },
    training: {
      imagesPerSecond: ms === null ? null : (1000 * batchSize) / ms,
      ...{ firstStepMs: firstStepMs ?? null, peakBytes: peakBytes ?? null },
      memoryOf: memoryOf ?? '',
      ...(losses ? { losses } : {}),
    },
    ...(result ? { relativeError: result.relativeError } : {}),
    ...(isReduced ? { isReduced } : {}),
    ...(problem ? { problem } : {}),
    ...(note ? { note } : {}),
  };
}
