import { UsageError } from '../errors.js';
import { didYouMean } from '../gpu/nearest_name.js';
import {
  augmentRule,
  ELASTIC_DEFAULTS,
  FLIP_PROBABILITY,
  GRID_DEFAULTS,
  type AugmentSettings,
} from './augment_settings.js';

/** An amount, with its probability in front unless that is 1. */
const FAR = '[PROBABILITY:]MOST';
/** The form of each name's value. */
const FORMS = {
  flip: '[PROBABILITY]',
  shift: FAR,
  'shift-height': FAR,
  'shift-width': FAR,
  rotation: FAR,
  zoom: FAR,
  brightness: FAR,
  grid: '[PROBABILITY[:LIMIT[:STEPS]]]',
  elastic: '[PROBABILITY[:STRENGTH[:SMOOTHNESS]]]',
  fill: 'nearest, reflect or constant[:VALUE]',
} as const;

type Name = keyof typeof FORMS;

/** The smallest and largest number of values of a name. */
const COUNTS: Record<Exclude<Name, 'fill'>, readonly [least: number, most: number]> = {
  flip: [0, 1],
  shift: [1, 2],
  'shift-height': [1, 2],
  'shift-width': [1, 2],
  rotation: [1, 2],
  zoom: [1, 2],
  brightness: [1, 2],
  grid: [0, 3],
  elastic: [0, 3],
};

/**
 * Settings from their text form: names with values, separated by commas, or `none`.
 *
 *     flip,shift=0.1,rotation=15       mirrored half the time, shifted, turned
 *     shift-width=0.5:0.1              half the time, by up to a tenth of the width
 *     grid=0.2,elastic=0.2             each with this probability
 *     grid=0.2:0.3:5,elastic=0.2:0.06:0.1   with limit and steps, strength and smoothness
 *     fill=constant:0.5                grey beyond the edge
 *
 * @throws UsageError naming the names there are, the form of a value, or the range of a number
 *
 * @example
 * parseAugment('flip,shift=0.1'); // { flip: 0.5, shift: 0.1 }
 */
export function parseAugment(text: string): AugmentSettings {
  const settings: AugmentSettings = {};
  if (text.trim() === 'none') return settings;
  const seen = new Map<Name, string>();
  for (const part of text.split(',')) {
    const [key, ...values] = part.split('=').map((each) => each.trim());
    if (!Object.hasOwn(FORMS, key)) {
      const known = Object.keys(FORMS).join(', ');
      throw new UsageError(
        `augment: there is no ${JSON.stringify(key)} (in ${JSON.stringify(text)})`,
        didYouMean(key, Object.keys(FORMS)) ?? `write none, or, separated by commas, ${known}`,
      );
    }
    const name = key as Name;
    if (seen.has(name)) throw new UsageError(`augment: ${name} stands twice in "${text}"`);
    if (values.length > 1) throw malformed(name, values.join('='));
    seen.set(name, values[0] ?? '');
  }
  if (seen.has('shift') && (seen.has('shift-height') || seen.has('shift-width'))) {
    throw new UsageError(
      `augment: shift is of both axes already (in "${text}")`,
      'write shift-height and shift-width, or shift alone',
    );
  }
  for (const [name, value] of seen) put(settings, name, value);
  augmentRule(settings);
  return settings;
}

function malformed(name: Name, value: string): UsageError {
  return new UsageError(
    `augment: expected ${name}=${FORMS[name]}, got ${JSON.stringify(value === '' ? name : `${name}=${value}`)}`,
  );
}

function put(settings: AugmentSettings, name: Name, value: string): void {
  if (name === 'fill') {
    const match = /^(?:(nearest|reflect)|(constant)(?::(.+))?)$/.exec(value);
    if (!match) throw malformed(name, value);
    settings.fill = (match[1] ?? match[2]) as 'nearest' | 'reflect' | 'constant';
    if (match[3] !== undefined) [settings.fillValue] = numbersOf(name, match[3], 1, 1);
    return;
  }
  const numbers = numbersOf(name, value, ...COUNTS[name]);
  if (name === 'flip') settings.flip = numbers[0] ?? FLIP_PROBABILITY;
  else if (name === 'grid') {
    const { probability, limit, steps } = GRID_DEFAULTS;
    const [a = probability, b = limit, c = steps] = numbers;
    settings.gridDistortion = { probability: a, limit: b, steps: c };
  } else if (name === 'elastic') {
    const { probability, strength, smoothness } = ELASTIC_DEFAULTS;
    const [a = probability, b = strength, c = smoothness] = numbers;
    settings.elastic = { probability: a, strength: b, smoothness: c };
  } else putFar(settings, name, numbers);
}

/** Settings whose number is an amount. */
function putFar(
  settings: AugmentSettings,
  name: Exclude<Name, 'flip' | 'grid' | 'elastic' | 'fill'>,
  numbers: readonly number[],
): void {
  const most = numbers.at(-1)!;
  const key = name === 'shift-height' || name === 'shift-width' ? 'shift' : name;
  if (name === 'shift-height' || name === 'shift-width') {
    const [height, width] = (settings.shift as [number, number] | undefined) ?? [0, 0];
    settings.shift = name === 'shift-height' ? [most, width] : [height, most];
  } else settings[name] = most;
  if (numbers.length < 2) return;
  const before = settings.probabilities?.[key];
  if (before !== undefined && before !== numbers[0]) {
    throw new UsageError(
      `augment: shift-height and shift-width happen together, got probabilities ${before} and ${numbers[0]}`,
      'give one probability, or none',
    );
  }
  settings.probabilities = { ...settings.probabilities, [key]: numbers[0] };
}

function numbersOf(name: Name, value: string, least: number, most: number): number[] {
  const parts = value === '' ? [] : value.split(':');
  const numbers = parts.map((part) => (part.trim() === '' ? NaN : Number(part)));
  if (parts.length >= least && parts.length <= most && numbers.every(Number.isFinite)) {
    return numbers;
  }
  throw malformed(name, value);
}

/**
 * The text form of settings; `parseAugment` returns the same settings with defaults filled in.
 *
 * @example
 * augmentText({ flip: 0.5, shift: [0, 0.1] }); // 'flip,shift-width=0.1'
 */
export function augmentText(settings: AugmentSettings): string {
  augmentRule(settings);
  const { flip, shift = 0, gridDistortion, elastic, probabilities = {} } = settings;
  const parts: string[] = [];
  const far = (name: Name, key: keyof typeof probabilities, most: number): void => {
    const probability = probabilities[key] ?? 1;
    if (most > 0) parts.push(`${name}=${probability === 1 ? '' : `${probability}:`}${most}`);
  };
  if (flip) parts.push(flip === FLIP_PROBABILITY ? 'flip' : `flip=${flip}`);
  const [height, width] = typeof shift === 'number' ? [shift, shift] : shift;
  if (height === width) far('shift', 'shift', height);
  else {
    far('shift-height', 'shift', height);
    far('shift-width', 'shift', width);
  }
  for (const name of ['rotation', 'zoom', 'brightness'] as const) {
    far(name, name, settings[name] ?? 0);
  }
  if (gridDistortion) {
    const { probability, limit, steps } = { ...GRID_DEFAULTS, ...gridDistortion };
    const isUsual = limit === GRID_DEFAULTS.limit && steps === GRID_DEFAULTS.steps;
    parts.push(`grid=${isUsual ? probability : `${probability}:${limit}:${steps}`}`);
  }
  if (elastic) {
    const { probability, strength, smoothness } = { ...ELASTIC_DEFAULTS, ...elastic };
    const { strength: usual, smoothness: usually } = ELASTIC_DEFAULTS;
    const isUsual = strength === usual && smoothness === usually;
    parts.push(`elastic=${isUsual ? probability : `${probability}:${strength}:${smoothness}`}`);
  }
  if (settings.fill === 'constant') {
    parts.push(settings.fillValue ? `fill=constant:${settings.fillValue}` : 'fill=constant');
  } else if (settings.fill === 'reflect') parts.push('fill=reflect');
  return parts.length > 0 ? parts.join(',') : 'none';
}
