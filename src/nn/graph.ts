import { noGrad, watchOps, type OpWatcher } from '../autograd/recording.js';
import { ShapeError } from '../errors.js';
import { fillArray } from '../kernels/fill.js';
import { runInScope, Tensor } from '../tensor.js';
import { watchModules, type Module, type ModuleWatcher } from './module.js';

/** A step of the forward pass. */
export interface GraphNode {
  id: number;
  /**
   * `layer` is a call of a module without children; `op` an operation that a module with children
   * runs itself, such as the sum of a residual block; `input` the image.
   */
  kind: 'input' | 'layer' | 'op';
  /** The module's path, as in `namedModules`; of an op that of the module that ran it. */
  name: string;
  /** Class of the layer, or name of the op. */
  type: string;
  /** The layer's `describe()`. */
  detail: string;
  /** Output shape without the batch axis. */
  output: number[];
  /** Trained numbers that the step uses. */
  parameters: number;
  /** Path of the innermost group that contains it; null at the root. */
  group: string | null;
}

export interface GraphEdge {
  from: number;
  to: number;
  /** Input of the op that takes the value: `x`, `residual` and so on. */
  input: string;
}

/** A module with children. */
export interface GraphGroup {
  /** The module's path. */
  name: string;
  type: string;
  detail: string;
  parent: string | null;
}

export interface ModuleGraph {
  /** In the order they ran; the first is the input. */
  nodes: GraphNode[];
  edges: GraphEdge[];
  /** Outer ones before inner ones, the root left out; only those with a node inside. */
  groups: GraphGroup[];
}

/**
 * The data flow of one forward pass of one image of `input` (height, width, channels, or any shape
 * without the batch axis), outside training: which layer or op uses which result.
 *
 * Edges follow the values themselves, so any module works unchanged. Ops that only reshape leave no
 * node; a layer that returns its input unchanged (drop-connect in evaluation) is placed between that
 * input and its later users.
 *
 * **Errors** ShapeError for a module without parameters, which is on no device.
 *
 * @example
 * const { edges } = nn.moduleGraph(new nn.Sequential(conv, pool), [8, 8, 3]);
 * edges.map(({ from, to }) => [from, to]); // [[0, 1], [1, 2]]
 */
export function moduleGraph(model: Module, input: readonly number[]): ModuleGraph {
  const [first] = model.parameters();
  if (!first) {
    throw new ShapeError('moduleGraph: the module has no parameters, so it is on no device');
  }
  const tracer = new Tracer(model);
  const modes = new Map([...model.namedModules()].map(([, module]) => [module, module.isTraining]));
  model.eval();
  try {
    runInScope(() =>
      noGrad(() => {
        const x = Tensor.own(first.runtime, fillArray(first.runtime, [1, ...input], 'f32', 0));
        tracer.enter(x, input);
        watchModules(tracer.onModule, () => watchOps(tracer.onOp, () => model.call(x)));
      }),
    );
  } finally {
    for (const [module, isTraining] of modes) module.isTraining = isTraining;
  }
  return tracer.graph();
}

/** Ops whose result is their input under another shape. */
const views = new Set(['reshape']);

class Tracer {
  private readonly nodes: GraphNode[] = [];
  private readonly edges: GraphEdge[] = [];
  private readonly names: Map<Module, string>;
  private readonly leaves = new Set<Module>();
  /** Sizes of the parameters, by the object that identifies their value. */
  private readonly sizes: Map<object, number>;
  /** Which node each value came from. */
  private readonly producers = new Map<object, number>();
  /** The nodes of layers that are running. */
  private readonly running = new Map<Module, GraphNode>();
  /** Parameters that a node has counted: a layer may use one twice. */
  private readonly counted = new Map<GraphNode, Set<object>>();

  constructor(private readonly model: Module) {
    this.names = new Map([...model.namedModules()].map(([name, module]) => [module, name]));
    for (const module of this.names.keys()) {
      if (module.children().next().done) this.leaves.add(module);
    }
    this.sizes = new Map([...model.parameters()].map((tensor) => [tensor.handle, tensor.size]));
  }

  enter(x: Tensor, input: readonly number[]): void {
    const node = this.add({ kind: 'input', name: 'input', type: 'input', output: [...input] });
    this.producers.set(x.handle, node.id);
  }

  readonly onOp: OpWatcher = (record, plan, _metas, _options, origin, { inputs, output }) => {
    const module = [...this.names.keys()].find(({ path }) => path === origin) ?? this.model;
    const isLeaf = this.leaves.has(module);
    if (!isLeaf && views.has(record.name)) {
      const producer = this.producers.get(inputs.x);
      if (producer !== undefined) this.producers.set(output, producer);
      return;
    }
    const node = isLeaf ? this.layer(module) : this.add(this.op(module, record.name));
    node.output = plan.shape.slice(1);
    for (const [name, value] of Object.entries(inputs)) {
      const producer = this.producers.get(value);
      if (producer !== undefined) this.connect(producer, node.id, name);
      else this.count(node, value);
    }
    this.producers.set(output, node.id);
  };

  readonly onModule: ModuleWatcher = (module, _path, output) => {
    if (!this.leaves.has(module)) return;
    const isRunning = this.running.delete(module);
    const producer = this.producers.get(output.handle);
    if (isRunning || producer === undefined) return;
    const node = this.layer(module);
    this.running.delete(module);
    node.output = output.shape.slice(1);
    this.connect(producer, node.id, 'x');
    this.producers.set(output.handle, node.id);
  };

  graph(): ModuleGraph {
    const used = new Set<string>();
    for (const { group } of this.nodes) {
      for (let name = group; name !== null; name = this.parentOf(name)) used.add(name);
    }
    const groups = [...this.names]
      .filter(([, name]) => used.has(name))
      .map(([module, name]) => ({
        ...{ name, type: module.constructor.name, detail: module.describe() },
        parent: this.parentOf(name),
      }));
    return { nodes: this.nodes, edges: this.edges, groups };
  }

  /** The running call of a layer, as a node. */
  private layer(module: Module): GraphNode {
    const known = this.running.get(module);
    if (known) return known;
    const type = module.constructor.name;
    const name = this.names.get(module) || type;
    const group = this.parentOf(name);
    const node = this.add({ kind: 'layer', name, type, detail: module.describe(), group });
    this.running.set(module, node);
    return node;
  }

  private op(module: Module, type: string): Partial<GraphNode> {
    const name = this.names.get(module) ?? '';
    return { kind: 'op', name, type, group: name === '' ? null : name };
  }

  private add(fields: Partial<GraphNode>): GraphNode {
    const node: GraphNode = {
      ...{ id: this.nodes.length, kind: 'op', name: '', type: '', detail: '' },
      ...{ output: [], parameters: 0, group: null },
      ...fields,
    };
    this.nodes.push(node);
    return node;
  }

  private count(node: GraphNode, value: object): void {
    const counted = this.counted.get(node) ?? new Set();
    if (!counted.has(value)) node.parameters += this.sizes.get(value) ?? 0;
    this.counted.set(node, counted.add(value));
  }

  private connect(from: number, to: number, input: string): void {
    const isKnown = this.edges.some(
      (edge) => edge.from === from && edge.to === to && edge.input === input,
    );
    if (from !== to && !isKnown) this.edges.push({ from, to, input });
  }

  /** The nearest module above a path; null below the root. */
  private parentOf(name: string): string | null {
    let best: string | null = null;
    for (const candidate of this.names.values()) {
      const isAbove = candidate !== '' && name.startsWith(`${candidate}.`);
      if (isAbove && candidate.length > (best ?? '').length) best = candidate;
    }
    return best;
  }
}
