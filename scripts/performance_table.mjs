// `npm run docs` also writes docs/performance.md: tables of the measurements kept in bench/results. A test compares the
// committed page with these files.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './setup_lib.mjs';

export const PERFORMANCE_PAGE = 'docs/performance.md';
const RESULTS = 'bench/results';
const OWN = 'tilegrad';
const DIRECTIONS = ['forward', 'grad-input', 'grad-weight'];

/**
 * @typedef {object} Row a row of `tilegrad bench`, as far as the page needs it
 * @property {string} op
 * @property {string} shape
 * @property {string} direction
 * @property {string} variant
 * @property {string} dtype
 * @property {string} engine
 * @property {boolean} isChosen
 * @property {boolean} [isReduced]
 * @property {number | null} ms
 * @property {number | null} gflops
 * @property {number | null} gbps
 * @property {number | null} percentOfPeak
 * @property {string} [problem]
 * @property {number} [relativeError]
 * @property {Training} [training]
 *
 * @typedef {object} Training
 * @property {number | null} imagesPerSecond
 * @property {number | null} firstStepMs
 * @property {number | null} peakBytes
 * @property {string} memoryOf
 * @property {(number | null)[]} [losses]
 *
 * @typedef {object} Tuning
 * @property {number} ms
 * @property {{ label: string, builtIn: string, chosen: string, beforeMs: number | null, afterMs: number }[]} kernels
 *
 * @typedef {object} Saved a file that `--save` wrote
 * @property {string} adapter
 * @property {boolean} isSoftware
 * @property {string} timing
 * @property {{ gflops: number, gbps: number }} peak
 * @property {string} driver
 * @property {string} node
 * @property {string | null} commit
 * @property {string} date
 * @property {Row[]} results
 * @property {Tuning} [tuning] where `--tune` was given
 * @property {{ losses?: { optimizer: string, lr: number, usualLr: number, allowed: number[] } }} [comparison]
 */

const INTRO = `# Measurements

Written by \`npm run docs\` from the files in [bench/results](../bench/results), which
\`tilegrad bench … --save\` writes; edit those, not this page. How a number comes about is told in
[bench.md](bench.md). All inputs are random, dy too. Times on a software adapter say nothing about GPUs;
their ratios, taken in one sitting, are what can be used.
`;

/**
 * The whole page. The same files give the same text.
 *
 * @param {readonly { name: string, saved: Saved }[]} files
 */
export function performancePage(files) {
  const parts = files.map(({ name, saved }) =>
    [`## ${titleOf(name, saved)}`, factsOf(name, saved), ...sectionsOf(saved)].join('\n\n'),
  );
  return `${[INTRO.trim(), ...overview(files), ...tunedOverview(files), ...parts].join('\n\n')}\n`;
}

/**
 * The files that hold other engines' kernels, a line each, and all of them together.
 *
 * @param {readonly { name: string, saved: Saved }[]} files
 */
function overview(files) {
  const compared = files
    .map(({ name, saved }) => ({
      name,
      ratios: kernelsOf(saved).flatMap((rows) =>
        comparedPlaces(rows).flatMap(({ ratio }) => (ratio === null ? [] : [ratio])),
      ),
    }))
    .filter(({ ratios }) => ratios.length > 0);
  if (compared.length < 2) return [];
  const all = { name: 'all', ratios: compared.flatMap(({ ratios }) => ratios) };
  const lines = [...compared, all].map(({ name, ratios }) => [
    name,
    String(ratios.length),
    geometricMean(ratios).toFixed(2),
    Math.min(...ratios).toFixed(2),
    String(ratios.filter((ratio) => ratio < 1).length),
  ]);
  const head = ['file', 'places', 'over the best', 'least', 'another is faster'];
  return [
    '## Kernels beside other engines',
    'How many times as fast as the fastest other engine, geometric mean over shapes and directions. An engine whose result is wrong in a place is not timed there, which the tables below show as –.',
    table(head, lines, 1),
  ];
}

/**
 * The files of tuned suites, a line each: what the choices made by rule cost beside the measured ones.
 *
 * @param {readonly { name: string, saved: Saved }[]} files
 */
function tunedOverview(files) {
  const tuned = files.flatMap(({ name, saved: { tuning } }) => (tuning ? [{ name, tuning }] : []));
  if (tuned.length === 0) return [];
  const kernels = tuned.flatMap(({ tuning }) => tuning.kernels);
  const ms = tuned.reduce((sum, { tuning }) => sum + tuning.ms, 0);
  const all = { name: 'all', tuning: { ms, kernels } };
  const costs = (/** @type {Tuning} */ { kernels: some }) =>
    some.flatMap(({ beforeMs, afterMs }) => (beforeMs === null ? [] : [beforeMs / afterMs]));
  const lines = [...tuned, all].map(({ name, tuning }) => [
    name,
    String(tuning.kernels.length),
    String(tuning.kernels.filter(({ builtIn, chosen }) => builtIn !== chosen).length),
    geometricMean(costs(tuning)).toFixed(3),
    Math.max(...costs(tuning)).toFixed(2),
    String(costs(tuning).filter((cost) => cost > 1.15).length),
    (tuning.ms / 1000).toFixed(0),
  ]);
  const worst = kernels
    .filter(({ beforeMs, afterMs }) => beforeMs !== null && beforeMs / afterMs > 1.15)
    .map(
      ({ label, builtIn, chosen, beforeMs, afterMs }) =>
        `- ${label}: ${builtIn} ${figure(beforeMs)} ms, ${chosen} ${figure(afterMs)} ms`,
    );
  const head = ['file', 'kernels', 'other', 'mean', 'most', 'above 1.15', 's'];
  return [
    '## Choices by rule beside tuned ones',
    'How many times as long the kernel chosen by rule takes as the one that tuning chose (geometric mean and maximum over shapes and directions, and how many are more than 15 % away), and how long tuning took.',
    table(head, lines, 1),
    ...(worst.length > 0 ? [worst.join('\n')] : []),
  ];
}

/**
 * The rows of each op but whole training steps.
 *
 * @param {Saved} saved
 */
function kernelsOf({ results }) {
  const ops = new Set(results.map(({ op }) => op).filter((op) => op !== 'train'));
  return [...ops].map((op) => results.filter((row) => row.op === op));
}

/**
 * @param {string} name
 * @param {Saved} saved
 */
function titleOf(name, { adapter, results }) {
  const others = enginesOf(results).filter((engine) => engine !== OWN);
  const title = `${name.replace('.json', '')}: ${adapter}`;
  return others.length > 0 ? `${title}, beside ${others.join(' and ')}` : title;
}

/**
 * @param {string} name
 * @param {Saved} saved
 */
function factsOf(name, { driver, node, commit, date, timing, peak, isSoftware }) {
  const facts = [
    `[${name}](../${RESULTS}/${name}), ${date.slice(0, 10)}, commit ${commit ?? 'unknown'}, Node ${node}`,
    `driver ${driver}${isSoftware ? ' (a software adapter)' : ''}`,
    `timing by ${timing}, median; peaks measured: ${figure(peak.gflops)} GFLOP/s, ${figure(peak.gbps)} GB/s`,
  ];
  return facts.map((fact) => `- ${fact}`).join('\n');
}

/** @param {Saved} saved */
function sectionsOf({ results, comparison }) {
  return [...new Set(results.map(({ op }) => op))].flatMap((op) => {
    const rows = results.filter((row) => row.op === op);
    if (op === 'train') return ['### train', wholeSteps(rows, comparison?.losses)];
    const hasPeers = enginesOf(rows).length > 1;
    return [`### ${op}`, hasPeers ? besideOthers(rows) : byVariant(rows)];
  });
}

/**
 * Every shape and direction with our chosen kernel, the other engines' rows and how many times as fast
 * as the best of them we are; null where there is none to compare with.
 *
 * @param {readonly Row[]} rows
 */
function comparedPlaces(rows) {
  const engines = enginesOf(rows).filter((engine) => engine !== OWN);
  return placesOf(rows).map(({ shape, direction, own }) => {
    const mine = own.find((row) => row.engine === OWN && row.isChosen);
    const peers = engines.map((engine) => own.find((row) => row.engine === engine));
    const full = peers.filter((row) => row?.ms && !row.isReduced);
    const best = Math.min(...full.map((row) => row?.ms ?? Infinity));
    const ratio = mine?.ms && full.length > 0 ? best / mine.ms : null;
    return { shape, direction, mine, peers, ratio };
  });
}

/**
 * GFLOP/s of every engine; ours by the kernel it chooses by default.
 *
 * @param {readonly Row[]} rows
 */
function besideOthers(rows) {
  const engines = enginesOf(rows).filter((engine) => engine !== OWN);
  const places = comparedPlaces(rows);
  const ratios = places.flatMap(({ ratio }) => (ratio === null ? [] : [ratio]));
  const lines = places.map(({ shape, direction, mine, peers, ratio }) => [
    ...[shape, direction, mine?.variant ?? '–', figure(mine?.gflops)],
    ...peers.map((row) => figure(row?.gflops)),
    ratio === null ? '–' : ratio.toFixed(2),
  ]);
  const head = ['shape', 'direction', 'kernel', OWN, ...engines, 'over the best'];
  const slower = ratios.filter((ratio) => ratio < 1).length;
  const summary =
    ratios.length > 0
      ? `Geometric mean over the best of them: ${geometricMean(ratios).toFixed(2)} in ${ratios.length} places; another engine is faster in ${slower}.`
      : 'No other engine gave a time.';
  return `GFLOP/s; ours by the kernel chosen by default.\n\n${table(head, lines, 3)}\n\n${summary}`;
}

/** @param {readonly number[]} values */
function geometricMean(values) {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/**
 * Whole training steps, a line for each engine.
 *
 * @param {readonly Row[]} rows
 * @param {NonNullable<Saved['comparison']>['losses']} losses
 */
function wholeSteps(rows, losses) {
  const best = (/** @type {Row} */ { shape, variant }) =>
    Math.min(
      ...rows
        .filter((row) => row.shape === shape && row.variant === variant)
        .map(({ ms }) => ms ?? Infinity),
    );
  const scaled = (/** @type {number | null | undefined} */ value, /** @type {number} */ unit) =>
    figure(value === null || value === undefined ? null : value / unit);
  const lines = rows.map((row) => [
    ...[row.variant, row.shape, row.engine, figure(row.training?.imagesPerSecond)],
    ...[figure(row.ms), row.ms === null ? '–' : (row.ms / best(row)).toFixed(2)],
    ...[scaled(row.training?.firstStepMs, 1000), scaled(row.training?.peakBytes, 2 ** 20)],
    row.training?.losses?.at(-1)?.toPrecision(6) ?? '–',
    row.relativeError?.toExponential(1) ?? '–',
  ]);
  const head = [
    ...['network', 'shape', 'engine', 'images/s', 'ms a step', 'ratio', 'first step s', 'MiB'],
    ...['loss', 'error'],
  ];
  const counted = rows
    .filter(({ training }) => training?.memoryOf)
    .map(({ engine, training }) => `${engine}: ${training?.memoryOf}`);
  const remarks = [
    ...(losses
      ? [
          `Losses after ${losses.allowed.length - 1} updates by ${losses.optimizer} at a rate of ${losses.lr} (usually ${losses.usualLr}), dropout off; the error is the largest relative difference from our losses, up to ${Math.max(...losses.allowed).toExponential(1)} is allowed.`,
        ]
      : []),
    ...(counted.length > 0 ? [`Memory: ${[...new Set(counted)].join('; ')}.`] : []),
    ...rows.flatMap(({ engine, problem }) => (problem ? [`${engine}: ${problem}.`] : [])),
  ];
  return [table(head, lines, 3), ...remarks].join('\n\n');
}

/**
 * The kernel that is chosen and the fastest one.
 *
 * @param {readonly Row[]} rows
 */
function byVariant(rows) {
  const lines = placesOf(rows).map(({ shape, direction, own }) => {
    const timed = own.filter(({ ms }) => ms !== null);
    const chosen = own.find(({ isChosen }) => isChosen);
    const [fastest] = [...timed].sort((a, b) => (a.ms ?? 0) - (b.ms ?? 0));
    const share = chosen?.ms && fastest?.ms ? (100 * fastest.ms) / chosen.ms : null;
    return [
      ...[shape, direction, chosen?.dtype ?? '–', chosen?.variant ?? '–'],
      ...[figure(chosen?.ms), figure(chosen?.gflops), figure(chosen?.gbps)],
      ...[figure(chosen?.percentOfPeak), fastest?.variant ?? '–', figure(share)],
    ];
  });
  const head = [
    ...['shape', 'direction', 'type', 'chosen', 'ms', 'GFLOP/s', 'GB/s', '% of peak'],
    ...['fastest', '% of its speed'],
  ];
  return table(head, lines, 4);
}

/** @param {readonly Row[]} rows */
function enginesOf(rows) {
  return [...new Set(rows.map(({ engine }) => engine))];
}

/** @param {readonly Row[]} rows */
function placesOf(rows) {
  return [...new Set(rows.map(({ shape }) => shape))].flatMap((shape) => {
    const here = rows.filter((row) => row.shape === shape);
    const directions = [...new Set(here.map(({ direction }) => direction))];
    directions.sort((a, b) => DIRECTIONS.indexOf(a) - DIRECTIONS.indexOf(b));
    return directions.map((direction) => ({
      ...{ shape, direction, own: here.filter((row) => row.direction === direction) },
    }));
  });
}

/**
 * A table as prettier writes it; columns of numbers, from `firstNumber` on, stand to the right.
 *
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} lines
 * @param {number} firstNumber
 */
function table(head, lines, firstNumber) {
  const widths = head.map((title, i) =>
    Math.max(3, title.length, ...lines.map((line) => line[i].length)),
  );
  const row = (/** @type {readonly string[]} */ cells) =>
    `| ${cells.map((cell, i) => (i < firstNumber ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`;
  const rule = widths.map((width, i) =>
    i < firstNumber ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [row(head), `| ${rule.join(' | ')} |`, ...lines.map(row)].join('\n');
}

/** @param {number | null | undefined} value */
function figure(value) {
  if (value === null || value === undefined) return '–';
  if (value >= 1000) return value.toFixed(0);
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** The files in bench/results, by name. */
export function keptResults() {
  const folder = join(ROOT, RESULTS);
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return names.sort().map((name) => {
    /** @type {Saved} */
    const saved = JSON.parse(readFileSync(join(folder, name), 'utf8'));
    return { name, saved };
  });
}
