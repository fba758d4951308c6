import type { DType, GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { castArray } from '../kernels/cast.js';
import { chooseConv2dVariant } from '../kernels/conv2d/choose.js';
import { conv2dForward, conv2dGradInput, conv2dGradWeight } from '../kernels/conv2d/conv2d.js';
import type { Conv2dGeometry } from '../kernels/conv2d/geometry.js';
import {
  conv2dVariants,
  supportedConv2dVariants,
  type Conv2dVariant,
} from '../kernels/conv2d/variants.js';
import { chooseDepthwiseVariant } from '../kernels/depthwise_conv2d/choose.js';
import {
  depthwiseConv2dForward,
  depthwiseConv2dGradInput,
  depthwiseConv2dGradWeight,
} from '../kernels/depthwise_conv2d/depthwise_conv2d.js';
import {
  supportedDepthwiseVariants,
  type DepthwiseVariant,
} from '../kernels/depthwise_conv2d/variants.js';
import { allowedError, sumOfSizes } from '../kernels/lib/accuracy.js';
import { chooseMatmulVariant } from '../kernels/matmul/choose.js';
import type { MatmulGeometry } from '../kernels/matmul/geometry.js';
import { multiply } from '../kernels/matmul/matmul.js';
import { supportedMatmulVariants, type MatmulVariant } from '../kernels/matmul/variants.js';
import { randomArray } from '../kernels/random.js';
import { describeRequest, parseKey, type KernelRequest } from './kernel_key.js';

/** A computation whose kernel can be tuned: the meaning of one key. */
export interface Tunable {
  /** For people. */
  label: string;
  /** Variants that fit and keep the error bound of every op, the naive one first. */
  variants: readonly string[];
  builtIn: string;
  /** How far a variant's result may differ from the naive one's. */
  allowed: (variant: string) => number;
  /** Puts random operands on the GPU. */
  open(): TunableRun;
}

export interface TunableRun {
  /** Records one run; the caller owns the result, which is f32. */
  run(variant: string): GpuArray;
  close(): void;
}

/** The computation of a key on this device; null for an invalid key. */
export function tunableOf(runtime: Runtime, key: string): Tunable | null {
  const request = parseKey(key);
  if (request === null) return null;
  if (request.op === 'matmul') return tunableMatmul(runtime, request);
  return request.op === 'conv2d'
    ? tunableConv2d(runtime, request)
    : tunableDepthwise(runtime, request);
}

type ConvolutionRequest = Exclude<KernelRequest, { op: 'matmul' }>;

function tunableConv2d(runtime: Runtime, request: ConvolutionRequest): Tunable {
  const { direction, geometry, types } = request;
  const problem = { direction, geometry, types, info: runtime.info };
  const terms = termsOf(geometry)[direction];
  const bound = boundOf(terms);
  return {
    label: describeRequest(request),
    variants: supportedConv2dVariants(problem).filter((name) => !conv2dVariants[name].isInaccurate),
    builtIn: chooseConv2dVariant(problem),
    allowed: (name) =>
      bound * (conv2dVariants[name as Conv2dVariant].slack?.(direction, terms) ?? 1),
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
  const bound = boundOf(termsOf(geometry)[direction]);
  return {
    label: describeRequest(request),
    variants: supportedDepthwiseVariants({ direction, geometry }),
    builtIn: chooseDepthwiseVariant({ direction, geometry, info: runtime.info }),
    allowed: () => bound,
    open() {
      // The filter [R S C M] has the memory layout of one with C groups, [R S 1 C·M].
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

function boundOf(terms: number): number {
  return allowedError(terms, sumOfSizes(terms));
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
  const problem = { geometry, types, info: runtime.info };
  const bound = boundOf(geometry.k);
  return {
    label: describeRequest(request),
    variants: supportedMatmulVariants(problem),
    builtIn: chooseMatmulVariant(problem),
    allowed: () => bound,
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
