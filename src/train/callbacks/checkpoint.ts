import { join } from 'node:path';
import { UsageError } from '../../errors.js';
import { epochsSinceBest, type Criterion } from '../history.js';
import {
  OwnCallback,
  type Callback,
  type FitEnd,
  type FitRun,
  type LiveProgress,
} from './callback.js';

export interface CheckpointOptions {
  /** Default: the run folder, `out` of fit. */
  folder?: string | undefined;
  /** Seconds after which `last.safetensors` is written within an epoch too. Default 60. */
  every?: number | undefined;
  /** What makes an epoch the best: see `earlyStopping`. Default 'accuracy'. */
  by?: Criterion | undefined;
}

export class Checkpoint extends OwnCallback {
  override readonly turn = 'save';
  /** Null for the run folder. */
  readonly folder: string | null;
  private readonly every: number;
  private readonly by: Criterion;
  private savedAt = performance.now();

  constructor({ folder, every = 60, by = 'accuracy' }: CheckpointOptions) {
    super();
    if (!(every >= 0)) {
      throw new UsageError(`checkpoint: every: expected seconds of at least 0, got ${every}`);
    }
    this.folder = folder ?? null;
    this.every = every;
    this.by = by;
  }

  override onBegin(run: FitRun): void {
    this.folderOf(run);
    this.savedAt = performance.now();
  }

  override async onProgress({ phase }: LiveProgress, run: FitRun): Promise<void> {
    if (phase !== 'train' || performance.now() - this.savedAt <= 1000 * this.every) return;
    await this.save(run);
  }

  override async onEpoch(_row: unknown, run: FitRun): Promise<void> {
    const isBest = epochsSinceBest(run.history, this.by) === 0;
    await this.save(run, isBest ? ['best', 'last'] : ['last']);
  }

  override async onEnd(end: FitEnd, run: FitRun): Promise<void> {
    // At the end of an epoch all is saved.
    if (end === 'interrupted' || run.batch > 0) await this.save(run);
  }

  async save(run: FitRun, names: readonly string[] = ['last']): Promise<void> {
    const folder = this.folderOf(run);
    await run.save(...names.map((name) => join(folder, `${name}.safetensors`)));
    this.savedAt = performance.now();
  }

  private folderOf({ out }: FitRun): string {
    const folder = this.folder ?? out;
    if (folder !== null) return folder;
    throw new UsageError(
      'checkpoint: expected a folder, the run has none',
      "give it one: checkpoint({ folder: 'runs/1' }), or give fit the option out",
    );
  }
}

/**
 * Saves `last.safetensors` (weights, optimizer, progress) after each epoch, within epochs every so
 * many seconds, and when the run is stopped; and `best.safetensors` after an epoch that is the best
 * so far. `fit` with `out` has one by itself, so that this is for another folder or interval.
 *
 * Errors: UsageError for a negative interval, and in a run where neither names a folder.
 *
 * @example
 * await fit(model, data, { callbacks: [checkpoint({ folder: 'runs/digits', every: 300 })] });
 */
export function checkpoint(options: CheckpointOptions = {}): Callback {
  return new Checkpoint(options);
}
