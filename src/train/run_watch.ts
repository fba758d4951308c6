import {
  OwnCallback,
  type FitRun,
  type StepMetrics,
  type ValidationResult,
} from './callbacks/callback.js';
import type { Evaluation } from './evaluate.js';

/** Steps whose losses are kept; of a longer run those of every second, fourth … step. */
const MOST_STEPS = 20_000;

/** What the report of a run is made of, kept while it trains: also of one that is interrupted. */
export class RunWatch extends OwnCallback {
  /** Losses of single steps since this process took the run up. */
  readonly steps: { step: number; loss: number }[] = [];
  private stride = 1;
  /** The validation of the last epoch that was finished, and its number. */
  validated: { evaluation: Evaluation; epoch: number } | null = null;

  override onStep({ step, loss }: StepMetrics): void {
    if (step % this.stride !== 0) return;
    this.steps.push({ step, loss });
    if (this.steps.length < MOST_STEPS) return;
    this.stride *= 2;
    const kept = this.steps.filter((one) => one.step % this.stride === 0);
    this.steps.splice(0, this.steps.length, ...kept);
  }

  override onValidation(
    { evaluation, isWithinEpoch }: ValidationResult,
    run: Pick<FitRun, 'epoch'>,
  ): void {
    // It comes before the epoch counts as done.
    if (!isWithinEpoch) this.validated = { evaluation, epoch: run.epoch + 1 };
  }
}
