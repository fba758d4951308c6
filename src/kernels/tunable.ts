import type { DType, GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { allowedError, slackOf, sumOfSizes } from './accuracy.js';
import { castArray } from './cast.js';
import {
  chooseVariant,
  conv2dAccurateVariants,
  conv2dForward,
  conv2dGradInput,
  conv2dGradWeight,
  conv2dVariants,
  type Conv2dVariant,
} from './conv2d.js';
import type { Conv2dGeometry } from './conv2d_geometry.js';
import {
  chooseDepthwiseVariant,
  depthwiseConv2dForward,
  depthwiseConv2dGradInput,
  depthwiseConv2dGradWeight,
  depthwiseVariants,
  type DepthwiseVariant,
} from './depthwise_conv2d.js';
import { describeRequest, parseKey, type KernelRequest } from './kernel_key.js';
import { multiply } from './matmul.js';
import type { MatmulGeometry } from './matmul_geometry.js';
import { chooseMatmulVariant, matmulVariants, type MatmulVariant } from './matmul_variants.js';
import { randomArray } from './random.js';

/** A computation whose kernel can be chosen by measuring: what one key stands for. */
export interface Tunable {
  /** For people. */
  label: string;
  /** Variants that fit and keep the error bound of every op, the naive one first. */
  variants: readonly string[];
  builtIn: string;
  /** How far a variant may be from the naive one. */
  allowed: (variant: string) => number;
  /** Puts random operands on the GPU. */
  open(): TunableRun;
}

export interface TunableRun {
  /** Records one run; the caller owns the result, which is f32. */
  run(variant: string): GpuArray;
  close(): void;
}

/** What a key stands for on this device; null for a text that is no key. */
export function tunableOf(runtime: Runtime, key: string): Tunable | null {
  const request = parseKey(key);
  if (request === null) return null;
  if (request.op === 'matmul') return tunableMatmul(runtime, request);
  return request.op === 'conv2d'
    ? tunableConv2d(runtime, request)
    : tunableDepthwise(runtime, request);
}

type ConvolutionRequest = Extract<KernelRequest, { op: 'conv2d' | 'depthwiseConv2d' }>;

function tunableConv2d(runtime: Runtime, request: ConvolutionRequest): Tunable {
  const { info } = runtime;
  const { direction, geometry, types } = request;
  const accurate = conv2dAccurateVariants(geometry, info, types);
  return {
    label: describeRequest(request),
    variants: conv2dVariants(direction, geometry, info, types).filter((v) => accurate.includes(v)),
    builtIn: chooseVariant(direction, geometry, info, types),
    ...bound(termsOf(geometry)[direction], direction),
    open() {
      const [first, second] = conv2dShapes(geometry)[direction];
      const a = randomOperand(runtime, first, types.x);
      const b = randomOperand(runtime, second, types.w);
      const run = (name: string): GpuArray => {
        const variant = name as Conv2dVariant;
        if (direction === 'forward') {
          return conv2dForward(runtime, a, b, undefined, geometry, { variant });
        }
        const launch = direction === 'gradInput' ? conv2dGradInput : conv2dGradWeight;
        return launch(runtime, a, b, geometry, { variant });
      };
      return { run, close: () => releaseBoth(a, b) };
    },
  };
}

function tunableDepthwise(runtime: Runtime, request: ConvolutionRequest): Tunable {
  const { direction, geometry } = request;
  return {
    label: describeRequest(request),
    variants: depthwiseVariants(direction, geometry),
    builtIn: chooseDepthwiseVariant(direction, geometry, runtime.info),
    ...bound(termsOf(geometry)[direction], direction),
    open() {
      // The filter [R S C M] lies in memory as that of C groups, [R S 1 C·M], does.
      const [first, second] = conv2dShapes(geometry)[direction];
      const a = randomOperand(runtime, first, 'f32');
      const b = randomOperand(runtime, second, 'f32');
      const run = (name: string): GpuArray => {
        const variant = name as DepthwiseVariant;
        if (direction === 'forward') {
          return depthwiseConv2dForward(runtime, a, b, undefined, geometry, { variant });
        }
        const launch =
          direction === 'gradInput' ? depthwiseConv2dGradInput : depthwiseConv2dGradWeight;
        return launch(runtime, a, b, geometry, { variant });
      };
      return { run, close: () => releaseBoth(a, b) };
    },
  };
}

function bound(terms: number, direction: string): Pick<Tunable, 'allowed'> {
  const allowed = allowedError(terms, sumOfSizes(terms));
  return { allowed: (variant) => slackOf(variant, direction, terms) * allowed };
}

/** Terms of the sum behind each result. */
function termsOf({ n, p, q, r, s, c, k, groups }: Conv2dGeometry) {
  return {
    forward: (r * s * c) / groups,
    gradInput: (r * s * k) / groups,
    gradWeight: n * p * q,
  };
}

/** Operands by direction: x and w, dy and w, x and dy. */
function conv2dShapes({ n, h, w, c, r, s, k, p, q, groups }: Conv2dGeometry) {
  const x = [n, h, w, c];
  const filter = [r, s, c / groups, k];
  const dy = [n, p, q, k];
  return { forward: [x, filter], gradInput: [dy, filter], gradWeight: [x, dy] };
}

function tunableMatmul(
  runtime: Runtime,
  request: Extract<KernelRequest, { op: 'matmul' }>,
): Tunable {
  const { geometry, types } = request;
  return {
    label: describeRequest(request),
    variants: matmulVariants(geometry, types, runtime.info),
    builtIn: chooseMatmulVariant(geometry, types, runtime.info),
    ...bound(geometry.k, 'forward'),
    open() {
      const [first, second] = matmulShapes(geometry);
      const a = randomOperand(runtime, first, types[0]);
      const b = randomOperand(runtime, second, types[1]);
      const { transposeA, transposeB } = geometry;
      const run = (variant: string): GpuArray =>
        multiply(runtime, a, b, { transposeA, transposeB, variant: variant as MatmulVariant });
      return { run, close: () => releaseBoth(a, b) };
    },
  };
}

/** Operands that have this geometry. */
export function matmulShapes(g: MatmulGeometry): [number[], number[]] {
  const leading = (repeats: number): number[] =>
    g.batchShape.map((length, i) => ((repeats >> i) & 1 ? 1 : length));
  return [
    [...leading(g.aRepeats), ...(g.transposeA ? [g.k, g.m] : [g.m, g.k])],
    [...leading(g.bRepeats), ...(g.transposeB ? [g.n, g.k] : [g.k, g.n])],
  ];
}

function randomOperand(runtime: Runtime, shape: readonly number[], dtype: DType): GpuArray {
  const wide = randomArray(runtime, shape, { kind: 'normal', mean: 0, standardDeviation: 1 });
  if (dtype === 'f32') return wide;
  const narrow = castArray(runtime, wide, dtype);
  wide.release();
  return narrow;
}

function releaseBoth(a: GpuArray, b: GpuArray): void {
  a.release();
  b.release();
}
