import { noGrad, watchOps, type OpWatcher } from '../autograd/recording.js';
import { ShapeError } from '../errors.js';
import { bytesPerElement, sizeOf } from '../gpu/array.js';
import { fillArray } from '../kernels/fill.js';
import { runInScope, Tensor } from '../tensor.js';
import type { Module } from './module.js';
import { Parameter } from './parameter.js';

export interface LayerSummary {
  name: string;
  type: string;
  /** Output shape without the batch axis. */
  output: number[];
  parameters: number;
  flops: number;
}

export interface SummaryFigures {
  layers: LayerSummary[];
  parameters: { total: number; trainable: number; nonTrainable: number };
  /** FLOP of one forward pass of one image. */
  flops: number;
  /** Bytes of all operations' results for one image: about what training keeps for backward. */
  activationBytes: number;
}

/** The figures of a network; as a text, `String(summary)`, the table that the command line prints. */
export class Summary implements SummaryFigures {
  readonly layers: LayerSummary[];
  readonly parameters: SummaryFigures['parameters'];
  readonly flops: number;
  readonly activationBytes: number;

  constructor({ layers, parameters, flops, activationBytes }: SummaryFigures) {
    this.layers = layers;
    this.parameters = parameters;
    this.flops = flops;
    this.activationBytes = activationBytes;
  }

  toString(): string {
    const { total, trainable } = this.parameters;
    const head = ['layer', 'type', 'output', 'parameters', 'MFLOP'];
    const rows = this.layers.map(({ name, type, output, parameters, flops }) => [
      ...[name, type, output.join('×'), grouped(parameters), (flops / 1e6).toFixed(2)],
    ]);
    const widths = head.map((title, i) =>
      Math.max(title.length, ...rows.map((row) => row[i].length)),
    );
    const line = (row: string[]): string =>
      row.map((text, i) => (i < 3 ? text.padEnd(widths[i]) : text.padStart(widths[i]))).join('  ');
    return [
      ...[line(head), ...rows.map(line), ''],
      `parameters   ${grouped(total)} (${grouped(trainable)} trainable)`,
      `forward      ${(this.flops / 1e6).toFixed(1)} MFLOP an image`,
      `activations  ${(this.activationBytes / 2 ** 20).toFixed(2)} MiB an image`,
    ].join('\n');
  }
}

function grouped(count: number): string {
  return count.toLocaleString('en-US');
}

/** Operations whose result shares memory with their input. */
const views = new Set(['reshape', 'flatten', 'squeeze', 'expandDims']);

/** See Module.summary. */
export function summarize(model: Module, input: readonly number[]): Summary {
  const [first] = model.parameters();
  if (!first) {
    throw new ShapeError('summary: the module has no parameters, so it is on no device');
  }
  const { runtime } = first;
  const names = new Map([...model.namedModules()].map(([name, module]) => [module, name]));
  const modules = [...names.keys()];
  const rows = new Map<Module, LayerSummary>();
  let activationBytes = 0;
  const watch: OpWatcher = (record, plan, inputs, options, origin) => {
    const module = modules.find(({ path }) => path === origin) ?? model;
    let row = rows.get(module);
    if (!row) {
      const type = module.constructor.name;
      row = { name: names.get(module) || type, type, ...{ output: [], parameters: 0, flops: 0 } };
      row.parameters = ownSize(module);
      rows.set(module, row);
    }
    row.output = plan.shape.slice(1);
    row.flops += record.flops(inputs, plan, options);
    if (!views.has(record.name)) {
      activationBytes += sizeOf(plan.shape) * bytesPerElement[plan.dtype];
    }
  };
  const modes = new Map(modules.map((module) => [module, module.isTraining]));
  model.eval();
  try {
    watchOps(watch, () =>
      runInScope(() =>
        noGrad(() => model.call(Tensor.own(runtime, fillArray(runtime, [1, ...input], 'f32', 0)))),
      ),
    ).dispose();
  } finally {
    for (const [module, isTraining] of modes) module.isTraining = isTraining;
  }
  const trainable = [...model.parameters()].reduce((sum, tensor) => sum + tensor.size, 0);
  const nonTrainable = [...model.buffers()].reduce((sum, tensor) => sum + tensor.size, 0);
  const layers = [...rows.values()];
  return new Summary({
    layers,
    parameters: { total: trainable + nonTrainable, trainable, nonTrainable },
    flops: layers.reduce((sum, row) => sum + row.flops, 0),
    activationBytes,
  });
}

/** Parameters of a module itself, without those of its children. */
function ownSize(module: Module): number {
  return Object.values(module).reduce<number>(
    (sum, value) => (value instanceof Parameter ? sum + value.size : sum),
    0,
  );
}
