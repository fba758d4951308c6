import { afterAll, describe, expect, it } from 'vitest';
import { createDevice } from '../../src/device.js';
import {
  Add,
  BatchNorm2d,
  Conv2d,
  Dense,
  Dropout,
  Flatten,
  foldRepeats,
  Module,
  moduleGraph,
  ReLU,
  Sequential,
  SqueezeExcite,
  StochasticDepth,
  type ModuleGraph,
} from '../../src/nn/index.js';
import { ops } from '../../src/ops/index.js';
import type { Tensor } from '../../src/tensor.js';

const device = await createDevice({ isNull: true });
afterAll(() => device.destroy());

/** Edges as `from type → to type (input)`. */
function flow({ nodes, edges }: ModuleGraph): string[] {
  const word = (id: number): string => {
    const { kind, name, type } = nodes.find((node) => node.id === id)!;
    return kind === 'layer' ? name : type;
  };
  return edges.map(({ from, to, input }) => `${word(from)} → ${word(to)}.${input}`);
}

const convolution = (inChannels: number, outChannels: number): Conv2d =>
  new Conv2d(device, { inChannels, outChannels, kernelSize: 3, padding: 'same', bias: false });

/** conv, norm with the sum inside, as in a residual network. */
class Block extends Module {
  readonly conv: Conv2d;
  readonly norm: BatchNorm2d;
  readonly shortcut: Conv2d | undefined;

  constructor(inChannels: number, outChannels: number) {
    super();
    this.conv = convolution(inChannels, outChannels);
    this.norm = new BatchNorm2d(device, { channels: outChannels, activation: 'relu' });
    this.shortcut = inChannels === outChannels ? undefined : convolution(inChannels, outChannels);
  }

  forward(x: Tensor): Tensor {
    const inner = this.conv.call(x);
    return this.norm.call(inner, this.shortcut ? this.shortcut.call(x) : x);
  }
}

describe('moduleGraph', () => {
  it('of a plain Sequential is a chain', () => {
    const model = new Sequential(
      convolution(3, 4),
      new ReLU(),
      new Flatten(),
      new Dropout({ rate: 0.5 }),
      new Dense(device, { inFeatures: 64, outFeatures: 2 }),
    );
    const graph = moduleGraph(model, [4, 4, 3]);
    expect(flow(graph)).toEqual(['input → 0.x', '0 → 1.x', '1 → 2.x', '2 → 3.x', '3 → 4.x']);
    expect(graph.nodes[0]).toMatchObject({ kind: 'input', output: [4, 4, 3] });
    expect(graph.nodes[1]).toMatchObject({
      ...{ kind: 'layer', name: '0', type: 'Conv2d', output: [4, 4, 4], group: null },
      detail: '3 → 4, 3×3, padding=same, bias=false',
      parameters: 3 * 3 * 3 * 4,
    });
    expect(graph.nodes[5]).toMatchObject({ type: 'Dense', output: [2], parameters: 64 * 2 + 2 });
    expect(graph.groups).toEqual([]);
  });

  it('of a residual block feeds x to both ways and the sum to the norm', () => {
    const graph = moduleGraph(new Sequential(new Block(3, 4), new Block(4, 4)), [4, 4, 3]);
    expect(flow(graph)).toEqual([
      'input → 0.conv.x',
      'input → 0.shortcut.x',
      '0.conv → 0.norm.x',
      '0.shortcut → 0.norm.residual',
      '0.norm → 1.conv.x',
      '1.conv → 1.norm.x',
      '0.norm → 1.norm.residual',
    ]);
    expect(graph.groups.map(({ name, type, parent }) => [name, type, parent])).toEqual([
      ['0', 'Block', null],
      ['1', 'Block', null],
    ]);
    expect(graph.nodes.map(({ group }) => group)).toEqual([null, '0', '0', '0', '1', '1']);
  });

  it('of squeeze-and-excitation shows the gate and its product', () => {
    const model = new Sequential(new SqueezeExcite(device, { channels: 8, reducedChannels: 2 }));
    const graph = moduleGraph(model, [4, 4, 8]);
    expect(flow(graph)).toEqual([
      'input → globalAvgPool2d.x',
      'globalAvgPool2d → 0.reduce.x',
      '0.reduce → 0.expand.x',
      'input → mul.a',
      '0.expand → mul.b',
    ]);
    expect(graph.nodes.at(-1)).toMatchObject({ kind: 'op', type: 'mul', name: '0', group: '0' });
  });

  it('shows sums and concatenations as ops, both inputs of x + x included', () => {
    class Both extends Module {
      readonly dense = new Dense(device, { inFeatures: 4, outFeatures: 4 });
      forward(x: Tensor): Tensor {
        const y = this.dense.call(x);
        return ops.concat([ops.add(y, y), x], { axis: 1 });
      }
    }
    const graph = moduleGraph(new Both(), [4]);
    expect(graph.nodes.map(({ kind, type }) => `${kind} ${type}`)).toEqual([
      ...['input input', 'layer Dense', 'op add', 'op concat'],
    ]);
    expect(flow(graph).slice(0, 3)).toEqual(['input → dense.x', 'dense → add.a', 'dense → add.b']);
    expect(
      flow(graph)
        .slice(3)
        .map((edge) => edge.split('.')[0]),
    ).toEqual([...['add → concat', 'input → concat']]);
    expect(graph.nodes[3].output).toEqual([8]);
  });

  it('keeps a layer that passes its input on, between the branch and the sum', () => {
    const branch = new Sequential(
      new Dense(device, { inFeatures: 4, outFeatures: 4 }),
      new StochasticDepth({ rate: 0.1 }),
    );
    expect(flow(moduleGraph(new Sequential(new Add(branch)), [4]))).toEqual([
      'input → 0.branch.0.x',
      '0.branch.0 → 0.branch.1.x',
      '0.branch.1 → add.a',
      'input → add.b',
    ]);
  });

  it('has a node for each call of a layer that is used twice', () => {
    const shared = new Dense(device, { inFeatures: 4, outFeatures: 4 });
    const graph = moduleGraph(new Sequential(shared, new ReLU(), shared), [4]);
    expect(flow(graph)).toEqual(['input → 0.x', '0 → 1.x', '1 → 0.x']);
    expect(graph.nodes.map(({ parameters }) => parameters)).toEqual([0, 20, 0, 20]);
  });

  it('leaves modes as they were and memory free', () => {
    const model = new Sequential(new Block(3, 3), new Dropout({ rate: 0.5 }));
    model.layers[1].eval();
    const before = device.memory.liveBuffers;
    moduleGraph(model, [4, 4, 3]);
    expect(device.memory.liveBuffers).toBe(before);
    expect([model.isTraining, model.layers[1].isTraining]).toEqual([true, false]);
  });

  it('needs a device to run on', () => {
    expect(() => moduleGraph(new ReLU(), [4])).toThrow(
      'moduleGraph: the module has no parameters, so it is on no device',
    );
  });
});

describe('foldRepeats', () => {
  const runs = (model: Module, input: readonly number[]): [string, number, string][] =>
    foldRepeats(moduleGraph(model, input)).groups.map(({ name, repeats, last }) => [
      ...([name, repeats, last] as [string, number, string]),
    ]);

  it('folds alike blocks in a row, and leaves the flow through them', () => {
    const model = new Sequential(
      ...[new Block(3, 4), new Block(4, 4), new Block(4, 4), new Block(4, 4), new ReLU()],
    );
    const folded = foldRepeats(moduleGraph(model, [4, 4, 3]));
    expect(folded.groups.map(({ name, repeats, last }) => [name, repeats, last])).toEqual([
      ['0', 1, '0'],
      ['1', 3, '3'],
    ]);
    expect(flow(folded).slice(4)).toEqual([
      '0.norm → 1.conv.x',
      '1.conv → 1.norm.x',
      '0.norm → 1.norm.residual',
      '1.norm → 4.x',
    ]);
  });

  it('keeps blocks apart that differ in shape or options, or with a layer between', () => {
    const [a, b] = [new Block(4, 4), new Block(4, 4)];
    expect(runs(new Sequential(a, new ReLU(), b), [4, 4, 4])).toEqual([
      ...[
        ['0', 1, '0'],
        ['2', 1, '2'],
      ],
    ]);
    const dilated = new Sequential(
      new Conv2d(device, {
        ...{ inChannels: 4, outChannels: 4, kernelSize: 3, padding: 'same', dilation: 2 },
      }),
    );
    const plain = new Sequential(
      new Conv2d(device, { inChannels: 4, outChannels: 4, kernelSize: 3, padding: 'same' }),
    );
    expect(runs(new Sequential(plain, dilated), [4, 4, 4]).map(([, n]) => n)).toEqual([1, 1]);
  });

  it('keeps blocks whose result is used again further on', () => {
    class Dense2 extends Module {
      readonly blocks = [0, 1, 2].map(() => new Sequential(convolution(4, 4)));
      forward(x: Tensor): Tensor {
        const first = this.blocks[0].call(x);
        return ops.add(this.blocks[2].call(this.blocks[1].call(first)), first);
      }
    }
    expect(runs(new Dense2(), [4, 4, 4])).toEqual([
      ['blocks.0', 1, 'blocks.0'],
      ['blocks.1', 2, 'blocks.2'],
    ]);
  });

  it('gives options of layers without parameters as a range, and folds outer runs too', () => {
    const stage = (rates: number[]): Sequential =>
      new Sequential(
        ...rates.map(
          (rate) =>
            new Sequential(
              new Dense(device, { inFeatures: 4, outFeatures: 4 }),
              new Dropout({ rate }),
            ),
        ),
      );
    const folded = foldRepeats(
      moduleGraph(new Sequential(stage([0.1, 0.2]), stage([0.3, 0.4])), [4]),
    );
    expect(folded.groups.map(({ name, repeats }) => [name, repeats])).toEqual([
      ['0', 2],
      ['0.0', 2],
    ]);
    expect(folded.nodes.map(({ detail }) => detail)).toEqual(['', '4 → 4', '0.1 … 0.4']);
  });
});
