import { judged, type EpochMetrics } from '../history.js';
import type { Averages, ConfusedPair, Metrics } from '../metrics.js';
import { escapeHtml, figure, SCRIPT, section, STYLE, table, type Cell } from './html.js';
import type { ReportSubject } from './subject.js';

/** A picture of the page, and how it is called when it is not seen. */
export interface PagePicture {
  file: string;
  png: Buffer;
  /** Pixels it is to be shown at. */
  width: number;
  description: string;
}

export interface PageContent {
  subject: ReportSubject;
  metrics: Metrics;
  pairs: readonly ConfusedPair[];
  pictures: ReadonlyMap<PictureName, PagePicture>;
}

export type PictureName =
  'curves' | 'counts' | 'shares' | 'classes' | 'calibration' | 'mistakes' | 'random';

/** Pairs that the page lists; all of them are in confused_pairs.csv. */
const MOST_PAIRS = 20;

const percent = (share: number, digits = 2): string => `${(100 * share).toFixed(digits)} %`;
const grouped = (count: number): string => count.toLocaleString('en-US');

/**
 * The report as one page that needs nothing else: pictures are inside it, and its policy forbids
 * everything that would have to be fetched.
 */
export function reportPage(content: PageContent): string {
  const { subject, metrics } = content;
  const { config, dataset, evaluation } = subject;
  const title = `${config.model} on ${dataset.name}`;
  const policy =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";
  const parts = [
    `<h1>${escapeHtml(title)}</h1>`,
    `<p class="quiet">${escapeHtml(opening(subject))}</p>`,
    totals(subject, metrics),
    curves(content),
    confusedPairs(content),
    classTable(metrics),
    matrices(content),
    calibration(content),
    pictureSection(content, 'random', 'Random predictions', RANDOM_TEXT),
    mistakes(content),
    notes(subject),
    settings(subject),
  ];
  return (
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n' +
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n' +
    `<meta http-equiv="Content-Security-Policy" content="${policy}">\n` +
    `<title>${escapeHtml(`${title}: ${percent(evaluation.accuracy)}`)}</title>\n` +
    `<style>${STYLE}</style>\n</head>\n<body>\n<main>\n${parts.join('\n')}\n</main>\n` +
    `<script>${SCRIPT}</script>\n</body>\n</html>\n`
  );
}

const RANDOM_TEXT =
  'Drawn at random, so that they show what is usual; green captions are right, red ones wrong.';

function opening({ part, historyPart, evaluation, config, facts }: ReportSubject): string {
  const isSelectedOn = historyPart === 'test';
  const what = {
    test: isSelectedOn
      ? 'the test set, which was looked at after every epoch and selected on'
      : 'the test set',
    ...{ validation: 'images held out of training' },
    ...{ training: 'the training set', data: 'all that was given' },
  };
  const when = facts?.trainedAt ? `; trained until ${dateText(facts.trainedAt)}` : '';
  return (
    `${grouped(evaluation.count)} images of ${config.classNames.length} classes` +
    ` (${what[part]})${when}`
  );
}

const dateText = (date: Date): string => `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;

function totals({ evaluation, history }: ReportSubject, metrics: Metrics): string {
  const right = Math.round(evaluation.accuracy * evaluation.count);
  const seconds = history.reduce((sum, row) => sum + (row.seconds || 0), 0);
  const entries: [string, string][] = [
    ['accuracy', percent(evaluation.accuracy)],
    ...metrics.topK
      .filter(({ k }) => k > 1)
      .map(({ k, accuracy }): [string, string] => [`top-${k} accuracy`, percent(accuracy)]),
    ['loss', evaluation.loss.toFixed(4)],
    ['macro F1', metrics.macro.f1.toFixed(4)],
    ['calibration error', percent(metrics.calibration.expectedCalibrationError)],
    ['mistakes', grouped(evaluation.count - right)],
    ...(history.length === 0 ? [] : [['epochs', String(history.length)] as [string, string]]),
    ...(seconds > 0 ? [['training time', duration(seconds)] as [string, string]] : []),
  ];
  const items = entries.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`);
  return `<dl class="totals">${items.join('')}</dl>`;
}

function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.round((whole % 3600) / 60)} min`;
}

function shown({ pictures }: PageContent, name: PictureName): string {
  const picture = pictures.get(name);
  return picture ? figure(picture.png, picture.width, picture.description) : '';
}

function pictureSection(
  content: PageContent,
  name: PictureName,
  title: string,
  text: string,
): string {
  if (!content.pictures.has(name)) return '';
  return section(title, `<p class="quiet">${escapeHtml(text)}</p>`, shown(content, name));
}

function curves(content: PageContent): string {
  const { history } = content.subject;
  if (history.length === 0) return '';
  const accuracy = (row: EpochMetrics): number => judged(row, 'accuracy');
  const best = history.reduce((a, b) => (accuracy(b) > accuracy(a) ? b : a));
  const on = best.valAccuracy === null ? 'the training images' : 'what was held out';
  const text = `Best epoch: ${best.epoch} of ${history.length}, ${percent(accuracy(best))} on ${on}. All figures are in metrics.csv of the run.`;
  return pictureSection(content, 'curves', 'Learning curves', text);
}

function confusedPairs({ pairs, metrics }: PageContent): string {
  if (pairs.length === 0)
    return section('Most confused pairs', '<p>No image is taken for another class.</p>');
  const name = (k: number): string => metrics.classes[k].name;
  const rows = pairs
    .slice(0, MOST_PAIRS)
    .map(({ label, prediction, count, share }): Cell[] => [
      ...[name(label), name(prediction), count],
      { html: percent(share, 1), key: share },
    ]);
  const columns = [
    ...[{ name: 'true class' }, { name: 'taken for' }, { name: 'images', isNumber: true }],
    { name: 'of the class', isNumber: true },
  ];
  const more = pairs.length - rows.length;
  const text = more > 0 ? `<p class="quiet">${more} more are in confused_pairs.csv.</p>` : '';
  return section('Most confused pairs', table(columns, rows, { isSortable: true }), text);
}

function classTable({ classes, macro, weighted }: Metrics): string {
  const figure = (value: number): Cell => ({ html: value.toFixed(4), key: value });
  const bar = (value: number): Cell => ({
    html:
      `<span class="bars"><span class="track"><span class="bar" style="width:${(110 * value).toFixed(1)}px">` +
      `</span></span>${value.toFixed(4)}</span>`,
    key: value,
  });
  const columns = [
    ...[{ name: '#', isNumber: true }, { name: 'class' }, { name: 'precision', isNumber: true }],
    ...[
      { name: 'recall', isNumber: true },
      { name: 'F1', isNumber: true },
    ],
    { name: 'images', isNumber: true },
  ];
  const rows = classes
    .map((c, k): [number, Cell[]] => [
      c.f1,
      [k, c.name, figure(c.precision), figure(c.recall), bar(c.f1), c.support],
    ])
    .sort(([a], [b]) => a - b)
    .map(([, row]) => row);
  const count = classes.reduce((sum, { support }) => sum + support, 0);
  const average = (name: string, { precision, recall, f1 }: Averages): Cell[] => [
    ...['', name, figure(precision), figure(recall), figure(f1), count],
  ];
  const foot = [average('macro average', macro), average('weighted average', weighted)];
  const text =
    'Worst F1 first. Precision: how many of those taken for the class are of it; recall: how many of' +
    ' the class were found; F1: their harmonic mean. The macro average counts each class alike,' +
    ' the weighted one each image.';
  return section(
    'Classes',
    `<p class="quiet">${text}</p>`,
    table(columns, rows, { foot, isSortable: true }),
  );
}

function matrices(content: PageContent): string {
  return section(
    'Confusion matrix',
    '<p class="quiet">Blue is right, red is wrong. First the counts, then shares of each row, so that' +
      ' rare classes show as well.</p>',
    shown(content, 'counts'),
    shown(content, 'shares'),
    shown(content, 'classes'),
  );
}

function calibration(content: PageContent): string {
  return pictureSection(
    content,
    'calibration',
    'Calibration',
    'Images are put into 15 groups by the probability of the predicted class. Bars below the dashed' +
      ' line: the network is surer than it is right. The expected calibration error is the mean gap.',
  );
}

function mistakes(content: PageContent): string {
  const text =
    'What each was taken for and how surely, its true class, and the probability given to that.' +
    ' Every prediction is in predictions.csv.';
  return content.pictures.has('mistakes')
    ? pictureSection(content, 'mistakes', 'Worst mistakes', text)
    : section('Worst mistakes', '<p>There are none.</p>');
}

function notes({ facts }: ReportSubject): string {
  if (!facts?.notes?.length) return '';
  const items = facts.notes.map((note) => `<li>${escapeHtml(note)}</li>`);
  return section('Notes on the data', `<ul>${items.join('\n')}</ul>`);
}

function settings({ config, facts = {}, dataset }: ReportSubject): string {
  const [height, width, channels] = dataset.imageShape;
  const rows: [string, unknown][] = [
    ['parameters', facts.parameters === undefined ? undefined : grouped(facts.parameters)],
    [
      'trained parameters',
      facts.trainableParameters === undefined ? undefined : grouped(facts.trainableParameters),
    ],
    ['adapter', facts.adapter],
    ['images', `${height} × ${width}, ${channels === 1 ? 'grey' : `${channels} channels`}`],
    // Names are in the table of classes, the shape in the line above.
    ...Object.entries(config).filter(([key]) => key !== 'classNames' && key !== 'imageShape'),
  ];
  const cells = rows
    .filter(([, value]) => value !== undefined)
    .map(([key, value]): Cell[] => [words(key), settingCell(value)]);
  return section('Run and settings', table([{ name: 'setting' }, { name: 'value' }], cells));
}

/** `batchSize` as `batch size`. */
const words = (key: string): string =>
  key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

const LONG = 160;

function settingCell(value: unknown): Cell {
  if (value === null) return 'none';
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object')) {
    return value.join(', ');
  }
  if (typeof value === 'string') return value;
  const text = JSON.stringify(value, null, 1);
  if (typeof value !== 'object' || text.length <= LONG) return text;
  const count = Object.keys(value).length;
  const html = `<details><summary>${count} entries</summary><code>${escapeHtml(text)}</code></details>`;
  return { html, key: count };
}
