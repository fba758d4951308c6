import { judged } from '../history.js';
import { wilsonInterval, type Averages, type ConfusedPair, type Metrics } from '../metrics.js';
import { bestEpoch } from './curve_data.js';
import {
  chart,
  columns,
  escapeHtml,
  gallery,
  SCRIPT,
  section,
  side,
  STYLE,
  table,
  type Cell,
  type Tile,
} from './html.js';
import { settingsTable } from './settings_table.js';
import type { ReportSubject } from './subject.js';

/** A chart of the page, and how it is called when it is not seen. */
export interface PagePicture {
  picture: Buffer;
  /** Pixels it is to be shown at. */
  width: number;
  description: string;
}

export interface PagePictures {
  curves: PagePicture[];
  matrices: PagePicture[];
  calibration?: PagePicture;
  /** An SVG. */
  network?: PagePicture;
  tiles: { mistakes?: PageTiles; random?: PageTiles };
}

interface PageTiles {
  title: string;
  tiles: readonly Tile[];
}

export interface PageContent {
  subject: ReportSubject;
  metrics: Metrics;
  pairs: readonly ConfusedPair[];
  pictures: PagePictures;
}

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
    columns(classTable(metrics), confusedPairs(content)),
    matrices(content),
    calibration(content),
    mistakes(content),
    randomTiles(content),
    notes(subject),
    network(content),
    section('Run and settings', settingsTable(subject)),
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

const ORIGINALS = 'A picture opens the file it comes from, where that is there.';

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
    ['95 % interval', intervalText(evaluation)],
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

function intervalText({ accuracy, count }: ReportSubject['evaluation']): string {
  const { low, high } = wilsonInterval(accuracy, count);
  return `${(100 * low).toFixed(1)} to ${percent(high, 1)}`;
}

function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.round((whole % 3600) / 60)} min`;
}

const shown = ({ picture, width, description }: PagePicture): string =>
  chart(picture, width, description);

const quiet = (text: string): string => `<p class="quiet">${escapeHtml(text)}</p>`;

function curves({ subject, pictures }: PageContent): string {
  const { history, config } = subject;
  if (history.length === 0) return '';
  const best = history.find(({ epoch }) => epoch === bestEpoch(subject));
  const by = config.bestBy ?? 'accuracy';
  const value = best ? judged(best, by) : NaN;
  const figure = by === 'loss' ? `loss ${value.toFixed(4)}` : percent(value);
  const on = best?.valAccuracy === null ? 'the training images' : 'what was held out';
  const text = best ? `Best epoch: ${best.epoch} of ${history.length}, ${figure} on ${on}. ` : '';
  const more = 'All figures are in metrics.csv of the run.';
  return section('Learning curves', quiet(text + more), side(...pictures.curves.map(shown)));
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
  const heads = [
    ...[{ name: 'true class' }, { name: 'taken for' }, { name: 'images', isNumber: true }],
    { name: 'of the class', isNumber: true },
  ];
  const more = pairs.length - rows.length;
  const text = more > 0 ? `<p class="quiet">${more} more are in confused_pairs.csv.</p>` : '';
  return section('Most confused pairs', table(heads, rows, { isSortable: true }), text);
}

function classTable({ classes, macro, weighted }: Metrics): string {
  const figure = (value: number): Cell => ({ html: value.toFixed(4), key: value });
  const bar = (value: number): Cell => ({
    html:
      `<span class="bars"><span class="track"><span class="bar" style="width:${(110 * value).toFixed(1)}px">` +
      `</span></span>${value.toFixed(4)}</span>`,
    key: value,
  });
  const heads = [
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
    table(heads, rows, { foot, isSortable: true }),
  );
}

function matrices({ pictures }: PageContent): string {
  const text =
    'Blue is right, red is wrong. First the counts, then shares of each row, so that rare classes show' +
    ' as well.';
  return section('Confusion matrix', quiet(text), side(...pictures.matrices.map(shown)));
}

function calibration({ pictures, metrics }: PageContent): string {
  if (!pictures.calibration) return '';
  const text =
    `Images are put into ${metrics.calibration.bins.length} groups by the probability of the predicted` +
    ' class. Bars below the dashed line: the network is surer than it is right. The expected' +
    ' calibration error is the mean gap.';
  return section('Calibration', quiet(text), shown(pictures.calibration));
}

function mistakes({ pictures }: PageContent): string {
  const { mistakes: worst } = pictures.tiles;
  if (!worst) return section('Worst mistakes', '<p>There are none.</p>');
  const text =
    `${worst.title}. What each was taken for and how surely, its true class, and the probability given` +
    ` to that. ${ORIGINALS} Every prediction is in predictions.csv.`;
  return section('Worst mistakes', quiet(text), gallery(worst.tiles));
}

function randomTiles({ pictures }: PageContent): string {
  const { random } = pictures.tiles;
  if (!random) return '';
  const text = `${random.title}. They show what is usual. ${ORIGINALS}`;
  return section('Random predictions', quiet(text), gallery(random.tiles));
}

function network({ pictures }: PageContent): string {
  if (!pictures.network) return '';
  const { picture, width, description } = pictures.network;
  return section('Network', chart(picture, width, description, 'svg+xml'));
}

function notes({ facts }: ReportSubject): string {
  if (!facts?.notes?.length) return '';
  const items = facts.notes.map((note) => `<li>${escapeHtml(note)}</li>`);
  return section('Notes on the data', `<ul>${items.join('\n')}</ul>`);
}
