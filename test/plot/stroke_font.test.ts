import { describe, expect, it } from 'vitest';
import { fitText, textPath, textWidth } from '../../src/plot/stroke_font.js';
import { parseStroke, strokePath } from '../../src/plot/strokes.js';

describe('strokePath', () => {
  const place = (x: number, y: number): [number, number] => [x * 10, y];

  it('runs straight between two points, and smoothly through more', () => {
    expect(strokePath(parseStroke('0,0 3,6', 1), place)).toBe('M0 0C5 1 25 5 30 6');
    expect(strokePath(parseStroke('0,0 3,0 6,6', 1), place)).toBe(
      'M0 0C5 0 20 -1 30 0C40 1 55 5 60 6',
    );
  });

  it('breaks at corners, and closes without one', () => {
    expect(strokePath(parseStroke('0,0 3,0! 3,6', 1), place)).toBe(
      'M0 0C5 0 25 0 30 0C30 1 30 5 30 6',
    );
    // At the closing point the curve leaves in the direction in which it arrives.
    const closed = strokePath(parseStroke('0,0 6,0 6,6 0,6 0,0', 1), place);
    expect(closed).toMatch(/^M0 0C10 -1 /);
    expect(closed).toMatch(/ -10 1 0 0$/);
  });
});

describe('the stroke font', () => {
  it('has every printable ASCII character', () => {
    const question = textPath('?', 0, 0, 14);
    for (let code = 33; code < 127; code++) {
      const character = String.fromCharCode(code);
      const path = textPath(character, 0, 0, 14);
      expect(path).toMatch(/^M/);
      if (character !== '?') expect(path, character).not.toBe(question);
    }
    expect(textPath('é', 0, 0, 14)).toBe(textPath('e', 0, 0, 14));
    expect(textPath('漢', 0, 0, 14)).toBe(question);
  });

  it('measures and anchors what it writes', () => {
    expect(textWidth('', 14)).toBe(0);
    expect(textWidth('H', 14)).toBe(9);
    expect(textWidth('HH', 28)).toBe(2 * (9 + 4 + 9));
    expect(textPath('H', 0, 14, 14)).toMatch(/^M0 0/);
    expect(textPath('H', 9, 14, 14, 'end')).toBe(textPath('H', 0, 14, 14));
    expect(textPath('H', 4.5, 14, 14, 'middle')).toBe(textPath('H', 0, 14, 14));
  });

  it('cuts text that is too long', () => {
    expect(fitText('short', 14, 1000)).toBe('short');
    const cut = fitText('a rather long caption', 14, 100);
    expect(cut).toMatch(/^a rat.*…$/);
    expect(textWidth(cut, 14)).toBeLessThanOrEqual(100);
  });
});
