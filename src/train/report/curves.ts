import { textWidth } from '../../plot/stroke_font.js';
import type { EpochMetrics } from '../history.js';
import {
  BLUE,
  COLOURS,
  GREEN,
  GREY,
  GRID,
  mix,
  render,
  stroke,
  text,
  ticks,
  type Picture,
} from '../../plot/charts.js';

/** A value at a place of the run, counted in epochs: the end of the first is at 1. */
export type Point = readonly [epochs: number, value: number];

interface Series {
  name: string;
  points: readonly Point[];
  colour: string;
  /** A line with dots, a line that holds each value until the next, or a thin one behind the others. */
  style: 'dots' | 'stairs' | 'thin';
}

interface Panel {
  title: string;
  series: readonly Series[];
  width: number;
  format: (value: number) => string;
  /** Epochs at its left and right edge. */
  from: number;
  to: number;
  /** The epoch to mark, and where there is room for its name: losses fall, accuracies rise. */
  best: number | null;
  markAt: 'top' | 'bottom';
}

export interface CurveData {
  history: readonly EpochMetrics[];
  /** What the second curve is of. */
  heldOut: string;
  /** The number of the best epoch. */
  best: number | null;
  /** Learning rates, each from its place on. */
  rates: readonly Point[];
  /** Losses of single steps; may be empty. */
  steps: readonly Point[];
}

export interface Curves {
  /** All panels side by side. */
  joined: Picture;
  /** Each by itself. */
  panels: { title: string; picture: Picture }[];
}

const PANEL_WIDTH = 440;
const PANEL_HEIGHT = 300;
const LEFT = 64;
const RIGHT = 20;
const TOP = 64;
const BOTTOM = 44;
/** Epochs up to which every value has a dot. */
const MOST_DOTS = 40;
const STEP_COLOUR = mix([9, 105, 218], 0.35);

/**
 * Loss and accuracy of each epoch, training beside what was held out, with the best epoch marked; the
 * loss of each step behind them, and the learning rate where it changes. Values that are no numbers
 * leave a gap.
 */
export async function learningCurves(data: CurveData): Promise<Curves> {
  const panels = panelsOf(data);
  const drawn = panels.map((panel) => drawPanel(panel));
  const single = await Promise.all(
    drawn.map((shapes, i) => render(panels[i].width, PANEL_HEIGHT, shapes)),
  );
  let left = 0;
  let shapes = '';
  for (const [i, panel] of panels.entries()) {
    shapes += `<g transform="translate(${left} 0)">${drawn[i]}</g>`;
    left += panel.width;
  }
  return {
    joined: await render(left, PANEL_HEIGHT, shapes),
    panels: panels.map(({ title }, i) => ({ title, picture: single[i] })),
  };
}

function panelsOf({ history, heldOut, best, rates, steps }: CurveData): Panel[] {
  const column = (name: keyof EpochMetrics, scale = 1): Point[] =>
    history.map((row) => [row.epoch, typeof row[name] === 'number' ? row[name] * scale : NaN]);
  const significant = (value: number): string => String(Number(value.toPrecision(4)));
  const both = (own: keyof EpochMetrics, other: keyof EpochMetrics, scale = 1): Series[] => [
    { name: 'training', points: column(own, scale), colour: COLOURS[0], style: 'dots' },
    { name: heldOut, points: column(other, scale), colour: COLOURS[1], style: 'dots' },
  ];
  const [first, last] = [history[0]?.epoch ?? 1, history.at(-1)?.epoch ?? 1];
  const common = {
    width: PANEL_WIDTH,
    format: significant,
    from: first,
    to: last,
    best,
    markAt: 'top',
  } as const;
  const perStep: Series[] =
    steps.length === 0
      ? []
      : [{ name: 'each step', points: steps, colour: STEP_COLOUR, style: 'thin' }];
  const panels: Panel[] = [
    {
      ...{ ...common, title: 'Loss', series: [...perStep, ...both('loss', 'valLoss')] },
      // Steps begin before the end of the first epoch, and an interrupted run has some of the next.
      from: steps.length === 0 ? first : Math.min(first - 1, steps[0][0]),
      to: Math.max(last, steps.at(-1)?.[0] ?? last),
    },
    {
      ...{ ...common, title: 'Accuracy, %', series: both('accuracy', 'valAccuracy', 100) },
      markAt: 'bottom',
    },
  ];
  if (rates.some(([, rate]) => rate !== rates[0][1])) {
    const series: Series[] = [{ name: '', points: rates, colour: BLUE, style: 'stairs' }];
    const title = 'Learning rate';
    panels.push({ ...common, title, series, format: shortNumber, from: rates[0][0], best: null });
  }
  return panels;
}

/** 0.0005 as 5e-4: learning rates are small. */
function shortNumber(value: number): string {
  const rounded = Number(value.toPrecision(3));
  return Math.abs(rounded) >= 0.001 || rounded === 0 ? String(rounded) : rounded.toExponential();
}

function drawPanel(panel: Panel): string {
  const { title, series, format, from, to, best, markAt } = panel;
  const all = series.flatMap(({ points }) => points.map(([, y]) => y)).filter(Number.isFinite);
  const yTicks = all.length === 0 ? [0, 1] : ticks(least(all), greatest(all));
  const [low, high] = [yTicks[0], yTicks[yTicks.length - 1]];
  const plotWidth = panel.width - LEFT - RIGHT;
  const plotHeight = PANEL_HEIGHT - TOP - BOTTOM;
  const bottom = TOP + plotHeight;
  const xOf = (epoch: number): number =>
    LEFT + (from === to ? plotWidth / 2 : ((epoch - from) * plotWidth) / (to - from));
  const yOf = (value: number): number => TOP + plotHeight * (1 - (value - low) / (high - low));
  let shapes = text(title, LEFT, 24, 12);
  for (const tick of yTicks) {
    const y = yOf(tick);
    shapes += stroke(`M${LEFT} ${y}h${plotWidth}`, GRID);
    shapes += text(format(tick), LEFT - 8, y + 4, 8, { anchor: 'end', colour: GREY });
  }
  for (const epoch of epochTicks(Math.ceil(from), Math.floor(to), Math.floor(plotWidth / 42))) {
    shapes += stroke(`M${xOf(epoch)} ${bottom}v4`, GREY);
    shapes += text(String(epoch), xOf(epoch), bottom + 18, 8, { anchor: 'middle', colour: GREY });
  }
  const middle = LEFT + plotWidth / 2;
  shapes += text('epoch', middle, PANEL_HEIGHT - 8, 8, { anchor: 'middle', colour: GREY });
  for (const one of series) shapes += drawSeries(one, xOf, yOf);
  let legend = LEFT;
  for (const { name, colour, style } of series) {
    if (name === '') continue;
    shapes += stroke(`M${legend} 44h18`, colour, style === 'thin' ? 1.2 : 2);
    shapes += text(name, legend + 24, 48, 9, { colour: GREY });
    legend += 24 + textWidth(name, 9) + 22;
  }
  if (best === null) return shapes;
  shapes += stroke(`M${xOf(best)} ${TOP}V${bottom}`, GREEN, 1.4, '4 4');
  const mark = `best: ${best}`;
  // Beside the line, on the side where there is room.
  const isRight = xOf(best) + 6 + textWidth(mark, 8) > LEFT + plotWidth;
  return (
    shapes +
    text(mark, xOf(best) + (isRight ? -6 : 6), markAt === 'top' ? TOP + 12 : bottom - 8, 8, {
      ...{ anchor: isRight ? 'end' : 'start', colour: GREEN },
    })
  );
}

/* Spread into Math.min, the losses of a long run would be too many arguments. */
const least = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b));
const greatest = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b));

function drawSeries(
  { points, colour, style }: Series,
  xOf: (epoch: number) => number,
  yOf: (value: number) => number,
): string {
  let path = '';
  let dots = '';
  for (const [i, [epoch, value]] of points.entries()) {
    if (!Number.isFinite(value)) continue;
    const [x, y] = [xOf(epoch).toFixed(1), yOf(value).toFixed(1)];
    const isJoined = i > 0 && Number.isFinite(points[i - 1][1]);
    if (!isJoined) path += `M${x} ${y}`;
    else path += style === 'stairs' ? `H${x}V${y}` : `L${x} ${y}`;
    // A value between two gaps has no line, so it needs its dot.
    const isAlone = !isJoined && !Number.isFinite(points[i + 1]?.[1] ?? NaN);
    if (style === 'dots' && (points.length <= MOST_DOTS || isAlone))
      dots += `<circle cx="${x}" cy="${y}" r="2.6" fill="${colour}"/>`;
  }
  const width = style === 'thin' ? 1 : points.length > MOST_DOTS ? 1.6 : 2;
  return stroke(path || 'M0 0', colour, width) + dots;
}

/** Epochs to write below the axis: the first, then round numbers, at most `most`. */
function epochTicks(first: number, last: number, most: number): number[] {
  const count = last - first + 1;
  if (count <= most) return Array.from({ length: count }, (_, i) => first + i);
  const step = ticks(0, (count * 4) / most)[1];
  const round = Math.max(2, Math.ceil(step));
  const marks = [first];
  for (let at = Math.ceil((first + 1) / round) * round; at <= last; at += round) {
    if (at - marks[marks.length - 1] >= round * 0.7) marks.push(at);
  }
  return marks;
}
