import { textWidth } from '../../plot/stroke_font.js';
import type { EpochMetrics } from '../history.js';
import {
  COLOURS,
  GREY,
  GRID,
  render,
  stroke,
  text,
  ticks,
  type Picture,
} from '../../plot/charts.js';

interface Series {
  name: string;
  values: readonly number[];
}

interface Panel {
  title: string;
  series: readonly Series[];
  width: number;
  format: (value: number) => string;
}

const PANEL_WIDTH = 460;
const SMALL_PANEL_WIDTH = 300;
const PANEL_HEIGHT = 300;
const LEFT = 64;
const RIGHT = 20;
const TOP = 64;
const BOTTOM = 44;
/** Epochs up to which every value has a dot. */
const MOST_DOTS = 40;

/**
 * Loss and accuracy of each epoch, training beside `heldOut`, and the learning rate where it changes.
 * Values that are no numbers leave a gap.
 */
export function learningCurves(
  history: readonly EpochMetrics[],
  heldOut: string,
): Promise<Picture> {
  const column = (name: keyof EpochMetrics, scale = 1): number[] =>
    history.map((row) => (typeof row[name] === 'number' ? row[name] * scale : NaN));
  const significant = (digits: number) => (value: number) =>
    String(Number(value.toPrecision(digits)));
  const both = (own: keyof EpochMetrics, other: keyof EpochMetrics, scale = 1): Series[] => [
    { name: 'training', values: column(own, scale) },
    { name: heldOut, values: column(other, scale) },
  ];
  const width = PANEL_WIDTH;
  const panels: Panel[] = [
    { title: 'Loss', series: both('loss', 'valLoss'), width, format: significant(4) },
    {
      ...{ title: 'Accuracy, %', series: both('accuracy', 'valAccuracy', 100), width },
      format: significant(4),
    },
  ];
  const rates = column('learningRate');
  if (rates.some((rate) => rate !== rates[0])) {
    panels.push({
      ...{ title: 'Learning rate', series: [{ name: '', values: rates }] },
      ...{ width: SMALL_PANEL_WIDTH, format: shortNumber },
    });
  }
  let left = 0;
  let shapes = '';
  const first = history[0]?.epoch ?? 1;
  for (const panel of panels) {
    shapes += drawPanel(panel, left, first);
    left += panel.width;
  }
  return render(left, PANEL_HEIGHT, shapes);
}

/** 0.0005 as 5e-4: learning rates are small. */
function shortNumber(value: number): string {
  const rounded = Number(value.toPrecision(3));
  return Math.abs(rounded) >= 0.001 || rounded === 0 ? String(rounded) : rounded.toExponential();
}

function drawPanel(panel: Panel, left: number, first: number): string {
  const { title, series, format } = panel;
  const all = series.flatMap(({ values }) => values).filter(Number.isFinite);
  const yTicks = all.length === 0 ? [0, 1] : ticks(Math.min(...all), Math.max(...all));
  const [low, high] = [yTicks[0], yTicks[yTicks.length - 1]];
  const count = Math.max(...series.map(({ values }) => values.length));
  const x0 = left + LEFT;
  const plotWidth = panel.width - LEFT - RIGHT;
  const plotHeight = PANEL_HEIGHT - TOP - BOTTOM;
  const bottom = TOP + plotHeight;
  const xOf = (i: number): number =>
    x0 + (count === 1 ? plotWidth / 2 : (i * plotWidth) / (count - 1));
  const yOf = (value: number): number => TOP + plotHeight * (1 - (value - low) / (high - low));
  let shapes = text(title, x0, 24, 12);
  for (const tick of yTicks) {
    const y = yOf(tick);
    shapes += stroke(`M${x0} ${y}h${plotWidth}`, GRID);
    shapes += text(format(tick), x0 - 8, y + 4, 8, { anchor: 'end', colour: GREY });
  }
  for (const epoch of epochTicks(first, count, Math.floor(plotWidth / 42))) {
    const x = xOf(epoch - first);
    shapes += stroke(`M${x} ${bottom}v4`, GREY);
    shapes += text(String(epoch), x, bottom + 18, 8, { anchor: 'middle', colour: GREY });
  }
  const middle = x0 + plotWidth / 2;
  shapes += text('epoch', middle, PANEL_HEIGHT - 8, 8, { anchor: 'middle', colour: GREY });
  let legend = x0;
  for (const [i, { name, values }] of series.entries()) {
    const colour = COLOURS[i % COLOURS.length];
    shapes += drawSeries(values, colour, xOf, yOf);
    if (name === '') continue;
    shapes += stroke(`M${legend} 44h18`, colour, 2);
    shapes += text(name, legend + 24, 48, 9, { colour: GREY });
    legend += 24 + textWidth(name, 9) + 22;
  }
  return shapes;
}

function drawSeries(
  values: readonly number[],
  colour: string,
  xOf: (i: number) => number,
  yOf: (value: number) => number,
): string {
  let path = '';
  let dots = '';
  for (const [i, value] of values.entries()) {
    if (!Number.isFinite(value)) continue;
    const point = `${xOf(i).toFixed(1)} ${yOf(value).toFixed(1)}`;
    const [x, y] = point.split(' ');
    const isJoined = i > 0 && Number.isFinite(values[i - 1]);
    path += `${isJoined ? 'L' : 'M'}${point}`;
    // A value between two gaps has no line, so it needs its dot.
    const isAlone = !isJoined && !Number.isFinite(values[i + 1] ?? NaN);
    if (values.length <= MOST_DOTS || isAlone)
      dots += `<circle cx="${x}" cy="${y}" r="2.6" fill="${colour}"/>`;
  }
  return stroke(path || 'M0 0', colour, values.length > MOST_DOTS ? 1.6 : 2) + dots;
}

/** Epochs to write below the axis: the first, then round numbers, at most `most`. */
function epochTicks(first: number, count: number, most: number): number[] {
  const last = first + count - 1;
  if (count <= most) return Array.from({ length: count }, (_, i) => first + i);
  const step = ticks(0, (count * 4) / most)[1];
  const round = Math.max(2, Math.ceil(step));
  const marks = [first];
  for (let at = Math.ceil((first + 1) / round) * round; at <= last; at += round) {
    if (at - marks[marks.length - 1] >= round * 0.7) marks.push(at);
  }
  return marks;
}
