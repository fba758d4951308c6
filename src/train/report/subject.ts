import type { ImageDataset } from '../../data/index.js';
import type { ModuleGraph } from '../../nn/index.js';
import type { Evaluation } from '../evaluate.js';
import type { EpochMetrics } from '../history.js';
import type { ModelConfig, RunConfig } from '../run_config.js';

/** What is known of a run beside its settings; everything may be missing. */
export interface ReportFacts {
  parameters?: number;
  trainableParameters?: number;
  adapter?: string;
  /** When the training ended. */
  trainedAt?: Date;
  /** What the reader should know of the data, such as images that were skipped. */
  notes?: readonly string[];
  /** The network, to be drawn. */
  graph?: ModuleGraph;
}

/** What a report is about. */
export interface ReportSubject {
  /** Settings, all of which are printed; those of a bare weights file may be few. */
  config: ModelConfig & Partial<RunConfig>;
  history: readonly EpochMetrics[];
  /** Losses of single steps, counted from 1 since the run began, where they are known. */
  steps?: readonly { step: number; loss: number }[];
  /** The examples that `evaluation` is of, in its order. */
  dataset: ImageDataset;
  evaluation: Evaluation;
  /** What `dataset` is: the data's own test set, what was held out, the training set, or any data. */
  part: 'test' | 'validation' | 'training' | 'data';
  /** What the history was judged by, where that is something else. */
  historyPart?: 'test' | 'validation' | 'training' | 'data';
  facts?: ReportFacts;
}
