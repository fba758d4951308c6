import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MemoryDataset } from '../../src/data/index.js';
import { createDevice } from '../../src/index.js';
import { mlp } from '../../src/models/index.js';
import { moduleGraph } from '../../src/nn/index.js';
import type { Evaluation } from '../../src/train/evaluate.js';
import type { EpochMetrics } from '../../src/train/history.js';
import { bestEpoch, learningRates, stepLosses } from '../../src/train/report/curve_data.js';
import { writeReport, type ReportSubject } from '../../src/train/report/index.js';
import { seededRandom } from '../helpers/fill.js';

interface Made {
  classNames: readonly string[];
  perClass: number;
  /** Share of the examples that are taken for the next class. */
  wrong: number;
  epochs: number;
}

/** A made-up run: class k of `classNames` is taken for the next one in some of its examples. */
function made({ classNames, perClass, wrong, epochs }: Made): ReportSubject {
  const random = seededRandom(4);
  const classes = classNames.length;
  const size = classes * perClass;
  const labels = Int32Array.from({ length: size }, (_, n) => n % classes);
  const images = Uint8Array.from({ length: size * 16 }, () => random() * 255);
  const predictions = labels.map((label, n) => (n < wrong * size ? (label + 1) % classes : label));
  const probabilities = new Float32Array(size * classes);
  const losses = new Float32Array(size);
  for (let n = 0; n < size; n++) {
    const sure = classes === 1 ? 1 : 0.6 + 0.3 * random();
    probabilities.fill((1 - sure) / (classes - 1), n * classes, (n + 1) * classes);
    probabilities[n * classes + predictions[n]] = sure;
    losses[n] = -Math.log(probabilities[n * classes + labels[n]]);
  }
  const right = labels.filter((label, n) => label === predictions[n]).length;
  const evaluation: Evaluation = {
    ...{ loss: losses.reduce((a, b) => a + b, 0) / size, accuracy: right / size, count: size },
    ...{ probabilities, predictions, losses },
  };
  const history = Array.from({ length: epochs }, (_, i): EpochMetrics => ({
    ...{ epoch: i + 1, loss: 1 / (i + 1), accuracy: 0.5, valLoss: 1.2 / (i + 1) },
    ...{ valAccuracy: 0.4 + 0.001 * i, learningRate: 1e-3 / (i + 1), seconds: 2 },
    ...{ imagesPerSecond: 100, inputSeconds: 0 },
  }));
  const dataset = new MemoryDataset({
    ...{ name: 'made up', imageShape: [4, 4, 1], labels, images, classNames },
    describe: (n) => `folder/image, "${n}".png`,
  });
  const config = {
    model: 'mlp',
    imageShape: [4, 4, 1],
    classNames,
    seed: 2,
    batchSize: 8,
  } as const;
  return { config, history, dataset, evaluation, part: 'validation' };
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tilegrad-report-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

const read = (folder: string, name: string): string =>
  readFileSync(join(folder, 'report', name), 'utf8');
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

const every = [
  ...['calibration.png', 'class_figures.png', 'classes.csv', 'confused_pairs.csv'],
  ...['confusion.csv', 'confusion_matrix.png', 'confusion_matrix_normalised.png', 'index.html'],
  ...['learning_curves.png', 'predictions.csv', 'random_predictions.png', 'summary.json'],
  'worst_mistakes.png',
];

/** Fails where the page would fetch anything, or is not the tree of elements that it should be. */
function checkPage(page: string): void {
  const links = Array.from(page.matchAll(/\b(?:src|srcset|action|poster)\s*=\s*"([^"]*)"/g));
  expect(links.length).toBeGreaterThan(0);
  for (const [, link] of links) expect(link).toMatch(/^data:image\/(png|svg\+xml);base64,/);
  expect(page).not.toMatch(/https?:|url\(|@import|<link|<iframe/);
  const open: string[] = [];
  const body = page.replace(/<(style|script)>[\s\S]*?<\/\1>/g, '');
  for (const [, slash, name] of body.matchAll(/<(\/?)([a-z0-9]+)[^>]*>/g)) {
    if (['meta', 'img', 'br'].includes(name)) continue;
    if (slash === '') open.push(name);
    else expect(open.pop()).toBe(name);
  }
  expect(open).toEqual([]);
}

/** Charts that the page shows as the files hold them; curves are shown panel by panel. */
const shown = ['calibration.png', 'confusion_matrix.png', 'confusion_matrix_normalised.png'];

describe('a report', () => {
  const classNames = ['a', 'b, c', '<b>&"bold"</b>', '猫'];

  it('is made of pictures, tables and a page that needs nothing else', async () => {
    const folder = temporaryFolder();
    const subject = made({ classNames, perClass: 10, wrong: 0.2, epochs: 3 });
    const paths = await writeReport(folder, subject);
    expect(readdirSync(join(folder, 'report')).sort()).toEqual(every);
    expect(paths[0]).toBe(join(folder, 'report', 'index.html'));
    expect([...paths].sort()).toEqual(every.map((name) => join(folder, 'report', name)).sort());
    const page = read(folder, 'index.html');
    checkPage(page);
    for (const name of every.filter((file) => file.endsWith('.png'))) {
      const png = readFileSync(join(folder, 'report', name));
      if (shown.includes(name)) expect(page, name).toContain(png.toString('base64'));
      expect((await sharp(png).metadata()).width, name).toBeGreaterThan(100);
    }
  });

  it('escapes names, in the page as in the tables', async () => {
    const folder = temporaryFolder();
    const subject = made({ classNames, perClass: 10, wrong: 0.2, epochs: 1 });
    const facts = { adapter: 'a "<i>" b', notes: ['x/<script>.png: no image & skipped'] };
    await writeReport(folder, { ...subject, facts });
    const page = read(folder, 'index.html');
    expect(page).toContain('&lt;b&gt;&amp;&quot;bold&quot;&lt;/b&gt;');
    expect(page).not.toContain('<b>&');
    expect(page).not.toContain('<b>&quot;');
    expect(page).toContain('a &quot;&lt;i&gt;&quot; b');
    expect(page).toContain('<li>x/&lt;script&gt;.png: no image &amp; skipped</li>');
    expect(page).toContain('<td>猫</td>');
    expect(read(folder, 'confusion.csv').split('\n')[0]).toBe(
      'true class,a,"b, c","<b>&""bold""</b>",猫',
    );
    expect(read(folder, 'predictions.csv').split('\n')[1]).toMatch(
      /^0,"folder\/image, ""0"".png",a,"b, c",0\.\d+,\d\.\d+,wrong$/,
    );
  });

  it('defuses names that a spreadsheet would run as formulas, and leaves numbers', async () => {
    const folder = temporaryFolder();
    const names = ['=cmd|calc', '+1+1', '-2;=3', '@SUM(A1)', '\t=1', 'a=b', '-'];
    const subject = made({ classNames: names, perClass: 2, wrong: 0, epochs: 1 });
    await writeReport(folder, subject);
    expect(read(folder, 'confusion.csv').split('\n')[0]).toBe(
      `true class,'=cmd|calc,'+1+1,"'-2;=3",'@SUM(A1),"'\t=1",a=b,'-`,
    );
    const rows = read(folder, 'classes.csv').split('\n');
    expect(rows[1]).toBe(`'=cmd|calc,1,1,1,2`);
    expect(read(folder, 'predictions.csv').split('\n')[1]).toContain(`,'=cmd|calc,'=cmd|calc,0.`);
  });

  it('prints every setting that the config holds, whatever it is', async () => {
    const folder = temporaryFolder();
    const { config, ...subject } = made({ classNames, perClass: 2, wrong: 0, epochs: 1 });
    const variants = Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [`conv2d forward ${i}`, 'tiled']),
    );
    const grown = { ...config, variants, earlyStopping: 7, someNewKey: [1, 'two'], limit: null };
    await writeReport(folder, { ...subject, config: grown });
    const page = read(folder, 'index.html');
    expect(page).toContain('<td>batch size</td><td>8</td>');
    expect(page).toContain('<td>early stopping</td><td>7</td>');
    expect(page).toContain('<td>some new key</td><td>1, two</td>');
    expect(page).toContain('<td>limit</td><td>all images</td>');
    expect(page).toContain('<summary>20 entries</summary>');
    expect(page).toContain('conv2d forward 19');
    checkPage(page);
  });

  it('prints the options that the optimizer used, and none that it lacks', async () => {
    const folder = temporaryFolder();
    const { config, ...subject } = made({ classNames, perClass: 2, wrong: 0, epochs: 1 });
    const inForce = {
      optimizer: { name: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, amsgrad: false },
      ...{ learningRate: 1e-3, stepsPerEpoch: 12, images: { training: 1400, validation: 100 } },
    };
    const nulls = { beta1: null, beta2: null, alpha: null, momentum: null, nesterov: null };
    const nothing = { clipNorm: null, dropout: null, freeze: [], amsgrad: null };
    await writeReport(folder, { ...subject, config: { ...config, ...nulls, ...nothing, inForce } });
    const page = read(folder, 'index.html');
    for (const [key, value] of [
      ...[
        ['beta1', '0.9'],
        ['beta2', '0.999'],
        ['amsgrad', 'no'],
      ],
      ...[
        ['clip norm', 'off'],
        ['dropout', 'the model’s own'],
        ['freeze', 'none'],
      ],
      ...[
        ['images of each part', '1,400 training, 100 validation'],
        ['steps per epoch', '12'],
      ],
    ]) {
      expect(page).toContain(`<td>${key}</td><td>${value}</td>`);
    }
    expect(page).not.toMatch(/<td>(alpha|momentum|nesterov|in force)<\/td>/);
  });

  it('shows examples as tiles with whole names, linked to the files there are', async () => {
    const folder = temporaryFolder();
    const long = 'a name of a class that is so long that a chart has to cut it somewhere';
    const subject = made({ classNames: [long, 'b'], perClass: 4, wrong: 0.25, epochs: 1 });
    const file = join(folder, 'pictures', 'a "cat" & dog#1.png');
    mkdirSync(join(folder, 'pictures'));
    writeFileSync(file, 'a picture');
    const dataset = new MemoryDataset({
      ...{ name: 'made up', imageShape: [4, 4, 1], classNames: [long, 'b'] },
      ...{ labels: subject.dataset.labels, images: new Uint8Array(16 * 8) },
      describe: (n) => (n === 0 ? file : `made up #${n}`),
    });
    await writeReport(folder, { ...subject, dataset });
    const page = read(folder, 'index.html');
    checkPage(page);
    const links = [...page.matchAll(/<a href="([^"]*)">/g)].map(([, href]) => href);
    // Once among the mistakes, once among the random ones.
    expect(links).toHaveLength(2);
    for (const link of links) {
      expect(decodeURIComponent(link)).toBe('../pictures/a "cat" & dog#1.png');
    }
    expect(page).toContain(`<span>true: ${long}</span>`);
  });

  it('draws the network where it is known', async () => {
    const folder = temporaryFolder();
    const subject = made({ classNames: ['a', 'b'], perClass: 5, wrong: 0.2, epochs: 1 });
    const device = await createDevice({ isNull: true });
    onTestFinished(() => device.destroy());
    const model = mlp(device, { input: [4, 4, 1], classes: 2 });
    const graph = moduleGraph(model, [4, 4, 1]);
    await writeReport(folder, { ...subject, facts: { graph, parameters: 1234 } });
    const svg = read(folder, 'network.svg');
    expect(svg).toContain('1,234 parameters');
    const page = read(folder, 'index.html');
    checkPage(page);
    expect(page).toContain(Buffer.from(svg).toString('base64'));
  });

  it('obeys a dark colour scheme and never breaks a word of a table', async () => {
    const folder = temporaryFolder();
    await writeReport(folder, made({ classNames, perClass: 2, wrong: 0, epochs: 1 }));
    const page = read(folder, 'index.html');
    expect(page).toContain('@media (prefers-color-scheme: dark)');
    expect(page).toContain('color-scheme: light dark');
    expect(page).not.toContain('overflow-wrap: anywhere');
    // Colours outside of the variables would stay as they are in the dark.
    const rules = page.replace(/--[\w]+: #\w+;/g, '');
    expect(rules.match(/(?:color|background|border[\w-]*):[^;}]*#[0-9a-f]{3,6}/g)).toBeNull();
  });

  it('has counts that add up', async () => {
    const folder = temporaryFolder();
    const subject = made({ classNames: ['a', 'b', 'c'], perClass: 10, wrong: 0.3, epochs: 2 });
    await writeReport(folder, subject);
    const summary = JSON.parse(read(folder, 'summary.json')) as {
      count: number;
      accuracy: number;
      topK: { k: number; accuracy: number }[];
      calibration: { bins: { count: number }[] };
      confusedPairs: { true: string; predicted: string; count: number }[];
      worstMistakes: { index: number; loss: number }[];
    };
    expect(summary).toMatchObject({ count: 30, accuracy: 0.7, part: 'validation', epochs: 2 });
    expect(summary.topK[0]).toEqual({ k: 1, accuracy: 0.7 });
    expect(sum(summary.calibration.bins.map(({ count }) => count))).toBe(30);
    // Nine mistakes, three of each class, each for the next class.
    expect(summary.confusedPairs).toEqual([
      { true: 'a', predicted: 'b', count: 3, share: 0.3 },
      { true: 'b', predicted: 'c', count: 3, share: 0.3 },
      { true: 'c', predicted: 'a', count: 3, share: 0.3 },
    ]);
    const losses = summary.worstMistakes.map(({ loss }) => loss);
    expect(losses).toHaveLength(9);
    expect(losses).toEqual([...losses].sort((a, b) => b - a));
    const rows = read(folder, 'confusion.csv').trim().split('\n').slice(1);
    expect(rows).toEqual(['a,7,3,0', 'b,0,7,3', 'c,3,0,7']);
    const classes = read(folder, 'classes.csv').trim().split('\n').slice(1);
    expect(classes).toHaveLength(5);
    expect(classes[0]).toMatch(/^a,0\.7,0\.7,0\.(7|69)\d*,10$/);
    expect(classes[3]).toMatch(/^macro average,.*,30$/);
    expect(classes[4]).toMatch(/^weighted average,.*,30$/);
    const predictions = read(folder, 'predictions.csv').trim().split('\n').slice(1);
    expect(predictions).toHaveLength(30);
    expect(predictions.filter((row) => row.endsWith(',wrong'))).toHaveLength(9);
  });

  it('shows other random predictions for another seed, the same ones for the same', async () => {
    const picture = async (seed: number): Promise<Buffer> => {
      const folder = temporaryFolder();
      const subject = made({ classNames: ['a', 'b'], perClass: 60, wrong: 0.1, epochs: 1 });
      await writeReport(folder, { ...subject, config: { ...subject.config, seed } });
      return readFileSync(join(folder, 'report', 'random_predictions.png'));
    };
    const [first, again, other] = [await picture(1), await picture(1), await picture(2)];
    expect(first.equals(again)).toBe(true);
    expect(first.equals(other)).toBe(false);
  });
});

it('names in the curves what the history was judged by', async () => {
  const curves = async (parts: Pick<ReportSubject, 'part' | 'historyPart'>): Promise<Buffer> => {
    const folder = temporaryFolder();
    const subject = made({ classNames: ['a', 'b'], perClass: 5, wrong: 0.2, epochs: 2 });
    await writeReport(folder, { ...subject, ...parts });
    return readFileSync(join(folder, 'report', 'learning_curves.png'));
  };
  const validation = await curves({ part: 'validation' });
  expect((await curves({ part: 'test' })).equals(validation)).toBe(false);
  const both = await curves({ part: 'test', historyPart: 'validation' });
  expect(both.equals(validation)).toBe(true);
});

describe('a report of extremes', () => {
  const numbered = (count: number): string[] =>
    Array.from(
      { length: count },
      (_, k) => `a class with a name that is far too long, number ${k}`,
    );
  const cases: [string, Made][] = [
    ['one class', { classNames: ['only'], perClass: 5, wrong: 0, epochs: 2 }],
    ['no mistakes', { classNames: ['a', 'b'], perClass: 5, wrong: 0, epochs: 1 }],
    ['mistakes only', { classNames: ['a', 'b'], perClass: 5, wrong: 1, epochs: 1 }],
    [
      '100 classes and 200 epochs',
      {
        ...{ classNames: numbered(100), perClass: 3, wrong: 0.2, epochs: 200 },
      },
    ],
    ['no epochs', { classNames: ['a', 'b'], perClass: 5, wrong: 0.2, epochs: 0 }],
  ];
  it.each(cases)(
    'is whole: %s',
    async (_, options) => {
      const folder = temporaryFolder();
      await writeReport(folder, made(options));
      checkPage(read(folder, 'index.html'));
      const missing = every.filter((name) => !existsSync(join(folder, 'report', name)));
      expect(missing).toEqual([
        ...(options.epochs === 0 ? ['learning_curves.png'] : []),
        ...(options.wrong === 0 ? ['worst_mistakes.png'] : []),
      ]);
      const rows = read(folder, 'confusion.csv').trim().split('\n');
      expect(rows).toHaveLength(options.classNames.length + 1);
    },
    60_000,
  );

  it('draws curves with losses that are no numbers', async () => {
    const folder = temporaryFolder();
    const subject = made({ classNames: ['a', 'b'], perClass: 5, wrong: 0.2, epochs: 3 });
    const history = subject.history.map((row) => ({ ...row, loss: NaN, valLoss: Infinity }));
    await writeReport(folder, { ...subject, history });
    expect(existsSync(join(folder, 'report', 'learning_curves.png'))).toBe(true);
  });
});

describe('what curves are drawn from', () => {
  const row = (
    epoch: number,
    learningRate: number,
    valAccuracy = 0.5,
    valLoss = 1,
  ): EpochMetrics => ({
    ...{ epoch, loss: 1, accuracy: 0.5, valLoss, valAccuracy, learningRate },
    ...{ seconds: 1, imagesPerSecond: 1, inputSeconds: 0 },
  });
  const base = { model: 'mlp', imageShape: [4, 4, 1], classNames: ['a', 'b'] } as const;
  const inForce = {
    ...{ optimizer: { name: 'adam' }, learningRate: 1, stepsPerEpoch: 4, images: {} },
  };

  it('is the best epoch by accuracy, or by loss where the run says so', () => {
    const history = [
      row(1, 1, 0.4, 0.9),
      row(2, 1, 0.8, 1.1),
      row(3, 1, 0.8, 1),
      row(4, 1, NaN, NaN),
    ];
    expect(bestEpoch({ history, config: base })).toBe(2);
    expect(bestEpoch({ history, config: { ...base, bestBy: 'loss' } })).toBe(1);
    expect(bestEpoch({ history: [], config: base })).toBeNull();
  });

  it('is the rate of each step by the schedule, so that stages are stairs', () => {
    const schedule = 'stages:1e-1,1e-2';
    const config = { ...base, schedule, lr: 1, warmup: 0, epochs: 2, inForce };
    const rates = learningRates({ history: [row(1, 0.1), row(2, 0.01)], config });
    expect(rates).toEqual([
      ...[0, 0.25, 0.5, 0.75].map((x) => [x, 0.1]),
      ...[1, 1.25, 1.5, 1.75, 2].map((x) => [x, 0.01]),
    ]);
  });

  it('is the rate of each epoch where the schedule is not what the run had', () => {
    const config = { ...base, schedule: 'constant', lr: 1, warmup: 0, epochs: 2, inForce };
    const history = [row(1, 0.5), row(2, 0.25)];
    const stairs = [
      [0, 0.5],
      [1, 0.25],
      [2, 0.25],
    ];
    expect(learningRates({ history, config })).toEqual(stairs);
    expect(learningRates({ history, config: base })).toEqual(stairs);
  });

  it('is the mean of neighbouring steps where there are many', () => {
    const steps = Array.from({ length: 1600 }, (_, i) => ({ step: i + 1, loss: i % 2 }));
    const points = stepLosses({ steps, config: { ...base, inForce } });
    expect(points).toHaveLength(800);
    expect(points[0]).toEqual([0.5, 0.5]);
    expect(points.at(-1)).toEqual([400, 0.5]);
    expect(stepLosses({ config: { ...base, inForce } })).toEqual([]);
  });
});
