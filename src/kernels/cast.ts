import type { DType, GpuArray } from '../gpu/array.js';
import type { DispatchRequest } from '../gpu/dispatch.js';
import type { Runtime } from '../gpu/runtime.js';

const WORKGROUP = 64;
const LARGEST_I32 = 2 ** 31 - 1;

export const castVariants = ['naive', 'vec4'] as const;
export type CastVariant = (typeof castVariants)[number];

/**
 * Converts to another type and multiplies by `scale`; x [L] → y [L]. If nothing changes the result
 * shares the storage. The caller owns the result.
 *
 * Conversion to i32 and u32 truncates, conversion to u8 rounds; values out of range are clamped.
 */
export function castArray(
  runtime: Runtime,
  array: GpuArray,
  dtype: DType,
  scale = 1,
  variant: CastVariant = chooseVariant(),
): GpuArray {
  if (array.dtype === dtype && scale === 1) return array.retain();
  if (array.dtype === 'u8' && dtype === 'u8') {
    // Scaling bytes to bytes goes through floats, which represent all of them.
    const floats = castArray(runtime, array, 'f32');
    const bytes = castArray(runtime, floats, 'u8', scale);
    floats.release();
    return bytes;
  }
  const y = runtime.alloc(array.shape, dtype);
  const vectors = Math.ceil(array.size / 4);
  const launch = (request: Omit<DispatchRequest, 'op' | 'bindings' | 'groups'>, threads: number) =>
    runtime.dispatch({
      ...request,
      op: `cast ${array.dtype} to ${dtype}`,
      bindings: { x: array, y },
      groups: Math.ceil(threads / WORKGROUP),
      bytes: array.byteLength + y.byteLength,
    });
  if (array.dtype === 'u8') {
    launch(
      {
        shader: 'cast_unpack_vec4',
        tune: { Out: dtype },
        constants: { HAS_SCALE: scale !== 1 },
        params: { words: vectors, scale },
      },
      vectors,
    );
  } else if (dtype === 'u8') {
    launch(
      { shader: 'cast_pack_vec4', tune: { In: array.dtype }, params: { words: vectors, scale } },
      vectors,
    );
  } else {
    const threads = variant === 'vec4' ? vectors : array.size;
    launch(
      {
        shader: `cast_forward_${variant}`,
        tune: { In: array.dtype, Out: dtype },
        constants: {
          NO_NEGATIVES: array.dtype === 'i32' && dtype === 'u32',
          NO_LARGE: array.dtype === 'u32' && dtype === 'i32',
          HAS_SCALE: scale !== 1,
        },
        params: { size: threads, largest: LARGEST_I32, scale },
      },
      threads,
    );
  }
  return y;
}

/** Runs `fn` on the arrays converted to f32. */
export function inF32<T>(
  runtime: Runtime,
  arrays: readonly GpuArray[],
  fn: (...wide: GpuArray[]) => T,
): T {
  const wide = arrays.map((array) => castArray(runtime, array, 'f32'));
  const result = fn(...wide);
  for (const array of wide) array.release();
  return result;
}

/** Only loads and stores: vec4 is faster everywhere. */
function chooseVariant(): CastVariant {
  return 'vec4';
}
