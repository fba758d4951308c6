/**
 * Convolutions and matmuls are the same thing to calculus: a list of triples (x, w, y) of positions with
 *
 *     y[y] += x[x] · w[w]      dx[x] += dy[y] · w[w]      dw[w] += dy[y] · x[x]
 *
 * Each op's file holds the loops that enumerate its triples; the three directions are then the three lines above. A
 * bias is added per last axis of y, a residual of y's shape as it is, and an activation may follow.
 */
import type { RefArray, RefOutput } from '../types.js';
import { activate, gradientBeforeActivation } from './activation.js';
import { Accumulator } from './arrays.js';
import type { Activation } from './scalar_functions.js';

/** Calls `visit` once per product, with flat positions in x, w and y. */
export type ForEachProduct = (visit: (x: number, w: number, y: number) => void) => void;

export interface Bilinear {
  x: RefArray;
  w: RefArray;
  bias?: RefArray;
  residual?: RefArray;
  yShape: readonly number[];
  forEachProduct: ForEachProduct;
  activation?: Activation;
}

/** z = Σ x·w + bias + residual, before the activation. */
function beforeActivation({ x, w, bias, residual, yShape, forEachProduct }: Bilinear): RefOutput {
  const z = new Accumulator(yShape);
  forEachProduct((xAt, wAt, yAt) => z.add(yAt, x.data[xAt] * w.data[wAt]));
  if (bias) z.data.forEach((_, yAt) => z.add(yAt, bias.data[yAt % bias.data.length]));
  residual?.data.forEach((value, yAt) => z.add(yAt, value));
  return z.finish();
}

/** y = f(Σ x·w + bias + residual). */
export function bilinearForward(op: Bilinear): RefOutput {
  return activate(beforeActivation(op), op.activation);
}

/** Gradients of x, w and, if there are any, of the bias and the residual, which is dz itself. */
export function bilinearBackward(
  op: Bilinear,
  dy: RefArray,
): { dx: RefOutput; dw: RefOutput; db?: RefOutput; dresidual?: RefOutput } {
  const { x, w, bias, residual } = op;
  // without an activation dz = dy, and z need not be known
  const z = op.activation ? beforeActivation(op) : new Accumulator(op.yShape).finish();
  const dz = gradientBeforeActivation(z, dy, op.activation);
  const dx = new Accumulator(x.shape);
  const dw = new Accumulator(w.shape);
  op.forEachProduct((xAt, wAt, yAt) => {
    const [xValue, wValue] = [x.data[xAt], w.data[wAt]];
    dx.add(xAt, dz.data[yAt] * wValue, dz.magnitude[yAt] * Math.abs(wValue));
    dw.add(wAt, dz.data[yAt] * xValue, dz.magnitude[yAt] * Math.abs(xValue));
  });
  const gradients = {
    dx: dx.finish(dz.terms),
    dw: dw.finish(dz.terms),
    ...(residual ? { dresidual: dz } : {}),
  };
  if (!bias) return gradients;
  const db = new Accumulator(bias.shape);
  dz.data.forEach((value, yAt) => db.add(yAt % bias.data.length, value, dz.magnitude[yAt]));
  return { ...gradients, db: db.finish(dz.terms) };
}

/** The gradients under the input names x, w, bias and residual. */
export function namedGradients(op: Bilinear, dy: RefArray): Record<string, RefOutput> {
  const { dx, dw, db, dresidual } = bilinearBackward(op, dy);
  return {
    ...{ x: dx, w: dw },
    ...(db ? { bias: db } : {}),
    ...(dresidual ? { residual: dresidual } : {}),
  };
}
