/**
 * A font of pen strokes for the pictures this program makes: the text of SVG needs fonts installed, and
 * a bare machine has none.
 *
 * A glyph is strokes separated by `|`, each a list of points (see strokes.ts): capitals stand from 0
 * down to the baseline at 14, small letters begin at 5, descenders reach 18.
 */
import { parseStroke, strokePath } from './strokes.js';

const CAP_HEIGHT = 14;
/** Between two letters, and for the space. */
const GAP = 4;
const SPACE = 5.5;

const BOWL_LEFT = '7,7 5.2,5.2 3.3,5 1,6.3 0,9.5 1,12.7 3.3,14 5.2,13.8 7,12';
const BOWL_RIGHT = '0,7 1.8,5.2 3.7,5 6,6.3 7,9.5 6,12.7 3.7,14 1.8,13.8 0,12';
const ARCH = '0,8 2,5.6 4,5 6,6.2 6.5,9! 6.5,14';
const RING = '5,0 1.5,2 0,7 1.5,12 5,14 8.5,12 10,7 8.5,2 5,0';
const P_SHAPE = '0,14 0,0! 5,0! 8,1.2 8.7,4 8,6.8 5,8! 0,8';
const S_SHAPE =
  '8.3,2.5 6.5,0.5 4.2,0 1.3,1.2 0.6,3.6 2,6 6.5,7.7 8.6,10.3 7.7,13 4.5,14 1.7,13.2 0,11';

const GLYPHS: Record<string, string> = {
  '!': '1,0 1,9|1,13.6 1,14',
  '"': '0,0 0,4|3,0 3,4',
  '#': '3,1 1,13|8,1 6,13|0,5 9,5|0,9 9,9',
  $: `${S_SHAPE}|4.4,-2 4.4,16`,
  '%': '10,0 0,14|2.2,0.5 0.4,2.6 2.2,4.8 4,2.6 2.2,0.5|7.8,9.2 6,11.4 7.8,13.5 9.6,11.4 7.8,9.2',
  '&': '10,14 3,5 2.6,1.6 5,0 7,1.6 6.4,4 1.6,8 0,11 2,13.6 5,14 8,12 10,8',
  "'": '0,0 0,4',
  '(': '3,-1 0.6,4 0.6,10 3,15',
  ')': '0,-1 2.4,4 2.4,10 0,15',
  '*': '3,2 3,8|0,3.4 6,6.6|6,3.4 0,6.6',
  '+': '4,5 4,13|0,9 8,9',
  ',': '1,13.6 1,14.4 0,17',
  '-': '0,9 5,9',
  '.': '0,13.6 0,14',
  '/': '6,-1 0,15',
  '0': '4.5,0 1,2 0,7 1,12 4.5,14 8,12 9,7 8,2 4.5,0',
  '1': '0,3 3.4,0! 3.4,14',
  '2': '0.5,3.5 2,0.8 4.5,0 8,1.5 8.3,5 5,9 0,14! 9,14',
  '3': '0.5,2.5 2,0.5 4.5,0 7.6,1.3 7.6,5 4,6.5! 8,7.8 9,10.5 7,13.5 4,14 1,13 0,11',
  '4': '7,14 7,0! 0,10! 9.5,10',
  '5': '8.5,0 1.5,0! 0.8,6.3! 4.5,5 8,6.5 9,9.5 7.5,13 4,14 1,13 0,11.5',
  '6': '8,1.5 5,0 1.5,2 0,8 1,12.5 4.5,14 8,12.5 9,9.5 8,6.5 5,5.2 1.5,6.8 0.2,9.5',
  '7': '0,0 9,0! 3.5,14',
  '8':
    '4.5,6.4 1.5,5 0.8,3 2,0.7 4.5,0 7,0.7 8.2,3 7.5,5 4.5,6.4 1,8.2 0,10.5 1.3,13.2 4.5,14' +
    ' 7.7,13.2 9,10.5 8,8.2 4.5,6.4',
  '9': '1,12.5 4,14 7.5,12 9,6 8,1.5 4.5,0 1,1.5 0,4.5 1,7.5 4,8.8 7.5,7.2 8.8,4.5',
  ':': '0,6.4 0,6.8|0,13.6 0,14',
  ';': '1,6.4 1,6.8|1,13.6 1,14.4 0,17',
  '<': '7,4 0,9! 7,14',
  '=': '0,7 8,7|0,11 8,11',
  '>': '0,4 7,9! 0,14',
  '?': '0,3 2,0.5 4,0 7,1.5 6.6,4.4 4,7 3.7,10|3.7,13.6 3.7,14',
  '@': '8,10 5,11 3.5,9 4,6 6.5,5 8,6 8,10 10,10.5 11.5,7 9,2 5,1 1,4 0,9 2,13.5 6,15 9,14',
  A: '0,14 5,0! 10,14|1.8,9 8.2,9',
  B: '0,0 0,14! 5,14! 7.8,13 8.6,10.3 7.8,7.8 5,6.7! 0,6.7|5,6.7 7.2,5.6 7.8,3.3 7,0.9 4.5,0! 0,0',
  C: '9,3 7.3,0.8 5,0 1.5,2 0,7 1.5,12 5,14 7.3,13.2 9,11',
  D: '0,0 0,14! 4,14! 8,12 9.5,7 8,2 4,0! 0,0',
  E: '8,0 0,0! 0,14! 8,14|0,6.8 7,6.8',
  F: '8,0 0,0! 0,14|0,6.8 7,6.8',
  G: '9,3 7.3,0.8 5,0 1.5,2 0,7 1.5,12 5,14 9.2,12! 9.2,8! 5.5,8',
  H: '0,0 0,14|9,0 9,14|0,7 9,7',
  I: '0,0 0,14',
  J: '6,0 6,10! 5.2,13 3,14 0.9,13 0,11',
  K: '0,0 0,14|8,0 0,8.5|3,6 8.5,14',
  L: '0,0 0,14! 7.5,14',
  M: '0,14 0,0! 5.5,9! 11,0! 11,14',
  N: '0,14 0,0! 9,14! 9,0',
  O: RING,
  P: P_SHAPE,
  Q: `${RING}|6,10.5 10,15`,
  R: `${P_SHAPE}|4.5,8 9,14`,
  S: S_SHAPE,
  T: '0,0 10,0|5,0 5,14',
  U: '0,0 0,9! 1.2,12.8 4.5,14 7.8,12.8 9,9! 9,0',
  V: '0,0 5,14! 10,0',
  W: '0,0 3.5,14! 7,1! 10.5,14! 14,0',
  X: '0,0 9,14|9,0 0,14',
  Y: '0,0 4.75,7! 4.75,14|9.5,0 4.75,7',
  Z: '0,0 9,0! 0,14! 9,14',
  '[': '3,-1 0,-1! 0,15! 3,15',
  '\\': '0,-1 6,15',
  ']': '0,-1 3,-1! 3,15! 0,15',
  '^': '0,5 3,0! 6,5',
  _: '0,16 8,16',
  '`': '0,0 2,3',
  a: `7,5 7,14|${BOWL_LEFT}`,
  b: `0,0 0,14|${BOWL_RIGHT}`,
  c: '6.5,6.5 5.2,5.3 3.7,5 1,6.3 0,9.5 1,12.7 3.7,14 5.2,13.7 6.5,12.5',
  d: `7,0 7,14|${BOWL_LEFT}`,
  e: '0.2,9.3 7,9.3! 6,6.2 3.7,5 1,6.3 0,9.5 1,12.7 3.7,14 5.3,13.7 6.7,12.3',
  f: '5,0.2 3.6,0 2.3,1.2 2,4! 2,14|0,5 4.5,5',
  g: `7,5 7,14.5! 6,17.3 3.5,18 1,17.2|${BOWL_LEFT}`,
  h: `0,0 0,14|${ARCH}`,
  i: '0,5 0,14|0,1.2 0,1.6',
  j: '2,5 2,15! 1.5,17.3 0,18|2,1.2 2,1.6',
  k: '0,0 0,14|6,5 0,10.5|2.2,8.7 6.5,14',
  l: '0,0 0,14',
  m: '0,5 0,14|0,8 2,5.5 3.7,5 5.3,6.2 5.7,9! 5.7,14|5.7,8 7.7,5.5 9.4,5 11,6.2 11.4,9! 11.4,14',
  n: `0,5 0,14|${ARCH}`,
  o: '3.7,5 1,6.3 0,9.5 1,12.7 3.7,14 6.4,12.7 7.4,9.5 6.4,6.3 3.7,5',
  p: `0,5 0,18|${BOWL_RIGHT}`,
  q: `7,5 7,18|${BOWL_LEFT}`,
  r: '0,5 0,14|0,8 1.7,5.7 3.5,5 4.5,5.2',
  s: '5.6,6.5 4.5,5.2 3,5 1,5.7 0.5,7.2 1.5,8.8 4.3,9.8 5.8,11.4 5,13.4 3,14 1.2,13.6 0,12.3',
  t: '2,1.5 2,11! 2.6,13.4 4.2,14 5,13.8|0,5 4.7,5',
  u: '0,5 0,10! 0.6,12.8 2.7,14 4.7,13.3 6.5,11|6.5,5 6.5,14',
  v: '0,5 3.5,14! 7,5',
  w: '0,5 2.6,14! 5.2,6! 7.8,14! 10.4,5',
  x: '0,5 6.5,14|6.5,5 0,14',
  y: '0,5 3.5,14|7,5 3,15.5! 1.8,17.6 0.2,18',
  z: '0,5 6.3,5! 0,14! 6.3,14',
  '{': '4,-1 2,0 2,5 0,7! 2,9 2,14 4,15',
  '|': '0,-1 0,15',
  '}': '0,-1 2,0 2,5 4,7! 2,9 2,14 0,15',
  '~': '0,10 2,8.4 5,9.8 7,8.2',
  '×': '0,6 6,12|6,6 0,12',
  '–': '0,9 8,9',
  '·': '1,8.8 1,9.2',
  '→': '0,9 11,9|7.5,5.5 11,9! 7.5,12.5',
  '…': '0,13.6 0,14|4,13.6 4,14|8,13.6 8,14',
};

const PARSED = new Map(
  Object.entries(GLYPHS).map(([character, glyph]) => {
    const strokes = glyph.split('|').map((stroke) => parseStroke(stroke, 1));
    const width = Math.max(...strokes.flat().map(([x]) => x));
    return [character, { strokes, width }] as const;
  }),
);

/** Letters with marks lose them; what the font lacks becomes a question mark. */
function characters(text: string): string[] {
  const plain = text.normalize('NFD').replace(/\p{Mn}/gu, '');
  return Array.from(plain, (character) =>
    character === ' ' || PARSED.has(character) ? character : '?',
  );
}

const widthOf = (character: string): number =>
  character === ' ' ? SPACE : PARSED.get(character)!.width;

/** Width of a line of text whose capitals are `size` high. */
export function textWidth(text: string, size: number): number {
  const all = characters(text);
  const width = all.reduce((sum, character) => sum + widthOf(character), 0);
  return ((width + GAP * Math.max(0, all.length - 1)) * size) / CAP_HEIGHT;
}

/** The text, or its beginning and dots where it is wider than there is room. */
export function fitText(text: string, size: number, room: number): string {
  if (textWidth(text, size) <= room) return text;
  const all = Array.from(text);
  while (all.length > 1 && textWidth(`${all.join('')}…`, size) > room) all.pop();
  return `${all.join('').trimEnd()}…`;
}

/**
 * Path data of a line of text: stroke it without fill, about size / 8 wide, with round caps.
 *
 * @param x where the text begins, its middle, or its end, by `anchor`
 * @param y the baseline
 * @param size height of the capitals
 */
export function textPath(
  text: string,
  x: number,
  y: number,
  size: number,
  anchor: 'start' | 'middle' | 'end' = 'start',
): string {
  const scale = size / CAP_HEIGHT;
  const before = { start: 0, middle: 0.5, end: 1 }[anchor] * textWidth(text, size);
  let left = x - before;
  let path = '';
  for (const character of characters(text)) {
    const place = (glyphX: number, glyphY: number): [number, number] => [
      left + glyphX * scale,
      y + (glyphY - CAP_HEIGHT) * scale,
    ];
    for (const stroke of PARSED.get(character)?.strokes ?? []) path += strokePath(stroke, place);
    left += (widthOf(character) + GAP) * scale;
  }
  return path;
}
