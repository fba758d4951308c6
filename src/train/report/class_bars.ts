import { textWidth } from '../../plot/stroke_font.js';
import type { ClassMetrics } from '../metrics.js';
import {
  BLUE,
  box,
  chartNames,
  GREY,
  GRID,
  mix,
  RED,
  render,
  stroke,
  text,
  widest,
  type Picture,
} from '../../plot/charts.js';

const ROW = 18;
const TOP = 92;
const NAME = 8.5;
const BAR_WIDTH = 380;
const COLUMNS = ['precision', 'recall', 'F1', 'images'];
const COLUMN_WIDTH = 62;
const PRECISION = '#9a6700';

/** F1 of each class as a bar, precision and recall as marks on it, the worst class first. */
export function classBars(classes: readonly ClassMetrics[], title: string): Promise<Picture> {
  const sorted = [...classes].sort((a, b) => a.f1 - b.f1 || b.support - a.support);
  const names = chartNames(
    sorted.map(({ name }) => name),
    NAME,
    230,
  );
  const left = 32 + Math.max(60, widest(names, NAME));
  const height = sorted.length * ROW;
  const xOf = (value: number): number => left + value * BAR_WIDTH;
  let shapes = text(title, 16, 28, 12) + legend(16, 50);
  for (let tick = 0; tick <= 1.001; tick += 0.2) {
    const x = xOf(tick).toFixed(1);
    shapes += stroke(`M${x} ${TOP - 6}v${height + 6}`, GRID);
    const label = String(Math.round(tick * 100));
    shapes += text(label, Number(x), TOP - 12, 7, { anchor: 'middle', colour: GREY });
  }
  const numbersAt = (column: number): number =>
    left + BAR_WIDTH + 22 + (column + 1) * COLUMN_WIDTH - 8;
  for (const [i, name] of COLUMNS.entries()) {
    shapes += text(name, numbersAt(i), TOP - 12, 8, { anchor: 'end', colour: GREY });
  }
  const width = numbersAt(COLUMNS.length - 1) + 16;
  for (const [i, row] of sorted.entries()) {
    const y = TOP + i * ROW;
    const base = y + ROW / 2 + NAME / 2;
    if (i % 5 === 0 && i > 0) shapes += stroke(`M16 ${y}H${width - 16}`, GRID, 0.6);
    shapes += text(names[i], left - 10, base, NAME, { anchor: 'end' });
    shapes += box(left, y + 3.5, row.f1 * BAR_WIDTH, ROW - 7, mix([9, 105, 218], 0.45));
    shapes += stroke(`M${xOf(row.precision).toFixed(1)} ${y + 3}v${ROW - 6}`, PRECISION, 2.2);
    shapes += recallMark(xOf(row.recall), y + ROW / 2);
    const numbers = [row.precision, row.recall, row.f1].map((value) => value.toFixed(3));
    for (const [column, number] of [...numbers, String(row.support)].entries()) {
      shapes += text(number, numbersAt(column), base, 8, { anchor: 'end' });
    }
  }
  return render(Math.max(width, 32 + textWidth(title, 12)), TOP + height + 20, shapes);
}

function recallMark(x: number, y: number): string {
  return `<circle cx="${x.toFixed(1)}" cy="${y}" r="3.2" fill="#ffffff" stroke="${RED}" stroke-width="1.6"/>`;
}

function legend(x: number, y: number): string {
  const entry = (mark: string, name: string, at: number): string =>
    mark + text(name, at + 16, y + 4, 9, { colour: GREY });
  return (
    entry(box(x, y - 6, 11, 11, mix([9, 105, 218], 0.45)), 'F1, %', x) +
    entry(stroke(`M${x + 85} ${y - 6}v11`, PRECISION, 2.2), 'precision', x + 76) +
    entry(recallMark(x + 181, y), 'recall', x + 172) +
    text('worst first', x + 244, y + 4, 9, { colour: BLUE })
  );
}
