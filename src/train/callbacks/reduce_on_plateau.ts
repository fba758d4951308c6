import { schedule, type Plateau, type PlateauOptions } from '../../optim/index.js';
import { judged, type Criterion, type EpochMetrics } from '../history.js';
import { OwnCallback, type Callback, type FitRun } from './callback.js';

export interface ReduceOnPlateauOptions extends Omit<PlateauOptions, 'mode'> {
  /** See `earlyStopping`. Default 'loss'. */
  by?: Criterion | undefined;
}

/** Judges each epoch by a plateau, which the learning rate follows. */
export class ReduceOnPlateau extends OwnCallback {
  override readonly turn = 'decide';
  private plateau: Plateau | null;

  constructor(private readonly rule: ReduceOnPlateauOptions | { plateau: Plateau }) {
    super();
    this.plateau = 'plateau' in rule ? rule.plateau : null;
  }

  override onBegin(run: FitRun): void {
    const { rule } = this;
    if (!('plateau' in rule)) {
      const { by, ...options } = rule;
      const mode = by === 'accuracy' ? 'max' : 'min';
      this.plateau = schedule.reduceOnPlateau(run.baseLearningRate, { ...options, mode });
    }
    run.follow(this.plateau!);
  }

  override onEpoch(row: EpochMetrics): void {
    const by = 'plateau' in this.rule ? undefined : this.rule.by;
    this.plateau!.update(judged(row, by ?? 'loss'));
  }
}

/**
 * Lowers the learning rate when epochs have stopped getting better, as optim.schedule.reduceOnPlateau
 * does, whose options it takes: after more than `patience` of them the rate is multiplied by `factor`.
 * It begins with the rate of the optimizer, and needs `schedule: 'constant'`.
 */
export function reduceOnPlateau(options: ReduceOnPlateauOptions = {}): Callback {
  return new ReduceOnPlateau(options);
}
