import { join } from 'node:path';
import sharp from 'sharp';
import { writeFileAtomically } from '../../io/atomic_file.js';
import { confusedPairs, measure, type ConfusedPair, type Metrics } from '../metrics.js';
import { classBars } from './class_bars.js';
import { confusionCounts, confusionShares } from './confusion.js';
import { learningCurves } from './curves.js';
import type { Picture } from '../../plot/charts.js';
import { reportPage, type PagePicture, type PictureName } from './page.js';
import { mistakesOf, randomPredictions, worstMistakes } from './pictures.js';
import { reliabilityDiagram } from './reliability.js';
import type { ReportSubject } from './subject.js';
import { classesCsv, confusedPairsCsv, confusionCsv, predictionsCsv } from './tables.js';

export type { ReportFacts, ReportSubject } from './subject.js';

/** What the second curve of the history is of. */
const HELD_OUT = {
  ...{ test: 'test', validation: 'validation', data: 'validation' },
  training: 'the same, in evaluation',
};

/** Mistakes and pairs that summary.json lists. */
const LISTED = 40;

/**
 * Writes `report/` into the folder of a run: `index.html`, which holds everything, and its pictures
 * and tables one by one. Returns the paths, the page first.
 *
 * Errors: DataError when a file cannot be written.
 *
 * @example
 * await writeReport('runs/mnist-1', { config, history, dataset, evaluation, part: 'test' })
 */
export function writeReport(runFolder: string, subject: ReportSubject): Promise<string[]> {
  return writeReportFiles(join(runFolder, 'report'), subject);
}

/** The same into any folder. */
export async function writeReportFiles(folder: string, subject: ReportSubject): Promise<string[]> {
  const { config, dataset, evaluation } = subject;
  const names = config.classNames;
  const metrics = measure(dataset.labels, evaluation, names);
  const pairs = confusedPairs(metrics.confusion);
  const pictures = await drawPictures(subject, metrics);
  const files: [name: string, content: Buffer | string][] = [
    ...Array.from(pictures.values(), ({ file, png }): [string, Buffer] => [file, png]),
    ['classes.csv', classesCsv(metrics)],
    ['confusion.csv', confusionCsv(metrics)],
    ['confused_pairs.csv', confusedPairsCsv(pairs, names)],
    ['predictions.csv', predictionsCsv(dataset, evaluation, names)],
    ['summary.json', `${JSON.stringify(summary(subject, metrics, pairs), null, 2)}\n`],
    // Last, so that a page is never there without its files.
    ['index.html', reportPage({ subject, metrics, pairs, pictures })],
  ];
  const paths = files.map(([name, content]) => {
    const path = join(folder, name);
    writeFileAtomically(path, [content]);
    return path;
  });
  return [paths[paths.length - 1], ...paths.slice(0, -1)];
}

async function drawPictures(
  { config, history, dataset, evaluation, part, historyPart = part }: ReportSubject,
  { confusion, classes, calibration }: Metrics,
): Promise<Map<PictureName, PagePicture>> {
  const names = config.classNames;
  const pictures = new Map<PictureName, PagePicture>();
  const add = (name: PictureName, file: string, drawn: Picture, description: string): void => {
    pictures.set(name, { file, png: drawn.png, width: drawn.width, description });
  };
  if (history.length > 0) {
    const curves = await learningCurves(history, HELD_OUT[historyPart]);
    add('curves', 'learning_curves.png', curves, 'Loss and accuracy of each epoch');
  }
  const percent = (100 * evaluation.accuracy).toFixed(2);
  const title = `${config.model} on ${dataset.name}: ${percent} % of ${evaluation.count}`;
  const counts = await confusionCounts(confusion, names, title);
  add('counts', 'confusion_matrix.png', counts, 'Confusion matrix in counts');
  const shares = await confusionShares(confusion, names, title);
  add('shares', 'confusion_matrix_normalised.png', shares, 'Confusion matrix in shares of the row');
  const bars = await classBars(classes, 'Precision, recall and F1 of each class');
  add('classes', 'class_figures.png', bars, 'F1, precision and recall of each class');
  const diagram = await reliabilityDiagram(calibration, evaluation.accuracy);
  add('calibration', 'calibration.png', diagram, 'Accuracy over confidence');
  const examples = { dataset, names, evaluation };
  const mistakes = await worstMistakes(examples);
  if (mistakes) {
    add('mistakes', 'worst_mistakes.png', await sized(mistakes), 'Wrongly classified images');
  }
  const random = await randomPredictions(examples, config.seed ?? 0);
  if (random) {
    add('random', 'random_predictions.png', await sized(random), 'Images and their predictions');
  }
  return pictures;
}

async function sized(png: Buffer): Promise<Picture> {
  const { width, height } = await sharp(png).metadata();
  return { png, width, height };
}

/** What a program reads; matrices and single predictions are in the CSV files. */
function summary(
  { config, history, dataset, evaluation, part, facts = {} }: ReportSubject,
  { classes, macro, weighted, topK, calibration }: Metrics,
  pairs: readonly ConfusedPair[],
): unknown {
  const { loss, accuracy, count, predictions, probabilities, losses } = evaluation;
  const names = config.classNames;
  const { trainedAt, ...others } = facts;
  return {
    ...{ model: config.model, data: dataset.name, part, count, loss, accuracy },
    ...{ topK, macro, weighted, calibration, classes },
    confusedPairs: pairs.slice(0, LISTED).map(({ label, prediction, count: images, share }) => ({
      ...{ true: names[label], predicted: names[prediction], count: images, share },
    })),
    worstMistakes: mistakesOf({ dataset, names, evaluation })
      .slice(0, LISTED)
      .map((n) => ({
        ...{ index: n, source: dataset.describe?.(n) ?? `${dataset.name} #${n}` },
        ...{ true: names[dataset.labels[n]], predicted: names[predictions[n]] },
        probability: probabilities[n * names.length + predictions[n]],
        loss: losses[n],
      })),
    epochs: history.length,
    ...others,
    ...(trainedAt ? { trainedAt: trainedAt.toISOString() } : {}),
  };
}
