/** `tilegrad/train`: training, evaluation and prediction, with callbacks. */
export {
  Callback,
  CallbackError,
  checkpoint,
  earlyStopping,
  progress,
  reduceOnPlateau,
  tensorBoard,
  type CheckpointOptions,
  type EarlyStoppingOptions,
  type FitEnd,
  type FitRun,
  type LiveProgress,
  type ProgressOptions,
  type ReduceOnPlateauOptions,
  type StepMetrics,
  type TensorBoardOptions,
  type ValidationResult,
} from '../train/callbacks/index.js';
export { evaluate, type EvaluateOptions, type Evaluation } from '../train/evaluate.js';
export { fit } from '../train/fit.js';
export type { FitData, FitOptions, History, ImageOptions } from '../train/fit_options.js';
export type { Criterion, EpochMetrics, ValidationMetrics } from '../train/history.js';
export { predict, type Prediction, type PredictOptions } from '../train/inference.js';
export type { Normalization } from '../train/normalization.js';
