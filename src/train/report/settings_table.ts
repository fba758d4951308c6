import type { InForce, RunConfig } from '../run_config.js';
import type { Settings } from '../settings.js';
import { escapeHtml, table, type Cell } from './html.js';
import type { ReportSubject } from './subject.js';

/* The settings of a run as they were in force: no row says "none" where a default was used. */

/** What a setting that is null stands for; of those of optimizers the optimizer says it. */
const unset: Partial<Record<keyof Settings, string>> = {
  ...{ shortcut: 'the model’s own', dropout: 'the model’s own', input: 'as the images are' },
  ...{ classes: 'those of the data', clipNorm: 'off', validateEvery: 'after each epoch' },
  ...{ earlyStopping: 'off', unfreezeAfter: 'never', initFrom: 'fresh weights' },
  ...{ minImages: 'off', limit: 'all images' },
};

/** Settings that only some optimizers have. */
const ofOptimizers: readonly string[] = [
  ...(['momentum', 'nesterov', 'beta1', 'beta2', 'alpha', 'epsilon', 'amsgrad'] as const),
] satisfies (keyof Settings)[];

/** Keys that other rows say better: names are in the table of classes. */
const elsewhere = ['classNames', 'imageShape', 'sourceShape', 'inForce'];

export function settingsTable({ config, facts = {}, dataset }: ReportSubject): string {
  const [height, width, channels] = dataset.imageShape;
  const rows: [string, unknown][] = [
    ['parameters', facts.parameters && grouped(facts.parameters)],
    ['trained parameters', facts.trainableParameters && grouped(facts.trainableParameters)],
    ['adapter', facts.adapter],
    ['images', `${height} × ${width}, ${channels === 1 ? 'grey' : `${channels} channels`}`],
    ...(config.inForce ? inForceRows(config.inForce) : []),
    ...settingRows(config),
  ];
  const cells = rows
    .filter(([, value]) => value !== undefined)
    .map(([key, value]): Cell[] => [words(key), settingCell(value)]);
  return table([{ name: 'setting' }, { name: 'value' }], cells);
}

const grouped = (count: number): string => count.toLocaleString('en-US');

function inForceRows({ stepsPerEpoch, learningRate, images }: InForce): [string, unknown][] {
  const counts = Object.entries(images).map(([part, count]) => `${grouped(count)} ${part}`);
  return [
    ['images of each part', counts.join(', ')],
    ['steps per epoch', stepsPerEpoch],
    ['learning rate of the first step', learningRate],
  ];
}

function settingRows(config: Partial<RunConfig>): [string, unknown][] {
  const optimizer: Readonly<Record<string, unknown>> | undefined = config.inForce?.optimizer;
  return Object.entries(config)
    .filter(([key]) => !elsewhere.includes(key))
    .map(([key, value]): [string, unknown] => {
      // What the optimizer has no use for is no row.
      if (optimizer && ofOptimizers.includes(key)) return [key, optimizer[key]];
      return [key, value === null ? (unset[key as keyof Settings] ?? 'none') : value];
    });
}

/** `batchSize` as `batch size`. */
const words = (key: string): string =>
  key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

const LONG = 160;

function settingCell(value: unknown): Cell {
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object')) {
    return value.length === 0 ? 'none' : value.join(', ');
  }
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  const text = JSON.stringify(value, null, 1);
  if (typeof value !== 'object' || value === null) return text;
  const count = Object.keys(value).length;
  if (count === 0) return 'none';
  if (text.length <= LONG) return text;
  const html = `<details><summary>${count} entries</summary><code>${escapeHtml(text)}</code></details>`;
  return { html, key: count };
}
