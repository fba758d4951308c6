import { writeHistory, writeValidations } from '../history.js';
import { OwnCallback, type FitRun, type ValidationResult } from './callback.js';

/** Writes `metrics.csv`, and `validation.csv` where a run is validated within epochs. */
export class Tables extends OwnCallback {
  constructor(private readonly folder: string) {
    super();
  }

  /** The tables as the checkpoint has them: a run may be killed between the two. */
  override onBegin({ history, validations }: FitRun): void {
    if (history.length > 0) writeHistory(this.folder, history);
    if (validations.length > 0) writeValidations(this.folder, validations);
  }

  override onValidation({ isWithinEpoch }: ValidationResult, { validations }: FitRun): void {
    if (isWithinEpoch) writeValidations(this.folder, validations);
  }

  override onEpoch(_row: unknown, { history }: FitRun): void {
    writeHistory(this.folder, history);
  }
}
