import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { estimateSeconds, shrinkSuite } from '../../src/bench/scale.js';
import { parseShape } from '../../src/bench/shapes.js';
import { suites } from '../../src/bench/suites.js';
import { watchOps, type OpWatcher } from '../../src/autograd/recording.js';
import { createDevice, type Device } from '../../src/device.js';
import { pairOf } from '../../src/kernels/lib/window_geometry.js';
import { createModel } from '../../src/models/index.js';
import { Conv2d, DepthwiseConv2d } from '../../src/nn/index.js';
import type { Tensor } from '../../src/tensor.js';

let device: Device;
beforeAll(async () => {
  device = await createDevice({ isNull: true });
});
afterAll(() => device.destroy());

/** The convolutions of a network in the form of `--shape`, with a batch in the place of its one image. */
function convolutionsOf(name: string, batch: number, input: [number, number, number]): Set<string> {
  const found = new Set<string>();
  const note = (layer: Conv2d | DepthwiseConv2d, x: Tensor): void => {
    const { kernelSize, stride = 1, padding = 'valid' } = layer.options;
    const [r] = pairOf('test', 'kernelSize', kernelSize);
    const [, h, w, c] = x.shape;
    // Squeeze-and-excitation sees one pixel: a matrix product, with suites of its own.
    if (h * w === 1) return;
    const isDepthwise = layer instanceof DepthwiseConv2d;
    const k = isDepthwise ? c : layer.options.outChannels;
    // A filter of one pixel needs no padding, so that all names of it mean the same.
    const word = r === 1 || padding === 'same' ? [] : [paddingWord(padding)];
    const words = [...word, ...(isDepthwise ? ['depthwise'] : [])];
    found.add([batch, h, w, c, k, r, pairOf('test', 'stride', stride)[0], ...words].join());
  };
  const spies = [Conv2d, DepthwiseConv2d].map((Layer) => {
    const { forward } = Object.getOwnPropertyDescriptors(Layer.prototype) as unknown as {
      forward: { value: (this: unknown, x: Tensor) => Tensor };
    };
    const own = forward.value;
    return vi.spyOn(Layer.prototype, 'forward').mockImplementation(function (this: never, x) {
      note(this, x);
      return own.call(this, x);
    });
  });
  try {
    const model = createModel(device, name, { input, classes: 10 });
    device.scope(() => void model.eval().call(device.zeros([1, ...input])));
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return found;
}

/** Some networks pad by a layer before the convolution, or by numbers that are 'same' by another name. */
function paddingWord(padding: unknown): string {
  return padding === 'valid' ? 'valid' : `pad${String(padding)}`;
}

/** 'same' and a number that pads as much give one shape two names: that of 'same' is kept. */
function plainly(shapes: Iterable<string>): Set<string> {
  return new Set(
    [...shapes].map((shape) => {
      const [, , , , , r, stride] = parseShape('conv2d', shape);
      return stride === 1 ? shape.replace(`,pad${(r - 1) / 2}`, '') : shape;
    }),
  );
}

describe('suites that bear the name of a network', () => {
  it.each<
    [suite: string, models: [name: string, batch: number, input: [number, number, number]][]]
  >([
    ['resnet101-64', [['resnet101-v1', 32, [64, 64, 3]]]],
    ['mnist', [['mnist-cnn', 64, [28, 28, 1]]]],
    [
      'cifar',
      [
        ['cifar-vgg', 128, [32, 32, 3]],
        ['cifar-simple', 64, [32, 32, 3]],
      ],
    ],
    ['efficientnet', [['efficient-net-b0', 8, [224, 224, 3]]]],
  ])(
    '%s has each of its convolutions once',
    (suite, models) => {
      const shapes = suites.conv2d[suite];
      const wanted = models.flatMap(([name, batch, input]) => [
        ...plainly(convolutionsOf(name, batch, input)),
      ]);
      expect([...shapes].sort()).toEqual([...new Set(wanted)].sort());
    },
    120_000,
  );

  it("resnet101-64 has each of its batch norms' inputs once", () => {
    const found = new Set<string>();
    const watch: OpWatcher = ({ name }, _plan, metas) => {
      if (name === 'batchNorm') found.add([32, ...metas.x!.shape.slice(1)].join());
    };
    const model = createModel(device, 'resnet101-v1', { input: [64, 64, 3], classes: 10 });
    device.scope(() => void watchOps(watch, () => model.call(device.zeros([1, 64, 64, 3]))));
    expect([...suites['batch-norm']['resnet101-64']].sort()).toEqual([...found].sort());
  });

  it('resnet224 and common hold the layers they were agreed to hold', () => {
    const six = (batch: number) =>
      [
        ...['56,56,64,64,3,1', '28,28,128,128,3,1', '14,14,256,256,3,1', '7,7,512,512,3,1'],
        ...['56,56,64,256,1,1', '224,224,3,64,7,2'],
      ].map((rest) => `${batch},${rest}`);
    expect(suites.conv2d.resnet224).toEqual([...six(8), ...six(32)]);
    expect(suites.conv2d.common).toEqual(['1,256,256,64,128,3,1', '16,19,19,256,4096,4,1,valid']);
  });

  it('are shapes of their op', () => {
    for (const [op, lists] of Object.entries(suites)) {
      for (const shape of Object.values(lists).flat()) {
        expect(() => parseShape(op as keyof typeof suites, shape)).not.toThrow();
      }
    }
  });
});

describe('--scale small', () => {
  const cases = Object.entries(suites)
    .filter(([op]) => op !== 'optimizer')
    .flatMap(([op, lists]) => Object.keys(lists).map((name) => [op, name] as const));

  it.each(cases)('%s %s ends in five minutes by the estimate, in smaller batches', (op, name) => {
    const bench = op as 'conv2d';
    const suite = suites[bench][name];
    const { shapes, notes } = shrinkSuite(bench, suite);
    expect(estimateSeconds(bench, shapes)).toBeLessThan(300);
    const hasShrunkImages = notes.some((note) => note.includes('had to shrink'));
    if (hasShrunkImages) return;
    const withoutBatch = (shape: string): string => shape.slice(shape.indexOf(','));
    expect(new Set(shapes.map(withoutBatch))).toEqual(new Set(suite.map(withoutBatch)));
    for (const shape of shapes) {
      const batches = suite
        .filter((one) => withoutBatch(one) === withoutBatch(shape))
        .map((one) => parseShape(bench, one)[0]);
      expect(parseShape(bench, shape)[0]).toBeLessThanOrEqual(Math.max(...batches));
    }
  });

  it('leaves a small suite as it is, and says nothing', () => {
    const { shapes, notes } = shrinkSuite('conv2d', suites.conv2d.quick);
    expect([shapes, notes]).toEqual([suites.conv2d.quick, []]);
  });

  it('divides batches together, drops what becomes equal, and says by how much', () => {
    const { shapes, notes } = shrinkSuite('conv2d', suites.conv2d.resnet224);
    expect(notes).toHaveLength(1);
    const divisor = Number(/^batches divided by (\d+), none below 1$/.exec(notes[0])?.[1]);
    expect(divisor).toBeGreaterThan(1);
    const divided = suites.conv2d.resnet224.map((shape) =>
      shape.replace(/^\d+/, (n) => String(Math.max(1, Math.floor(Number(n) / divisor)))),
    );
    expect(shapes).toEqual([...new Set(divided)]);
  });

  it('halves images where a batch of one is still too long, and names them', () => {
    const { shapes, notes } = shrinkSuite('conv2d', ['2,512,512,256,256,3,1']);
    expect(notes[0]).toBe('batches divided by 2, none below 1');
    expect(notes[1]).toBe(
      'the images of 1,512,512,256,256,3,1 had to shrink too: 1,256,256,256,256,3,1 runs instead',
    );
    expect(estimateSeconds('conv2d', shapes)).toBeLessThan(300);
  });
});
