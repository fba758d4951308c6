import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { createDevice } from '../../src/device.js';
import { groupLabel, shortOptions } from '../../src/plot/labels.js';
import { fitted, lineWidth } from '../../src/plot/pen.js';
import { plotFormat, plotPng, plotSvg } from '../../src/plot/index.js';
import { createModel, modelFactories, publishedOptions } from '../../src/models/index.js';
import { Dense, foldRepeats, Module, moduleGraph, type ModuleGraph } from '../../src/nn/index.js';
import { ops } from '../../src/ops/index.js';
import type { Tensor } from '../../src/tensor.js';

const device = await createDevice({ isNull: true });
afterAll(() => device.destroy());

const title = { title: 'a network', subtitle: 'of < 2 & more' };

function graphOf(name: string): ModuleGraph {
  const options = publishedOptions(name);
  const model = createModel(device, name, options);
  const graph = moduleGraph(model, options.input);
  model.dispose();
  return graph;
}

/** Fails where tags do not close in order or an attribute stands without quotes. */
function checkXml(xml: string): void {
  const open: string[] = [];
  const rest = xml.replace(/<(\/?)([a-zA-Z]+)((?:\s+[\w:-]+="[^"<&]*")*)\s*(\/?)>/g, (...match) => {
    const [, isEnd, tag, , isEmpty] = match as string[];
    if (isEnd) expect(open.pop()).toBe(tag);
    else if (!isEmpty) open.push(tag);
    return '';
  });
  expect(open).toEqual([]);
  expect(rest).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/);
}

const wordsOf = (svg: string): string[] =>
  [...svg.matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map(([, words]) => words);

describe('the plot of', () => {
  it.each(Object.keys(modelFactories))('%s names every layer, in well-formed XML', async (name) => {
    const graph = graphOf(name);
    const svg = await plotSvg(graph, title);
    checkXml(svg);
    const folded = foldRepeats(graph);
    const tips = [...svg.matchAll(/<title>([^<]*)<\/title>/g)].map(([, tip]) => tip);
    expect(tips).toHaveLength(folded.nodes.length);
    for (const { kind, name: path, type } of folded.nodes) {
      const begin = kind === 'input' ? type : `${path} · ${type}`.replace(/^ · /, '');
      expect(
        tips.some((tip) => tip.startsWith(begin)),
        begin,
      ).toBe(true);
    }
    for (const { type, repeats } of folded.groups) {
      if (repeats > 1) expect(wordsOf(svg)).toContain(`${type} × ${repeats}`);
    }
  });

  it('resnet101 folds the 22 alike blocks of its third stage, and stays on a page', async () => {
    const svg = await plotSvg(graphOf('resnet101'), title);
    expect(wordsOf(svg)).toEqual(
      expect.arrayContaining(['Bottleneck × 22', 'layer3.1 – 22', 'downsample.0', 'a network']),
    );
    const [width, height] = /width="(\d+)" height="(\d+)"/.exec(svg)!.slice(1).map(Number);
    expect(Math.max(width, height)).toBeLessThan(2600);
    expect(width / height).toBeGreaterThan(0.8);
    expect(width / height).toBeLessThan(2.5);
  });

  it('mnist-cnn has all words inside their boxes, and one arrow for each edge', async () => {
    const graph = graphOf('mnist-cnn');
    const svg = await plotSvg(graph, title);
    expect(wordsOf(svg)).toEqual(
      expect.arrayContaining(['Conv2d', '5×5, 32, relu', '28×28×32 · 832', '1024 · 3,212,288']),
    );
    expect(svg.match(/Z" fill="/g)).toHaveLength(graph.edges.length);
    for (const [, box] of svg.matchAll(/<g><title>[^<]*<\/title>(.*)<\/g>/g)) {
      const [left, width] = /<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/
        .exec(box)!
        .slice(1)
        .map(Number);
      for (const [text, x] of box.matchAll(/<text x="([\d.]+)"[^>]*>/g)) {
        const length = Number(/textLength="([\d.]+)"/.exec(text)![1]);
        const begin = text.includes('anchor="end"') ? Number(x) - length : Number(x);
        expect(begin).toBeGreaterThan(left);
        expect(begin + length).toBeLessThan(left + width);
      }
    }
  });

  it('a network as PNG is twice as large and has ink in every box', async () => {
    const graph = graphOf('mnist-cnn');
    const svg = await plotSvg(graph, title);
    const [width, height] = /width="(\d+)" height="(\d+)"/.exec(svg)!.slice(1).map(Number);
    const png = await plotPng(graph, title);
    expect([...png.subarray(0, 4)]).toEqual([0x89, 0x50, 0x4e, 0x47]);
    const { data, info } = await sharp(png).greyscale().raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([2 * width, 2 * height]);
    const shift = /<g transform="translate\(([\d.]+) ([\d.]+)\)">/.exec(svg)!.slice(1).map(Number);
    const boxes = [
      ...svg.matchAll(
        /<\/title><rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"/g,
      ),
    ];
    expect(boxes).toHaveLength(graph.nodes.length);
    for (const box of boxes) {
      const [x, y, w, h] = box.slice(1).map((value) => 2 * Number(value));
      let dark = 0;
      for (let row = Math.ceil(y) + 6; row < y + h - 6; row++) {
        for (let column = Math.ceil(x) + 6; column < x + w - 6; column++) {
          const at = (row + 2 * shift[1]) * info.width + column + 2 * shift[0];
          if (data[at] < 100) dark++;
        }
      }
      expect(dark).toBeGreaterThan(100);
    }
  });
});

/** Layers one after the other or side by side, whose results are all used at the very end. */
class Fan extends Module {
  readonly layers: readonly Dense[];

  constructor(
    count: number,
    readonly isDeep: boolean,
  ) {
    super();
    const options = { inFeatures: 2, outFeatures: 2 };
    this.layers = Array.from({ length: count }, () => new Dense(device, options));
  }

  forward(x: Tensor): Tensor {
    const values = [x];
    for (const layer of this.layers) {
      values.push(layer.call(this.isDeep ? values[values.length - 1] : x));
    }
    return ops.concat(values, { axis: 1 });
  }
}

describe('a network of many ways', () => {
  it('stays one strip where no single value goes on', async () => {
    const graph = moduleGraph(new Fan(20, true), [2]);
    const svg = await plotSvg(graph, title);
    expect(Number(/height="(\d+)"/.exec(svg)![1])).toBeGreaterThan(20 * 50);
    expect(svg.match(/Z" fill="/g)).toHaveLength(graph.edges.length);
    expect(svg.match(/<g transform/g)).toHaveLength(1);
  });

  it('as PNG is no wider than 8,000 pixels', async () => {
    const graph = moduleGraph(new Fan(40, false), [2]);
    const svg = await plotSvg(graph, title);
    expect(Number(/width="(\d+)"/.exec(svg)![1])).toBeGreaterThan(4000);
    expect((await sharp(await plotPng(graph, title)).metadata()).width).toBe(8000);
  });
});

describe('words of the plot', () => {
  it('give way to dots where there is no room, in either style', () => {
    const options = { size: 10 };
    for (const style of ['text', 'strokes'] as const) {
      const shown = fitted(style, 'a name of many words', options, 80);
      expect(shown).toMatch(/^a name.*…$/);
      expect(lineWidth(style, shown, options)).toBeLessThanOrEqual(80);
      expect(fitted(style, 'short', options, 80)).toBe('short');
    }
    // Helvetica: i 222, m 833, 0 556 thousandths of the font size, whose capitals are 0.72 high.
    expect(lineWidth('text', 'im0', { size: 7.2 })).toBeCloseTo(16.11, 9);
  });
});

describe('labels of the plot', () => {
  it('put the window first and leave out what the shapes show', () => {
    const detail = '64 → 128, 3×3, stride=2, padding=1, bias=false, activation=relu';
    expect(shortOptions(detail, [28, 28, 128])).toBe('3×3, 128, stride 2, relu');
    expect(shortOptions('64, momentum=0.01, activation=silu', [8, 8, 64])).toBe('silu');
    expect(shortOptions('padding=[[1,2],[3,4]], dilation=[2,3]', [8])).toBe('dilation [2,3]');
    expect(shortOptions('0.07500000000000001', [8])).toBe('0.075');
  });

  it('give a run of groups its first and last name', () => {
    const group = { name: 'layer3.1', type: 'Bottleneck', detail: '', parent: 'layer3' };
    expect(groupLabel({ ...group, repeats: 22, last: 'layer3.22' }, 'layer3')).toEqual({
      ...{ title: 'Bottleneck × 22', name: 'layer3.1 – 22' },
    });
    expect(groupLabel({ ...group, name: 'a.excite', repeats: 1, last: 'a.excite' }, 'a')).toEqual({
      ...{ title: 'Bottleneck', name: 'excite' },
    });
  });
});

describe('plotFormat', () => {
  it('goes by the extension, in capitals too', () => {
    expect([plotFormat('a/net.svg'), plotFormat('NET.PNG')]).toEqual(['svg', 'png']);
    expect(() => plotFormat('net.pdf')).toThrow(
      'plot: expected a file name that ends in .svg or .png, got net.pdf',
    );
  });
});
