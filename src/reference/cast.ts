/**
 * Changes the element type. To i32 and u32 the fraction is cut off and what does not fit goes to the nearest end of the
 * range; to f32 and f16 the nearest representable number is taken. Between floats the gradient passes unchanged.
 */
import { copyOutput, fillOutput, need } from './lib/arrays.js';
import type { Reference, RefOutput } from './types.js';

export type CastReferenceOptions = { dtype: 'f32' | 'f16' | 'i32' | 'u32' };

/** Nearest binary16 number, ties to even: 11 significant bits, none finer than 2⁻²⁴, infinity from 65520 on. */
export function roundToF16(value: number): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(value))), -14);
  const unit = 2 ** (exponent - 10);
  const quotient = value / unit;
  const floor = Math.floor(quotient);
  const isUp = quotient - floor > 0.5 || (quotient - floor === 0.5 && floor % 2 !== 0);
  const rounded = (isUp ? floor + 1 : floor) * unit;
  return Math.abs(rounded) > 65504 ? Math.sign(value) * Infinity : rounded;
}

function truncate(value: number, least: number, most: number): number {
  return Math.min(Math.max(Math.trunc(value), least), most);
}

const casts: Readonly<Record<CastReferenceOptions['dtype'], (value: number) => number>> = {
  f32: Math.fround,
  f16: roundToF16,
  i32: (value) => truncate(value, -(2 ** 31), 2 ** 31 - 1),
  u32: (value) => truncate(value, 0, 2 ** 32 - 1),
};

export const castReference: Reference<CastReferenceOptions> = {
  forward(inputs, { dtype }) {
    const x = need(inputs, 'x');
    return { y: fillOutput(x.shape, (flat) => ({ value: casts[dtype](x.data[flat]) })) };
  },
  backward(inputs, { dtype }, dy): Record<string, RefOutput> {
    if (dtype === 'i32' || dtype === 'u32') return {};
    return { x: copyOutput(need(inputs, 'x').shape, dy, (flat) => flat) };
  },
};
