import type { DeviceInfo } from '../../gpu/adapter.js';
import { bytesPerElement, type DType } from '../../gpu/array.js';

/**
 * The sizes of a convolution. Letters: input N H W C, filter R S C K, output N P Q K. Relations after
 * "A guide to convolution arithmetic for deep learning", arXiv:1603.07285.
 */
export interface Conv2dGeometry {
  n: number;
  h: number;
  w: number;
  c: number;
  r: number;
  s: number;
  k: number;
  p: number;
  q: number;
  strideH: number;
  strideW: number;
  padTop: number;
  padBottom: number;
  padLeft: number;
  padRight: number;
  dilationH: number;
  dilationW: number;
  groups: number;
}

/** The greatest common divisor. */
export function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** A convolution that may write a strided subset of a larger image. */
export interface ConvolutionWindow {
  geometry: Conv2dGeometry;
  /** Rows and columns to compute, and where to write them. */
  outputs: readonly [number, number];
  first: readonly [number, number];
  step: readonly [number, number];
}

/** All outputs of a convolution. */
export function wholeOutput(geometry: Conv2dGeometry): ConvolutionWindow {
  return { geometry, outputs: [geometry.p, geometry.q], first: [0, 0], step: [1, 1] };
}

/** Element types of the operands: f16 is read as it is, and summed and written as f32. */
export interface Conv2dTypes {
  x: DType;
  w: DType;
}

export const conv2dDirections = ['forward', 'gradInput', 'gradWeight'] as const;
export type Conv2dDirection = (typeof conv2dDirections)[number];

/**
 * What a kernel is chosen for. The types are those of the launcher's operands; in a gradient one is dy.
 */
export interface Conv2dProblem {
  direction: Conv2dDirection;
  geometry: Conv2dGeometry;
  types: Conv2dTypes;
  info: DeviceInfo;
}

export const f32Operands: Conv2dTypes = { x: 'f32', w: 'f32' };

/** FLOP of one direction, and bytes when each array is touched once. */
export function conv2dCost(
  geometry: Conv2dGeometry,
  types: Partial<Conv2dTypes> = {},
): { flops: number; bytes: number } {
  const { n, h, w, c, r, s, k, p, q, groups } = geometry;
  return {
    flops: 2 * n * p * q * k * r * s * (c / groups),
    bytes:
      bytesPerElement[types.x ?? 'f32'] * n * h * w * c +
      bytesPerElement[types.w ?? 'f32'] * r * s * (c / groups) * k +
      4 * n * p * q * k,
  };
}

export const geometryFields = [
  ...(['n', 'h', 'w', 'c', 'r', 's', 'k', 'p', 'q', 'strideH', 'strideW'] as const),
  ...(['padTop', 'padBottom', 'padLeft', 'padRight', 'dilationH', 'dilationW', 'groups'] as const),
] satisfies (keyof Conv2dGeometry)[];

/** Key of tuned choices; src/tune/kernel_key.ts parses it. */
export function convolutionKey(
  op: 'conv2d' | 'depthwiseConv2d',
  { direction, geometry, types }: Omit<Conv2dProblem, 'info'>,
): string {
  const numbers = geometryFields.map((field) => `${field}=${geometry[field]}`);
  return `${op} ${direction} ${types.x} ${types.w} ${numbers.join(' ')}`;
}
