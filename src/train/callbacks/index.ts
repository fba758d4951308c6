export {
  Callback,
  OwnCallback,
  type FitEnd,
  type FitRun,
  type LiveProgress,
  type StepMetrics,
  type ValidationResult,
} from './callback.js';
export { checkpoint, Checkpoint, type CheckpointOptions } from './checkpoint.js';
export { earlyStopping, type EarlyStoppingOptions } from './early_stopping.js';
export { CallbackError } from './hooks.js';
export { progress, type ProgressOptions } from './progress_line.js';
export {
  reduceOnPlateau,
  ReduceOnPlateau,
  type ReduceOnPlateauOptions,
} from './reduce_on_plateau.js';
export { Tables } from './tables.js';
export { tensorBoard, type TensorBoardOptions } from './tensor_board.js';
