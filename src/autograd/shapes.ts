import { ShapeError } from '../errors.js';
import type { Meta } from './record.js';

/** `[N=8 H=32 W=32 C=3]`: a shape with its dimension letters. */
export function label(meta: Meta | undefined, letters: string): string {
  if (!meta) return '[absent]';
  const names = letters.replace('?', '').split(/\s+/).filter(Boolean);
  if (names.length !== meta.shape.length) return `[${meta.shape.join(' ')}]`;
  return `[${meta.shape.map((n, i) => `${names[i]}=${n}`).join(' ')}]`;
}

/** The input, checked to have the rank of its letters and the right element type. */
export function expectInput(
  op: string,
  name: string,
  meta: Meta | undefined,
  letters: string,
  dtypes: readonly string[] = ['f32'],
): Meta {
  if (!meta) throw new ShapeError(`${op}: ${name} [${letters}] is missing`);
  const rank = letters === '' ? 0 : letters.split(/\s+/).length;
  if (meta.shape.length !== rank) {
    throw new ShapeError(
      `${op}: ${name} must have ${rank} dimensions [${letters}], got ${meta.shape.length} (${name} [${meta.shape.join(' ')}])`,
    );
  }
  expectDtype(op, name, meta, dtypes);
  return meta;
}

export function expectDtype(
  op: string,
  name: string,
  meta: Meta,
  dtypes: readonly string[] = ['f32'],
): void {
  if (dtypes.includes(meta.dtype)) return;
  throw new ShapeError(
    `${op}: ${name} must be of type ${dtypes.join(' or ')}, got ${meta.dtype} [${meta.shape.join(', ')}]`,
    `cast it: ${name}.cast('${dtypes[0]}')`,
  );
}

/** A possibly negative axis as an index. */
export function axisOf(op: string, axis: number, shape: readonly number[]): number {
  const index = axis < 0 ? axis + shape.length : axis;
  if (Number.isInteger(index) && index >= 0 && index < shape.length) return index;
  throw new ShapeError(
    `${op}: axis ${axis} does not exist in a tensor of ${shape.length} dimensions [${shape.join(', ')}]`,
  );
}

/** Runs checks that see only some inputs, and adds every shape to the errors they throw. */
export function withShapes<T>(shapes: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    const [text] = error.message.split('\nfix: ');
    throw new ShapeError(`${text} (${shapes})`, error.fix);
  }
}
