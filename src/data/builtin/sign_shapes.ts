/**
 * Forty-three traffic signs as SVG, in the manner of the German ones and in the order GTSRB numbers
 * them. Every sign lies in a box from -50 to 50, y downwards.
 */
import { textPath } from '../../plot/stroke_font.js';

const RED = '#c1121c';
const BLUE = '#1d5fa8';
const WHITE = '#f4f4f2';
const BLACK = '#161616';
const YELLOW = '#f2b311';
const GREY = '#8a8a88';

const circle = (radius: number, fill: string, x = 0, y = 0): string =>
  `<circle cx="${x}" cy="${y}" r="${radius}" fill="${fill}"/>`;
const fill = (path: string, colour: string): string => `<path d="${path}" fill="${colour}"/>`;
const line = (path: string, width: number, colour: string = BLACK): string =>
  `<path d="${path}" fill="none" stroke="${colour}" stroke-width="${width}"` +
  ` stroke-linecap="round" stroke-linejoin="round"/>`;
const bar = (path: string, width: number, colour: string): string =>
  `<path d="${path}" fill="none" stroke="${colour}" stroke-width="${width}"/>`;
const moved = (x: number, y: number, scale: number, content: string): string =>
  `<g transform="translate(${x} ${y}) scale(${scale})">${content}</g>`;
const mirrored = (content: string): string => `<g transform="scale(-1 1)">${content}</g>`;

// The plates.
const prohibition = (content: string): string => circle(49, RED) + circle(37, WHITE) + content;
const mandatory = (content: string): string => circle(49, WHITE) + circle(46, BLUE) + content;
const triangle = (edge: number, colour: string): string =>
  `<path d="M0 ${-edge} L${edge * 1.02} ${edge * 0.77} L${-edge * 1.02} ${edge * 0.77} Z" fill="${colour}"` +
  ` stroke="${colour}" stroke-width="8" stroke-linejoin="round"/>`;
const warning = (content: string): string =>
  `<g transform="translate(0 2)">${triangle(46, RED)}</g>` +
  `<g transform="translate(0 5)">${triangle(29, WHITE)}</g>${content}`;
/** Grey symbols under five slanted lines: what was forbidden ends here. */
const ending = (content: string): string => {
  const lines = [-10, -5, 0, 5, 10].map((offset) => `M${-27 + offset} 28 L${27 + offset} -28`);
  return circle(49, GREY) + circle(46, WHITE) + content + bar(lines.join(''), 2.2, BLACK);
};

// What is on them.
const number = (digits: string, colour: string = BLACK): string => {
  const isLong = digits.length > 2;
  const path = textPath(digits, 0, isLong ? 12 : 15, isLong ? 24 : 30, 'middle');
  return line(path, isLong ? 6.5 : 7.5, colour);
};
/** A car seen from behind. */
const car = (colour: string): string =>
  fill('M-15 11 V-1 L-10 -12 H10 L15 -1 V11 Z', colour) +
  fill('M-9.5 -3 L-7 -9 H7 L9.5 -3 Z', WHITE) +
  fill('M-14 11 h7 v6 h-7 Z M7 11 h7 v6 h-7 Z', colour);
/** A truck seen from behind. */
const truck = (colour: string): string =>
  fill('M-15 -22 H15 V11 H-15 Z', colour) +
  fill('M-11 -18 H11 V-6 H-11 Z', WHITE) +
  fill('M-14 11 h8 v6 h-8 Z M6 11 h8 v6 h-8 Z', colour);
const truckFromTheSide =
  fill('M-30 -14 H8 V10 H-30 Z M10 -6 H20 L28 3 V10 H10 Z', BLACK) +
  circle(6, WHITE, -18, 12) +
  circle(6, WHITE, 18, 12) +
  circle(4.5, BLACK, -18, 12) +
  circle(4.5, BLACK, 18, 12);
const overtaking = (left: string, right: string): string =>
  moved(-17, 0, 0.95, left) + moved(17, 0, 0.95, right);

const arrowUp = bar('M0 34 V-12', 13, WHITE) + fill('M0 -38 L20 -10 H-20 Z', WHITE);
const turnRight = bar('M-12 34 V-4 H8', 13, WHITE) + fill('M34 -4 L6 -24 V16 Z', WHITE);
const upOrRight =
  bar('M-12 36 V-16', 11, WHITE) +
  fill('M-12 -38 L5 -14 H-29 Z', WHITE) +
  bar('M-12 14 H12', 11, WHITE) +
  fill('M34 14 L10 -2 V30 Z', WHITE);
const keepRight = `<g transform="rotate(135)">${arrowUp}</g>`;
/** One of the three arrows that run around, then turned twice. */
const roundabout = [0, 120, 240]
  .map(
    (angle) =>
      `<g transform="rotate(${angle})">${bar('M-24 -6 A25 25 0 0 1 8 -23.5', 9, WHITE)}` +
      `${fill('M23 -17 L2 -35 L6 -10 Z', WHITE)}</g>`,
  )
  .join('');

const curve =
  bar('M9 30 V14 Q9 5 0 0 Q-6 -4 -8 -10', 7, BLACK) + fill('M-14 -24 L-19 -5 L1 -11 Z', BLACK);
const doubleCurve =
  bar('M8 32 V24 L-9 10 L8 -2 L1 -10', 7, BLACK) + fill('M-8 -20 L-5 -2 L11 -13 Z', BLACK);
const walker =
  circle(4.6, BLACK, 2, -14) +
  line('M1 -7 L-1 9', 7) +
  line('M-1 9 L-9 26 M0 9 L8 17 L9 27', 5) +
  line('M0 -6 L-10 3 L-11 8 M1 -5 L10 3', 4);
const child = (x: number, scale: number): string =>
  moved(
    x,
    6,
    scale,
    circle(5.5, BLACK, 0, -16) +
      fill('M-6 -9 H6 L8 9 H-8 Z', BLACK) +
      line('M-4 9 L-9 24 M4 9 L10 22', 5) +
      line('M-5 -6 L-14 2 M5 -6 L14 -2', 4),
  );
const bicycle =
  `<g fill="none" stroke="${BLACK}" stroke-width="3.6" stroke-linejoin="round">` +
  `<circle cx="-15" cy="17" r="10"/><circle cx="15" cy="17" r="10"/>` +
  `<path d="M-15 17 L-6 2 L10 2 L0 17 Z M0 17 L-8 -3 M-13 -3 H-3 M15 17 L8 -5 H16"/></g>`;
const digger =
  circle(5, BLACK, -6, -12) +
  line('M-7 -5 L-13 9', 8) +
  line('M-13 9 L-5 16 L-7 27 M-14 10 L-20 27', 5) +
  line('M-6 -3 L3 6 L12 10', 4) +
  line('M-2 2 L17 14', 3) +
  fill('M8 28 Q17 9 27 28 Z', BLACK);
const snowflake = [0, 60, 120]
  .map(
    (angle) =>
      `<g transform="translate(0 9) rotate(${angle})">` +
      line('M0 -21 V21 M-6 -18 L0 -11 L6 -18 M-6 18 L0 11 L6 18', 3.4) +
      '</g>',
  )
  .join('');
const deer =
  fill('M-20 6 Q-8 -2 4 0 L12 -8 L20 -8 L21 -4 L15 -1 L11 10 Q2 13 -8 13 Z', BLACK) +
  line('M-17 8 L-23 18 L-19 28 M-11 11 L-12 27 M6 11 L16 17 L13 25 M9 8 L21 12', 3.4) +
  line('M12 -8 L7 -17 M14 -8 L14 -18 M10 -13 L4 -13 M14 -14 L19 -18', 2.4);
const skidding =
  moved(0, -1, 0.85, car(BLACK)) +
  line('M-11 15 Q-19 20 -10 24 Q-4 28 -12 32 M11 15 Q3 20 12 24 Q18 28 10 32', 3.6);

/** A name and a drawing for each class. */
export const SIGNS: readonly { name: string; svg: string }[] = [
  ...['20', '30', '50', '60', '70', '80'].map((limit) => ({
    name: `speed limit ${limit}`,
    svg: prohibition(number(limit)),
  })),
  { name: 'end of speed limit 80', svg: ending(number('80', GREY)) },
  { name: 'speed limit 100', svg: prohibition(number('100')) },
  { name: 'speed limit 120', svg: prohibition(number('120')) },
  { name: 'no passing', svg: prohibition(overtaking(car(RED), car(BLACK))) },
  { name: 'no passing for trucks', svg: prohibition(overtaking(truck(RED), car(BLACK))) },
  {
    name: 'right of way at the next crossing',
    svg: warning(fill('M0 -22 L9 -6 V30 H-9 V-6 Z', BLACK) + bar('M-21 13 H21', 6, BLACK)),
  },
  {
    name: 'priority road',
    svg:
      fill('M0 -49 L49 0 L0 49 L-49 0 Z', BLACK) +
      fill('M0 -46 L46 0 L0 46 L-46 0 Z', WHITE) +
      fill('M0 -31 L31 0 L0 31 L-31 0 Z', YELLOW),
  },
  {
    name: 'yield',
    svg:
      `<g transform="rotate(180) translate(0 4)">${triangle(46, RED)}</g>` +
      `<g transform="rotate(180) translate(0 6)">${triangle(28, WHITE)}</g>`,
  },
  {
    name: 'stop',
    svg:
      fill('M-20 -49 H20 L49 -20 V20 L20 49 H-20 L-49 20 V-20 Z', WHITE) +
      fill('M-19 -46 H19 L46 -19 V19 L19 46 H-19 L-46 19 V-19 Z', RED) +
      line(textPath('STOP', 0, 11, 22, 'middle'), 5.5, WHITE),
  },
  { name: 'no vehicles', svg: prohibition('') },
  { name: 'no trucks', svg: prohibition(truckFromTheSide) },
  { name: 'no entry', svg: circle(49, WHITE) + circle(46, RED) + bar('M-34 0 H34', 19, WHITE) },
  { name: 'general caution', svg: warning(line('M0 -17 V8', 9) + circle(5.5, BLACK, 0, 24)) },
  { name: 'curve to the left', svg: warning(curve) },
  { name: 'curve to the right', svg: warning(mirrored(curve)) },
  { name: 'double curve', svg: warning(doubleCurve) },
  {
    name: 'bumpy road',
    svg: warning(
      fill(
        'M-28 26 V19 Q-21 18 -18 12 Q-12 3 -6 12 Q0 20 6 12 Q12 3 18 12 Q21 18 28 19 V26 Z',
        BLACK,
      ),
    ),
  },
  { name: 'slippery road', svg: warning(skidding) },
  {
    name: 'road narrows on the right',
    svg: warning(bar('M-9 31 V-14', 6, BLACK) + bar('M15 31 V20 Q15 12 7 5 V-14', 6, BLACK)),
  },
  { name: 'road work', svg: warning(digger) },
  {
    name: 'traffic lights',
    svg: warning(
      fill('M-9 -18 H9 V32 H-9 Z', BLACK) +
        circle(6.5, '#e02424', 0, -10) +
        circle(6.5, '#f2b311', 0, 7) +
        circle(6.5, '#1fa04a', 0, 24),
    ),
  },
  {
    name: 'pedestrians',
    svg: warning(walker + bar('M-27 31 H-19 M-14 31 H-6 M6 31 H14 M19 31 H27', 4, BLACK)),
  },
  { name: 'children', svg: warning(child(-11, 0.85) + child(12, 1)) },
  { name: 'bicycles', svg: warning(bicycle) },
  { name: 'ice or snow', svg: warning(snowflake) },
  { name: 'wild animals', svg: warning(deer) },
  { name: 'end of all limits', svg: ending('') },
  { name: 'turn right ahead', svg: mandatory(turnRight) },
  { name: 'turn left ahead', svg: mandatory(mirrored(turnRight)) },
  { name: 'straight on only', svg: mandatory(arrowUp) },
  { name: 'straight on or right', svg: mandatory(upOrRight) },
  { name: 'straight on or left', svg: mandatory(mirrored(upOrRight)) },
  { name: 'keep right', svg: mandatory(keepRight) },
  { name: 'keep left', svg: mandatory(mirrored(keepRight)) },
  { name: 'roundabout', svg: mandatory(roundabout) },
  { name: 'end of no passing', svg: ending(overtaking(car(GREY), car(GREY))) },
  { name: 'end of no passing for trucks', svg: ending(overtaking(truck(GREY), car(GREY))) },
];
