import type { Calibration } from '../metrics.js';
import {
  BLUE,
  box,
  GREY,
  GRID,
  mix,
  RED,
  render,
  stroke,
  text,
  type Picture,
} from '../../plot/charts.js';

const SIZE = 340;
const LEFT = 64;
const TOP = 90;
const SHARES = 90;
const GAP = 34;

/**
 * Accuracy over confidence (a reliability diagram): bars on the dashed line mean that the network is
 * as often right as it says; below it, how many images had each confidence.
 */
export function reliabilityDiagram(
  { expectedCalibrationError, bins }: Calibration,
  accuracy: number,
): Promise<Picture> {
  const total = bins.reduce((sum, { count }) => sum + count, 0) || 1;
  const confidence = bins.reduce((sum, bin) => sum + bin.confidence * bin.count, 0) / total;
  const error = (100 * expectedCalibrationError).toFixed(2);
  let shapes = text(`Calibration: expected error ${error} %`, 16, 28, 12);
  shapes +=
    box(16, 42, 11, 11, mix([9, 105, 218], 0.6)) + text('accuracy', 32, 52, 9, { colour: GREY });
  shapes += box(108, 42, 11, 11, mix([207, 34, 46], 0.35));
  shapes += text('gap to the confidence', 124, 52, 9, { colour: GREY });
  const bottom = TOP + SIZE;
  shapes += axes(TOP, SIZE, [0, 0.2, 0.4, 0.6, 0.8, 1], (tick) => String(Math.round(tick * 100)));
  for (const { low, high, count, confidence: mean, accuracy: right } of bins) {
    if (count === 0) continue;
    const [x, width] = [LEFT + low * SIZE + 0.75, (high - low) * SIZE - 1.5];
    const [from, to] = [Math.min(mean, right), Math.max(mean, right)];
    shapes += box(x, bottom - right * SIZE, width, right * SIZE, mix([9, 105, 218], 0.6));
    const gap = mix([207, 34, 46], 0.35);
    shapes += `<g opacity="0.75">${box(x, bottom - to * SIZE, width, (to - from) * SIZE, gap)}</g>`;
    shapes += stroke(`M${x} ${bottom - mean * SIZE}h${width}`, RED, 1.4);
  }
  shapes += stroke(`M${LEFT} ${bottom}l${SIZE} ${-SIZE}`, GREY, 1.2, '5 5');
  const second = bottom + GAP;
  const largest = Math.max(...bins.map(({ count }) => count)) / total || 1;
  shapes += axes(second, SHARES, [0, largest], (tick) => `${(100 * tick).toFixed(0)}`);
  for (const { low, high, count } of bins) {
    const height = (SHARES * count) / total / largest;
    shapes += box(
      ...([LEFT + low * SIZE + 0.75, second + SHARES - height] as const),
      ...([(high - low) * SIZE - 1.5, height, mix([101, 109, 118], 0.6)] as const),
    );
  }
  const mark = (value: number, colour: string): string =>
    stroke(`M${LEFT + value * SIZE} ${second}v${SHARES}`, colour, 1.8, '4 4');
  shapes += mark(accuracy, BLUE) + mark(confidence, RED);
  for (let tick = 0; tick <= 1.001; tick += 0.2) {
    const label = String(Math.round(100 * tick));
    const x = LEFT + tick * SIZE;
    shapes += text(label, x, second + SHARES + 18, 8, { anchor: 'middle', colour: GREY });
  }
  const below = second + SHARES + 38;
  const middle = { anchor: 'middle', colour: GREY } as const;
  shapes += text('confidence, %', LEFT + SIZE / 2, below, 8, middle);
  shapes += text('accuracy, %', LEFT, TOP - 10, 8, { colour: GREY, anchor: 'middle' });
  shapes += text('share of the images, %', LEFT, second - 10, 8, { colour: GREY });
  const means = [100 * accuracy, 100 * confidence].map((value) => value.toFixed(1));
  shapes += text(`accuracy ${means[0]} %`, 16, below + 24, 9, { colour: BLUE });
  shapes += text(`mean confidence ${means[1]} %`, 168, below + 24, 9, { colour: RED });
  return render(LEFT + SIZE + 28, below + 40, shapes);
}

function axes(
  top: number,
  height: number,
  values: readonly number[],
  format: (tick: number) => string,
): string {
  const high = values[values.length - 1];
  let shapes = '';
  for (const tick of values) {
    const y = top + height * (1 - tick / high);
    shapes += stroke(`M${LEFT} ${y}h${SIZE}`, GRID);
    shapes += text(format(tick), LEFT - 8, y + 4, 8, { anchor: 'end', colour: GREY });
  }
  return shapes;
}
