import { UsageError } from '../errors.js';
import { F32_RANGE, isF32 } from '../gpu/f32.js';
import type { AugmentRule } from '../kernels/augment.js';

/** Random changes of images. A setting that is absent is off. */
export interface AugmentSettings {
  /** Probability of a horizontal flip. `flip` in the text form means 0.5. */
  flip?: number;
  /** Farthest shift, as a share of the size; or of height and of width. At most 1. */
  shift?: number | readonly [height: number, width: number];
  /** Largest rotation about the middle, in degrees, either way. At most 180. */
  rotation?: number;
  /** Largest zoom: sizes become 1 − zoom to 1 + zoom of what they were. Below 1. */
  zoom?: number;
  /** Values are multiplied by 1 − brightness to 1 + brightness. At most 1. */
  brightness?: number;
  /**
   * Moves the lines of a grid of steps × steps cells. On each axis every step becomes wider or narrower
   * by up to the share `limit`; then all are scaled to fill the image.
   */
  gridDistortion?: { probability?: number; limit?: number; steps?: number };
  /**
   * A smooth random field displaces every point by up to `strength`, a share of the image size.
   * `smoothness` is the standard deviation of the Gaussian that smooths it, as a share of the size.
   */
  elastic?: { probability?: number; strength?: number; smoothness?: number };
  /** Probability of each change whose setting is an amount. Default 1. */
  probabilities?: { shift?: number; rotation?: number; zoom?: number; brightness?: number };
  /** What lies beyond the edge: the nearest pixel (default), `fillValue`, or the mirror image. */
  fill?: AugmentRule['fill'];
  /** 0, black, to 1, white. Default 0. */
  fillValue?: number;
}

/** The probability that `flip` alone means in the text form. */
export const FLIP_PROBABILITY = 0.5;
export const GRID_DEFAULTS = { probability: 1, limit: 0.3, steps: 5 } as const;
export const ELASTIC_DEFAULTS = { probability: 1, strength: 0.06, smoothness: 0.1 } as const;
/** Largest number of grid cells per axis. */
const MOST_STEPS = 32;
const FILLS: readonly AugmentRule['fill'][] = ['nearest', 'constant', 'reflect'];

/**
 * Checks the settings and fills in the defaults, for the kernel; null if they change nothing.
 *
 * @throws UsageError for a number out of range; the error uses the names of the text form
 */
export function augmentRule(settings: AugmentSettings): AugmentRule | null {
  const { probabilities = {}, fill = 'nearest', fillValue = 0 } = settings;
  const shift = settings.shift ?? 0;
  const [height, width] = typeof shift === 'number' ? [shift, shift] : shift;
  within('shift', Math.max(height, width), 0, 1);
  within('shift', Math.min(height, width), 0, 1);
  const rotation = within('rotation', settings.rotation ?? 0, 0, 180);
  const zoom = within('zoom', settings.zoom ?? 0, 0, 0.95);
  const brightness = within('brightness', settings.brightness ?? 0, 0, 1);
  if (!FILLS.includes(fill)) {
    throw new UsageError(`augment: fill must be ${FILLS.join(', ')}, got ${String(fill)}`);
  }
  /** 0 if the amount is 0. */
  const chance = (name: keyof typeof probabilities, most: number): number => {
    const probability = within(`probability of ${name}`, probabilities[name] ?? 1, 0, 1);
    return most > 0 ? probability : 0;
  };
  const rule: AugmentRule = {
    flip: within('probability of flip', settings.flip ?? 0, 0, 1),
    shift: { probability: chance('shift', Math.max(height, width)), height, width },
    rotation: { probability: chance('rotation', rotation), most: (rotation * Math.PI) / 180 },
    zoom: { probability: chance('zoom', zoom), most: zoom },
    brightness: { probability: chance('brightness', brightness), most: brightness },
    grid: gridRule(settings.gridDistortion),
    elastic: elasticRule(settings.elastic),
    fill,
    fillValue: within('fill value', fillValue, 0, 1),
  };
  const chances = [rule.shift, rule.rotation, rule.zoom, rule.brightness, rule.grid, rule.elastic];
  const isIdle = rule.flip === 0 && chances.every(({ probability }) => probability === 0);
  return isIdle ? null : rule;
}

function gridRule(settings: AugmentSettings['gridDistortion']): AugmentRule['grid'] {
  const { probability, limit, steps } = { ...GRID_DEFAULTS, ...settings };
  within('probability of grid', probability, 0, 1);
  within('limit of grid', limit, 0, 0.95);
  within('steps of grid', steps, 1, MOST_STEPS);
  if (!Number.isInteger(steps)) {
    throw new UsageError(`augment: steps of grid must be a whole number, got ${steps}`);
  }
  return { probability: settings && limit > 0 ? probability : 0, limit, steps };
}

function elasticRule(settings: AugmentSettings['elastic']): AugmentRule['elastic'] {
  const { probability, strength, smoothness } = { ...ELASTIC_DEFAULTS, ...settings };
  within('probability of elastic', probability, 0, 1);
  within('strength of elastic', strength, 0, 1);
  within('smoothness of elastic', smoothness, 0.02, 1);
  // A cubic B-spline of knots d apart has the variance d² / 3 of a Gaussian with σ = d / √3.
  const spans = Math.max(1, Math.round(1 / (Math.sqrt(3) * smoothness)));
  return { probability: settings && strength > 0 ? probability : 0, strength, spans };
}

function within(name: string, value: number, least: number, most: number): number {
  if (typeof value === 'number' && value >= least && value <= most) {
    if (isF32(value)) return value;
    throw new UsageError(`augment: ${name} must be 0, or ${F32_RANGE} in size (f32), got ${value}`);
  }
  throw new UsageError(`augment: ${name} must lie in [${least}, ${most}], got ${String(value)}`);
}
