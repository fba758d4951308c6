import { noGrad, watchOps, type OpWatcher } from '../autograd/recording.js';
import { ShapeError } from '../errors.js';
import { bytesPerElement, sizeOf } from '../gpu/array.js';
import { fillArray } from '../kernels/fill.js';
import { runInScope, Tensor } from '../tensor.js';
import { watchModules, type Module, type ModuleWatcher } from './module.js';
import { Sequential } from './sequential.js';

/** A module that is not divided further. */
interface Piece {
  module: Module;
  /** Bytes of all results inside, including the output. */
  innerBytes: number;
  outputBytes: number;
  /** Running a single layer again saves little: its input is held anyway. */
  isLayer: boolean;
}

/** Pieces that run in sequence, so that a segment can be any run of neighbours. */
interface Chain {
  path: string;
  /** Null if there is one piece. */
  sequential: Sequential | null;
  pieces: Piece[];
}

/** Pieces [from, to) of a chain. */
interface Run {
  chain: Chain;
  from: number;
  to: number;
}

/**
 * Chooses the segments of a network that backward will recompute (see `recompute`), marks them and
 * returns their names, such as `layer3.0-4`.
 *
 * Segments are runs of layers of a Sequential, or single modules with children. They minimise the peak
 * of bytes held at once: the inputs of all segments up to one, and all results inside that one. Sizes
 * come from a forward pass of one image of `input` (height, width, channels, or any shape without the
 * batch axis). The last segment is not recomputed, since backward needs its values right after forward.
 *
 * **Errors** ShapeError for a module without parameters, which is on no device.
 * **Source** Chen et al., arXiv:1604.06174, section 4.
 *
 * @example
 * const model = models.cifarResnet32(device);
 * nn.recomputeSegments(model, [32, 32, 3]); // ['layer1.0-1', 'layer1.2', …, 'layer3.1-2']
 */
export function recomputeSegments(model: Module, input: readonly number[]): string[] {
  const chains = [...chainsOf(model, '', sizesOf(model, input))];
  // Bisect the budget between zero and the total; 30 steps reach single bytes.
  let [least, most] = [0, totalOf(chains)];
  for (let i = 0; i < 30; i++) {
    const budget = (least + most) / 2;
    if (runsWithin(chains, budget)) most = budget;
    else least = budget;
  }
  const runs = (runsWithin(chains, most) ?? []).filter(isWorthwhile);
  runs.pop();
  return runs.map(mark);
}

function totalOf(chains: readonly Chain[]): number {
  return chains.flatMap(({ pieces }) => pieces).reduce((sum, piece) => sum + piece.innerBytes, 1);
}

function isWorthwhile({ chain, from, to }: Run): boolean {
  return to - from > 1 || !chain.pieces[from].isLayer;
}

/**
 * The cuts that hold the fewest bytes at the end without ever exceeding `budget`; null if there are
 * none.
 */
function runsWithin(chains: readonly Chain[], budget: number): Run[] | null {
  const runs: Run[] = [];
  let heldBytes = 0;
  for (const chain of chains) {
    const { pieces } = chain;
    // Of the first `to` pieces: the fewest bytes held once they have run, and where the last run begins.
    const held = [heldBytes];
    const begins = [0];
    for (let to = 1; to <= pieces.length; to++) {
      held[to] = Infinity;
      let innerBytes = 0;
      for (let from = to - 1; from >= 0; from--) {
        innerBytes += pieces[from].innerBytes;
        if (held[from] + innerBytes > budget) break;
        const isKept = !isWorthwhile({ chain, from, to });
        const bytes = held[from] + (isKept ? innerBytes : pieces[to - 1].outputBytes);
        if (bytes <= held[to]) [held[to], begins[to]] = [bytes, from];
      }
    }
    heldBytes = held[pieces.length];
    if (heldBytes === Infinity) return null;
    const own: Run[] = [];
    for (let to = pieces.length; to > 0; to = begins[to]) {
      own.unshift({ chain, from: begins[to], to });
    }
    runs.push(...own);
  }
  return runs;
}

function mark({ chain, from, to }: Run): string {
  const { sequential, path, pieces } = chain;
  if (!sequential) {
    pieces[from].module.isRecomputed = true;
    return path;
  }
  sequential.recomputedRuns = [...sequential.recomputedRuns, [from, to]];
  const range = to - from === 1 ? String(from) : `${from}-${to - 1}`;
  return path === '' ? range : `${path}.${range}`;
}

/** The network as chains, in the order of its children. */
function* chainsOf(
  module: Module,
  path: string,
  pieceOf: (module: Module) => Piece,
): Generator<Chain> {
  const isSequential = module instanceof Sequential;
  if (isSequential && !module.layers.some((layer) => layer instanceof Sequential)) {
    yield { path, sequential: module, pieces: module.layers.map(pieceOf) };
    return;
  }
  for (const [field, child] of module.children()) {
    const name = path === '' ? field : `${path}.${field}`;
    if (child instanceof Sequential) yield* chainsOf(child, name, pieceOf);
    else yield { path: name, sequential: null, pieces: [pieceOf(child)] };
  }
}

/** Runs one image of zeros through the network, to learn how large results are. */
function sizesOf(model: Module, input: readonly number[]): (module: Module) => Piece {
  const [first] = model.parameters();
  if (!first) {
    throw new ShapeError('recomputeSegments: the module has no parameters, so it is on no device');
  }
  const { runtime } = first;
  const opBytes = new Map<string | null, number>();
  const outputs = new Map<Module, number>();
  const onOp: OpWatcher = (_record, { shape, dtype }, _inputs, _options, origin) => {
    const bytes = sizeOf(shape) * bytesPerElement[dtype];
    opBytes.set(origin, (opBytes.get(origin) ?? 0) + bytes);
  };
  const onModule: ModuleWatcher = (module, _path, { shape, dtype }) =>
    outputs.set(module, sizeOf(shape) * bytesPerElement[dtype]);
  const run = (): Tensor =>
    model.call(Tensor.own(runtime, fillArray(runtime, [1, ...input], 'f32', 0)));
  const modes = new Map([...model.namedModules()].map(([, each]) => [each, each.isTraining]));
  model.eval();
  try {
    runInScope(() => void noGrad(() => watchModules(onModule, () => watchOps(onOp, run))));
  } finally {
    for (const [module, isTraining] of modes) module.isTraining = isTraining;
  }
  return (module) => {
    let innerBytes = 0;
    for (const [, { path }] of module.namedModules()) innerBytes += opBytes.get(path) ?? 0;
    const outputBytes = outputs.get(module) ?? 0;
    return { module, innerBytes, outputBytes, isLayer: module.children().next().done === true };
  };
}
