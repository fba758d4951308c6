import { ShapeError } from '../errors.js';
import { F32_RANGE, isF32 } from '../gpu/f32.js';

/** The option, once it is a number of f32 in [low, high]. */
export function inRange(name: string, value: unknown, low: number, high: number): number {
  if (typeof value !== 'number') {
    const came = typeof value === 'string' ? JSON.stringify(value) : String(value);
    throw new ShapeError(`optimizer: ${name} must be a number, got ${came} (${typeof value})`);
  }
  if (value >= low && value <= high && isF32(value)) return value;
  let range = high === Infinity ? `at least ${low}` : `in [${low}, ${high}]`;
  if (!Number.isNaN(value) && !isF32(value)) range = `0, or ${F32_RANGE} in size (f32)`;
  throw new ShapeError(`optimizer: ${name} must be ${range}, got ${value}`);
}
