import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { limit as limitDataset, openDataset, type ImageDataset } from '../data/index.js';
import type { Device } from '../device.js';
import { DataError, UsageError } from '../errors.js';
import { moduleGraph } from '../nn/index.js';
import { modelFileText, readModelFile } from './checkpoint.js';
import { evaluate } from './evaluate.js';
import type { EpochMetrics } from './history.js';
import { loadModel } from './inference.js';
import {
  measure,
  wilsonInterval,
  type Averages,
  type ClassMetrics,
  type Interval,
  type TopK,
} from './metrics.js';
import type { ModelConfig } from './run_config.js';
import type { CheckpointName } from './settings_type.js';

export interface EvaluateRequest {
  data: string;
  /** Of a run folder; by default the one it was judged by. */
  checkpoint?: CheckpointName;
  batchSize: number;
  limit?: number;
  /** A folder to write the report into. */
  report?: string;
  /** Write over a report that is there. */
  force?: boolean;
}

export interface EvaluationDocument {
  /** The file they are in, and their epoch. */
  weights: string;
  loss: number;
  accuracy: number;
  count: number;
  /** Of 95 % confidence. */
  accuracyInterval: Interval;
  topK: TopK[];
  expectedCalibrationError: number;
  classes: ClassMetrics[];
  macro: Averages;
  weighted: Averages;
  confusion: number[][];
  /** What is worth knowing of the data. */
  notes: string[];
  /** The page of the report, where one was asked for. */
  report?: string;
}

/** Evaluates a run on the test set of a dataset, on its validation set where it has none, or on all of it. */
export async function evaluateRun(
  target: string,
  options: EvaluateRequest,
  open: () => Promise<Device>,
): Promise<EvaluationDocument> {
  // Told before any work, not after it.
  checkReportFolder(options);
  const file = readModelFile(target, options.checkpoint);
  const { config, path } = file;
  const [height, width, channels] = config.sourceShape ?? config.imageShape;
  const opened = await openDataset(options.data, {
    imageSize: [height, width],
    channels: channels as 1 | 3,
    classCount: config.classNames.length,
    classNames: config.classNames,
    ...(config.minImages ? { minImages: config.minImages } : {}),
    ...(config.crop === 'roi' ? { crop: config.crop } : {}),
  });
  let dataset: ImageDataset = opened.test ?? opened.validation ?? opened.train;
  checkClasses(target, config, dataset);
  if (options.limit !== undefined && options.limit < dataset.size) {
    dataset = limitDataset(dataset, options.limit, { seed: 0, stratified: true });
  }
  const { device, model } = await loadModel(file, open);
  try {
    const { batchSize } = options;
    const { imageShape: input, normalize, dtype } = config;
    const evaluation = await evaluate(model, dataset, { batchSize, input, normalize, dtype });
    const { loss, accuracy, count } = evaluation;
    const figures = measure(dataset.labels, evaluation, config.classNames);
    const { calibration, topK, classes, macro, weighted, confusion } = figures;
    const document: EvaluationDocument = {
      ...{ weights: modelFileText(file), loss, accuracy, count, topK },
      accuracyInterval: wilsonInterval(accuracy, count),
      expectedCalibrationError: calibration.expectedCalibrationError,
      ...{ classes, macro, weighted, confusion, notes: opened.notes },
    };
    if (options.report === undefined) return document;
    const { writeReportFiles } = await import('./report/index.js');
    const sizes = (tensors: Iterable<{ size: number }>): number =>
      [...tensors].reduce((sum, { size }) => sum + size, 0);
    const [report] = await writeReportFiles(options.report, {
      ...{ config, dataset, evaluation, part: opened.test ? 'test' : 'data' },
      ...{ history: readHistory(dirname(path)), historyPart: config.validateOn ?? 'validation' },
      facts: {
        parameters: sizes(model.stateDict().values()),
        trainableParameters: sizes(model.parameters()),
        adapter: device.info.description,
        trainedAt: statSync(path).mtime,
        notes: [`Judged: ${document.weights}.`, ...opened.notes],
        graph: moduleGraph(model, config.imageShape),
      },
    });
    return { ...document, report };
  } finally {
    device.destroy();
    await dataset.close();
  }
}

function checkReportFolder({ report, force }: EvaluateRequest): void {
  if (report === undefined) {
    if (force) throw new UsageError('evaluate: --force goes with --report');
    return;
  }
  const page = join(report, 'index.html');
  if (force || !existsSync(page)) return;
  throw new UsageError(
    `evaluate: ${page} is there already`,
    'choose another folder for --report, or write over it with --force',
  );
}

/** The epochs of `metrics.csv` beside a checkpoint; none where it is missing. */
function readHistory(folder: string): EpochMetrics[] {
  const path = join(folder, 'metrics.csv');
  if (!existsSync(path)) return [];
  const [head, ...lines] = readFileSync(path, 'utf8').trim().split('\n');
  const names = head.split(',');
  return lines.map((line) => {
    const values = line.split(',').map(Number);
    return Object.fromEntries(names.map((name, i) => [name, values[i]])) as unknown as EpochMetrics;
  });
}

/** The classes of the data must be those of the network, in the same order; it may have more. */
function checkClasses(target: string, { classNames }: ModelConfig, dataset: ImageDataset): void {
  const names = dataset.classNames;
  if (names.length > classNames.length) {
    throw new DataError(
      `evaluate: ${target} knows ${classNames.length} classes, ${dataset.name} has ${names.length}`,
      'evaluate on data with the classes it was trained on',
    );
  }
  const strange = names.findIndex((name, k) => name !== classNames[k]);
  if (strange === -1) return;
  throw new DataError(
    `evaluate: class ${strange} of ${target} is "${classNames[strange]}", of ${dataset.name} "${names[strange]}"`,
    'evaluate on data with the classes it was trained on, in folders of the same names',
  );
}
