import { describe, expect, it } from 'vitest';
import type { AugmentSettings } from '../../src/autograd/augment_settings.js';
import { augmentText, parseAugment } from '../../src/autograd/augment_text.js';
import { UsageError } from '../../src/errors.js';

const grid = { probability: 1, limit: 0.3, steps: 5 };
const elastic = { probability: 1, strength: 0.06, smoothness: 0.1 };

const texts: [text: string, settings: AugmentSettings][] = [
  ['none', {}],
  ['flip', { flip: 0.5 }],
  ['flip=0.25', { flip: 0.25 }],
  ['flip,shift=0.1,rotation=15', { flip: 0.5, shift: 0.1, rotation: 15 }],
  ['shift-width=0.1', { shift: [0, 0.1] }],
  ['shift-height=0.1,shift-width=0.2', { shift: [0.1, 0.2] }],
  ['shift=0.5:0.1', { shift: 0.1, probabilities: { shift: 0.5 } }],
  ['shift-height=0.5:0.3', { shift: [0.3, 0], probabilities: { shift: 0.5 } }],
  [
    'rotation=0.3:20,zoom=0.2,brightness=0.9:0.4',
    {
      ...{ rotation: 20, zoom: 0.2, brightness: 0.4 },
      probabilities: { rotation: 0.3, brightness: 0.9 },
    },
  ],
  ['grid=1', { gridDistortion: grid }],
  [
    'flip,shift-width=0.1,grid=0.2,elastic=0.2',
    {
      flip: 0.5,
      shift: [0, 0.1],
      gridDistortion: { ...grid, probability: 0.2 },
      elastic: { ...elastic, probability: 0.2 },
    },
  ],
  ['grid=0.2:0.4:5', { gridDistortion: { probability: 0.2, limit: 0.4, steps: 5 } }],
  ['elastic=1:0.06:0.05', { elastic: { ...elastic, smoothness: 0.05 } }],
  ['flip,fill=reflect', { flip: 0.5, fill: 'reflect' }],
  ['shift=0.1,fill=constant', { shift: 0.1, fill: 'constant' }],
  ['shift=0.1,fill=constant:0.5', { shift: 0.1, fill: 'constant', fillValue: 0.5 }],
];

describe('the text of augmentations', () => {
  it.each(texts)('%s', (text, settings) => {
    expect(parseAugment(text)).toEqual(settings);
    expect(augmentText(settings)).toBe(text);
  });

  it.each([
    [' none ', 'none'],
    ['rotation = 15 , flip', 'flip,rotation=15'],
    ['grid', 'grid=1'],
    ['elastic=0.2:0.06', 'elastic=0.2'],
    ['grid=0.2:0.4', 'grid=0.2:0.4:5'],
    ['shift-width=0.1,shift-height=0.1', 'shift=0.1'],
    ['flip=0,shift=0', 'none'],
    ['flip,fill=nearest', 'flip'],
  ])('%s is written %s', (text, usual) => {
    expect(augmentText(parseAugment(text))).toBe(usual);
    expect(augmentText(parseAugment(usual))).toBe(usual);
  });

  it.each([
    ['flop', 'there is no "flop"', 'did you mean "flip"?'],
    ['', 'there is no ""', 'none, or, separated by commas, flip, shift, shift-height'],
    ['flip,', 'there is no ""'],
    ['none,flip', 'there is no "none"'],
    ['flip,flip', 'flip stands twice'],
    ['shift=0.1,shift-width=0.2', 'shift is of both axes already', 'shift-height and shift-width'],
    ['shift', 'expected shift=[PROBABILITY:]MOST, got "shift"'],
    ['shift=a', 'expected shift=[PROBABILITY:]MOST, got "shift=a"'],
    ['rotation=1:2:3', 'expected rotation=[PROBABILITY:]MOST, got "rotation=1:2:3"'],
    ['rotation=1=2', 'expected rotation=[PROBABILITY:]MOST, got "rotation=1=2"'],
    ['grid=1::5', 'expected grid=[PROBABILITY[:LIMIT[:STEPS]]], got "grid=1::5"'],
    ['fill=wrap', 'expected fill=nearest, reflect or constant[:VALUE], got "fill=wrap"'],
    ['fill', 'expected fill=nearest, reflect or constant[:VALUE], got "fill"'],
    ['shift=2', 'shift must lie in [0, 1], got 2'],
    ['flip=2', 'probability of flip must lie in [0, 1], got 2'],
    ['rotation=2:15', 'probability of rotation must lie in [0, 1], got 2'],
    ['fill=constant:2', 'fill value must lie in [0, 1], got 2'],
    ['grid=0.2:0.3:2.5', 'steps of grid must be a whole number, got 2.5'],
    ['shift-height=0.5:0.1,shift-width=0.4:0.1', 'happen together, got probabilities 0.5 and 0.4'],
  ])('%s is refused', (text, ...parts) => {
    const parse = (): unknown => parseAugment(text);
    expect(parse).toThrow(UsageError);
    expect(parse).toThrow(/^augment: /);
    for (const part of parts) expect(parse).toThrow(part);
  });
});
