import { UsageError } from '../../errors.js';
import { epochsSinceBest, type Criterion } from '../history.js';
import { OwnCallback, type Callback, type FitRun } from './callback.js';

export interface EarlyStoppingOptions {
  /** Epochs on end without a better one after which the run ends: a whole number from 1. */
  patience: number;
  /**
   * What epochs are judged by: the loss, or the accuracy, of the validation; of the training where
   * there is no validation. Default 'loss'.
   */
  by?: Criterion | undefined;
}

class EarlyStopping extends OwnCallback {
  override readonly turn = 'decide';

  constructor(private readonly options: EarlyStoppingOptions) {
    super();
    const { patience } = options;
    if (Number.isSafeInteger(patience) && patience >= 1) return;
    throw new UsageError(
      `earlyStopping: patience: expected a whole number from 1, got ${patience}`,
    );
  }

  /** A run that is resumed may have ended so before. */
  override onBegin(run: FitRun): void {
    const { patience, by = 'loss' } = this.options;
    if (run.batch > 0 || run.epoch >= run.epochs) return;
    if (epochsSinceBest(run.history, by) >= patience) run.stop('no better');
  }

  override onEpoch(_row: unknown, run: FitRun): void {
    this.onBegin(run);
  }
}

/**
 * Ends a run after `patience` epochs without a better one; its end is then 'no better'.
 *
 * Errors: UsageError for a patience that is not a whole number from 1.
 */
export function earlyStopping(options: EarlyStoppingOptions): Callback {
  return new EarlyStopping(options);
}
