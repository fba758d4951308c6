const LARGEST = (2 - 2 ** -23) * 2 ** 127;
/** Smaller numbers are denormal, and GPUs may flush them to 0. */
const SMALLEST = 2 ** -126;

export const F32_SMALLEST = SMALLEST.toPrecision(3);
/** The range of a setting's absolute value, except 0, for messages. */
export const F32_RANGE = `${F32_SMALLEST} to ${LARGEST.toPrecision(3)}`;

/**
 * Whether f32, the type of every setting on the GPU, can represent the number: it becomes neither ±∞
 * nor 0.
 */
export function isF32(value: number): boolean {
  const size = Math.abs(value);
  return size === 0 || (size >= SMALLEST && size <= LARGEST);
}
