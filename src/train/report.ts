import { join } from 'node:path';
import { imageBytes, pictureGrid, type ImageDataset } from '../data/index.js';
import { writeFileAtomically } from '../io/atomic_file.js';
import { lineChart, matrixChart } from './chart.js';
import { classMetrics, confusionMatrix, type Evaluation } from './evaluate.js';
import type { EpochMetrics } from './history.js';
import type { RunConfig } from './run_config.js';

/** Mistakes shown in the picture grid. */
const MISTAKES = 40;

/**
 * Writes `report/`: learning curves, confusion matrix, the worst mistakes as pictures, and
 * precision, recall, F1 and support of each class. Returns the paths. `part` says what `dataset` is:
 * the data's own test set, or what was held out.
 */
export async function writeReport(
  folder: string,
  config: RunConfig,
  history: readonly EpochMetrics[],
  dataset: ImageDataset,
  evaluation: Evaluation,
  part: 'test' | 'validation',
): Promise<string[]> {
  const written: string[] = [];
  const write = (name: string, content: Buffer | string): void => {
    const path = join(folder, 'report', name);
    writeFileAtomically(path, [content]);
    written.push(path);
  };
  if (history.length > 0) write('learning_curves.png', await learningCurves(history, part));
  const confusion = confusionMatrix(
    dataset.labels,
    evaluation.predictions,
    config.classNames.length,
  );
  const percent = (100 * evaluation.accuracy).toFixed(2);
  const title = `${config.model} on ${dataset.name}: ${percent} % of ${evaluation.count}`;
  write('confusion_matrix.png', await matrixChart(confusion, config.classNames, title));
  const mistakes = await worstMistakes(dataset, config, evaluation);
  if (mistakes) write('worst_mistakes.png', mistakes);
  const rows = classMetrics(confusion, config.classNames).map(
    (c) => `${quote(c.name)},${c.precision},${c.recall},${c.f1},${c.support}`,
  );
  write('classes.csv', ['class,precision,recall,f1,support', ...rows, ''].join('\n'));
  return written;
}

function learningCurves(
  history: readonly EpochMetrics[],
  part: 'test' | 'validation',
): Promise<Buffer> {
  const column = (name: keyof EpochMetrics, scale = 1): number[] =>
    history.map((row) => row[name] * scale);
  return lineChart(
    [
      {
        title: 'Loss',
        series: [
          { name: 'training', values: column('loss') },
          { name: part, values: column('valLoss') },
        ],
        format: (value) => String(Number(value.toPrecision(3))),
      },
      {
        title: 'Accuracy, %',
        series: [
          { name: 'training', values: column('accuracy', 100) },
          { name: part, values: column('valAccuracy', 100) },
        ],
        format: (value) => String(Number(value.toPrecision(4))),
      },
    ],
    'epoch',
  );
}

/** The examples with the largest loss among those classified wrongly; null when there are none. */
async function worstMistakes(
  dataset: ImageDataset,
  config: RunConfig,
  { predictions, losses, probabilities }: Evaluation,
): Promise<Buffer | null> {
  const wrong = Array.from(predictions.keys()).filter((n) => predictions[n] !== dataset.labels[n]);
  if (wrong.length === 0) return null;
  wrong.sort((a, b) => losses[b] - losses[a] || a - b);
  const chosen = wrong.slice(0, MISTAKES);
  const pixels = await dataset.read(chosen);
  const bytes = imageBytes(dataset);
  const names = config.classNames;
  const pictures = chosen.map((n, i) => {
    const probability = probabilities[n * names.length + predictions[n]];
    return {
      pixels: pixels.subarray(i * bytes, (i + 1) * bytes),
      captions: [
        `${names[predictions[n]]} (${(100 * probability).toFixed(0)} %)`,
        `true: ${names[dataset.labels[n]]}`,
      ],
      tone: 'wrong' as const,
    };
  });
  const title = `${chosen.length} of ${wrong.length} mistakes, the largest loss first`;
  return pictureGrid(pictures, { imageShape: dataset.imageShape, title });
}

function quote(name: string): string {
  return /[",\n]/.test(name) ? `"${name.replace(/"/g, '""')}"` : name;
}
