const LARGEST = (2 - 2 ** -23) * 2 ** 127;
/** Smaller ones have fewer digits, and GPUs may take them for 0. */
const SMALLEST = 2 ** -126;

export const F32_SMALLEST = SMALLEST.toPrecision(3);
/** The sizes that a setting may have beside 0, for messages. */
export const F32_RANGE = `${F32_SMALLEST} to ${LARGEST.toPrecision(3)}`;

/** Whether f32, which every setting becomes on the GPU, has the number: neither ±∞ nor lost in 0. */
export function isF32(value: number): boolean {
  const size = Math.abs(value);
  return size === 0 || (size >= SMALLEST && size <= LARGEST);
}
