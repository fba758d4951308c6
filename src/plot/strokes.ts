/** Pen strokes as SVG path data. */

/** A point a pen goes through; with a third entry it is a corner. */
export type StrokePoint = readonly [x: number, y: number, corner?: 1];
export type Stroke = readonly StrokePoint[];
type Point = readonly [number, number];

/** Reads `x,y x,y! …` (`!` a corner), coordinates in `unit`ths. */
export function parseStroke(text: string, unit: number): Stroke {
  return text.split(' ').map((point) => {
    const [x, y] = point.replace('!', '').split(',').map(Number);
    return point.endsWith('!') ? [x / unit, y / unit, 1] : [x / unit, y / unit];
  });
}

function format(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** Cubic segments that run smoothly through the points (Catmull and Rom's spline, as Béziers). */
function smoothSegments(points: readonly Point[]): string {
  const last = points.length - 1;
  const [firstX, firstY] = points[0];
  const isClosed = last > 1 && firstX === points[last][0] && firstY === points[last][1];
  let path = '';
  for (let i = 0; i < last; i++) {
    const before = points[i > 0 ? i - 1 : isClosed ? last - 1 : 0];
    const from = points[i];
    const to = points[i + 1];
    const after = points[i + 2 <= last ? i + 2 : isClosed ? 1 : last];
    const controls = [
      from[0] + (to[0] - before[0]) / 6,
      from[1] + (to[1] - before[1]) / 6,
      to[0] - (after[0] - from[0]) / 6,
      to[1] - (after[1] - from[1]) / 6,
      to[0],
      to[1],
    ];
    path += `C${controls.map(format).join(' ')}`;
  }
  return path;
}

/**
 * The path data of one stroke after `place` has put each of its points into the picture.
 *
 * Corners end one smooth run and begin the next.
 */
export function strokePath(stroke: Stroke, place: (x: number, y: number) => Point): string {
  const points = stroke.map(([x, y]) => place(x, y));
  let path = `M${format(points[0][0])} ${format(points[0][1])}`;
  let begin = 0;
  for (let i = 1; i < points.length; i++) {
    if (i < points.length - 1 && stroke[i][2] === undefined) continue;
    path += smoothSegments(points.slice(begin, i + 1));
    begin = i;
  }
  return path;
}
