import { join } from 'node:path';
import type { ModuleGraph } from '../../nn/index.js';
import { writeFileAtomically } from '../../io/atomic_file.js';
import {
  confusedPairs,
  measure,
  wilsonInterval,
  type ConfusedPair,
  type Metrics,
} from '../metrics.js';
import { classBars } from './class_bars.js';
import { confusionCounts, confusionShares } from './confusion.js';
import { learningCurves } from './curves.js';
import type { Picture } from '../../plot/charts.js';
import { bestEpoch, learningRates, stepLosses } from './curve_data.js';
import { reportPage, type PagePicture, type PagePictures } from './page.js';
import { mistakesOf, pictureOf, randomPredictions, tilesOf, worstMistakes } from './pictures.js';
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
 * Errors: DataError if a file cannot be written.
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
  const drawn = await drawPictures(folder, subject, metrics);
  const files: [name: string, content: Buffer | string][] = [
    ...drawn.files,
    ['classes.csv', classesCsv(metrics)],
    ['confusion.csv', confusionCsv(metrics)],
    ['confused_pairs.csv', confusedPairsCsv(pairs, names)],
    ['predictions.csv', predictionsCsv(dataset, evaluation, names)],
    ['summary.json', `${JSON.stringify(summary(subject, metrics, pairs), null, 2)}\n`],
    // Last, so that a page is never there without its files.
    ['index.html', reportPage({ subject, metrics, pairs, pictures: drawn.page })],
  ];
  const paths = files.map(([name, content]) => {
    const path = join(folder, name);
    writeFileAtomically(path, [content]);
    return path;
  });
  return [paths[paths.length - 1], ...paths.slice(0, -1)];
}

/** All pictures: those of the page, and those that are files beside it. */
async function drawPictures(
  folder: string,
  subject: ReportSubject,
  { confusion, classes, calibration }: Metrics,
): Promise<{ files: [string, Buffer | string][]; page: PagePictures }> {
  const { config, history, dataset, evaluation, part, historyPart = part, facts } = subject;
  const names = config.classNames;
  const files: [string, Buffer | string][] = [];
  const page: PagePictures = { curves: [], matrices: [], tiles: {} };
  const keep = (file: string, { png, width }: Picture, description: string): PagePicture => {
    files.push([file, png]);
    return { picture: png, width, description };
  };
  if (history.length > 0) {
    const heldOut = HELD_OUT[historyPart];
    const best = bestEpoch(subject);
    const [rates, steps] = [learningRates(subject), stepLosses(subject)];
    const { joined, panels } = await learningCurves({ history, heldOut, best, rates, steps });
    files.push(['learning_curves.png', joined.png]);
    page.curves = panels.map(({ title, picture: { png, width } }) => ({
      ...{ picture: png, width, description: `${title} of each epoch` },
    }));
  }
  const percent = (100 * evaluation.accuracy).toFixed(2);
  const title = `${config.model} on ${dataset.name}: ${percent} % of ${evaluation.count}`;
  const counts = await confusionCounts(confusion, names, title);
  const shares = await confusionShares(confusion, names, title);
  page.matrices = [
    keep('confusion_matrix.png', counts, 'Confusion matrix in counts'),
    keep('confusion_matrix_normalised.png', shares, 'Confusion matrix in shares of the row'),
  ];
  const bars = await classBars(classes, 'Precision, recall and F1 of each class');
  files.push(['class_figures.png', bars.png]);
  const diagram = await reliabilityDiagram(calibration, evaluation.accuracy);
  page.calibration = keep('calibration.png', diagram, 'Accuracy over confidence');
  const examples = { dataset, names, evaluation };
  const chosen = {
    mistakes: worstMistakes(examples),
    random: randomPredictions(examples, config.seed ?? 0),
  };
  for (const kind of ['mistakes', 'random'] as const) {
    const some = chosen[kind];
    if (!some) continue;
    files.push([EXAMPLE_FILES[kind], await pictureOf(examples, some)]);
    page.tiles[kind] = { title: some.title, tiles: await tilesOf(examples, some, folder) };
  }
  if (facts?.graph) {
    const svg = await drawnNetwork(subject, facts.graph);
    files.push(['network.svg', svg]);
    const width = Number(/width="(\d+)"/.exec(svg)?.[1] ?? 600);
    page.network = { picture: Buffer.from(svg), width, description: 'The layers of the network' };
  }
  return { files, page };
}

const EXAMPLE_FILES = { mistakes: 'worst_mistakes.png', random: 'random_predictions.png' } as const;

async function drawnNetwork({ config, facts }: ReportSubject, graph: ModuleGraph): Promise<string> {
  const { plotSvg } = await import('../../plot/index.js');
  const parameters = facts?.parameters?.toLocaleString('en-US');
  const shape = config.imageShape.join('×');
  const subtitle = parameters === undefined ? shape : `${shape} · ${parameters} parameters`;
  return plotSvg(graph, { title: config.model, subtitle });
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
    accuracyInterval: wilsonInterval(accuracy, count),
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
