import { ShapeError } from '../../errors.js';

/** Copy single elements, or vectors of four. */
export const copyVariants = ['naive', 'vec4'] as const;
export type CopyVariant = (typeof copyVariants)[number];

/** A box inside a larger array, in at most four dimensions. */
export interface BoxGeometry {
  /** Sizes of the larger array and the box, and the box's offset; padded with leading 1s to four axes. */
  outer: readonly number[];
  inner: readonly number[];
  begin: readonly number[];
}

/**
 * The box with as few axes as possible: an axis that the box covers entirely merges with the one before
 * it, so padding the height and width of images needs three axes.
 */
export function boxGeometry(
  op: string,
  outer: readonly number[],
  inner: readonly number[],
  begin: readonly number[],
): BoxGeometry {
  const merged = { outer: [] as number[], inner: [] as number[], begin: [] as number[] };
  outer.forEach((length, axis) => {
    const isWhole = inner[axis] === length;
    const last = merged.outer.length - 1;
    if (isWhole && last >= 0) {
      for (const list of [merged.outer, merged.inner, merged.begin]) list[last] *= length;
    } else {
      merged.outer.push(length);
      merged.inner.push(inner[axis]);
      merged.begin.push(begin[axis]);
    }
  });
  if (merged.outer.length > 4) {
    throw new ShapeError(
      `${op}: expected at most 4 axes that are cut or padded, got [${inner.join(', ')}] in [${outer.join(', ')}]`,
      'do it in two steps, some axes each',
    );
  }
  const fill = (list: number[], value: number): number[] => [
    ...Array.from({ length: 4 - list.length }, () => value),
    ...list,
  ];
  return {
    outer: fill(merged.outer, 1),
    inner: fill(merged.inner, 1),
    begin: fill(merged.begin, 0),
  };
}

/** True where whole vectors of four elements can be copied. */
export function fitsBoxVectors({ outer, inner, begin }: BoxGeometry): boolean {
  return outer[3] % 4 === 0 && inner[3] % 4 === 0 && begin[3] % 4 === 0;
}

/** Vectors wherever they fit: fewer, wider loads on every adapter. */
export function chooseBoxVariant(box: BoxGeometry): CopyVariant {
  return fitsBoxVectors(box) ? 'vec4' : 'naive';
}

/** The sizes as kernel parameters; vec4 counts the last axis in vectors. */
export function boxParams(
  { outer, inner, begin }: BoxGeometry,
  variant: CopyVariant,
): { outer: number[]; inner: number[]; begin: number[] } {
  const width = variant === 'vec4' ? 4 : 1;
  const scaled = (list: readonly number[]): number[] => list.with(3, list[3] / width);
  return { outer: scaled(outer), inner: scaled(inner), begin: scaled(begin) };
}

/** The `Elem` tunable of kernels that copy words. */
export function copyElem(variant: CopyVariant): string {
  return variant === 'vec4' ? 'vec4<u32>' : 'u32';
}
