/** The networks of docs/models.md, written once more in float64: from images to logits. */
import type { Float64Pass, NormRule } from './float64_network.js';
import { valueOf, type Value } from './reference_tape.js';

export type Float64Forward = (pass: Float64Pass, images: Value) => Value;

const keras: NormRule = { momentum: 0.01, epsilon: 1e-3 };
const usual: NormRule = { momentum: 0.1, epsilon: 1e-5 };

export const mnistCnn64: Float64Forward = (pass, images) => {
  const one = pass.maxPool(pass.relu(pass.conv(images, '0', { padding: 2 })));
  const two = pass.maxPool(pass.relu(pass.conv(one, '2', { padding: 2 })));
  return pass.dense(pass.relu(pass.dense(pass.flatten(two), '5')), '7');
};

export const simpsonsTf64: Float64Forward = (pass, images) => {
  let x = images;
  for (const layer of ['0', '2', '4', '6']) {
    x = pass.maxPool(pass.relu(pass.conv(x, layer, { padding: 1 })));
  }
  x = pass.flatten(x);
  for (const layer of ['10', '12', '14']) x = pass.relu(pass.dense(x, layer));
  return pass.dense(x, '16');
};

export const simpsonsKeras64: Float64Forward = (pass, images) => {
  let x = images;
  for (const layer of ['0', '2', '4']) x = pass.maxPool(pass.relu(pass.conv(x, layer)));
  x = pass.flatten(pass.maxPool(x));
  return pass.dense(pass.relu(pass.dense(x, '8')), '10');
};

export const cifarSimple64: Float64Forward = (pass, images) => {
  let x = pass.norm(pass.relu(pass.conv(images, '0')), '2', keras);
  x = pass.norm(pass.maxPool(pass.relu(pass.conv(x, '3'))), '6', keras);
  x = pass.norm(pass.maxPool(pass.relu(pass.conv(x, '7'))), '10', keras);
  x = pass.norm(pass.relu(pass.conv(x, '11')), '12', keras);
  x = pass.relu(pass.dense(pass.globalAvgPool(x), '15'));
  return pass.dense(pass.relu(pass.dense(x, '16')), '17');
};

export const cifarVgg64: Float64Forward = (pass, images) => {
  // Convolution, batch norm, and then dropout or a pooling: three places each.
  let x = images;
  for (let i = 0; i < 13; i++) {
    const active = pass.relu(pass.conv(x, String(3 * i), { padding: 1 }));
    x = pass.norm(active, String(3 * i + 1), keras);
    if ([1, 3, 6, 9, 12].includes(i)) x = pass.maxPool(x);
  }
  x = pass.norm(pass.relu(pass.dense(pass.flatten(x), '41')), '42', keras);
  return pass.dense(x, '44');
};

/** How many blocks each stage of a residual network has. */
type Stages = readonly number[];

/** The first block of each stage but the first has a stride of 2. */
function residualStages(
  stages: Stages,
  x: Value,
  block: (x: Value, name: string, stride: number, isFirst: boolean) => Value,
): Value {
  stages.forEach((count, stage) => {
    for (let i = 0; i < count; i++) {
      x = block(x, `layer${stage + 1}.${i}`, stage > 0 && i === 0 ? 2 : 1, i === 0);
    }
  });
  return x;
}

function bottleneck(
  pass: Float64Pass,
  x: Value,
  name: string,
  rule: { strides: readonly [number, number]; isProjected: boolean; norm: NormRule },
): Value {
  const { strides, isProjected, norm } = rule;
  const one = pass.conv(x, `${name}.conv1`, { stride: strides[0] });
  const narrow = pass.relu(pass.norm(one, `${name}.bn1`, norm));
  const two = pass.conv(narrow, `${name}.conv2`, { stride: strides[1], padding: 1 });
  const inner = pass.relu(pass.norm(two, `${name}.bn2`, norm));
  const wide = pass.norm(pass.conv(inner, `${name}.conv3`), `${name}.bn3`, norm);
  if (!isProjected) return pass.relu(pass.add(wide, x));
  const projected = pass.conv(x, `${name}.downsample.0`, { stride: strides[0] * strides[1] });
  return pass.relu(pass.add(wide, pass.norm(projected, `${name}.downsample.1`, norm)));
}

export function resnetV1(stages: Stages): Float64Forward {
  return (pass, images) => {
    const first = pass.conv(pass.zeroPad(images, 3), 'conv1', { stride: 2 });
    const stem = pass.maxPool(pass.relu(pass.norm(first, 'bn1', keras)), 3, 2);
    const features = residualStages(stages, stem, (x, name, stride, isProjected) =>
      bottleneck(pass, x, name, { strides: [stride, 1], isProjected, norm: keras }),
    );
    return pass.dense(pass.flatten(pass.avgPool(features, 2)), 'fc');
  };
}

export function bottleneckResnet(stages: Stages): Float64Forward {
  return (pass, images) => {
    const first = pass.conv(images, 'conv1', { stride: 2, padding: 3 });
    const stem = pass.maxPool(pass.relu(pass.norm(first, 'bn1', usual)), 3, 2, 1);
    const features = residualStages(stages, stem, (x, name, stride, isProjected) =>
      bottleneck(pass, x, name, { strides: [1, stride], isProjected, norm: usual }),
    );
    return pass.dense(pass.globalAvgPool(features), 'fc');
  };
}

export function cifarResnet(stages: Stages, isPaddedBoth = false): Float64Forward {
  return (pass, images) => {
    const first = pass.conv(images, 'conv1', { padding: 1 });
    const stem = pass.relu(pass.norm(first, 'bn1', usual));
    const features = residualStages(stages, stem, (x, name, stride) => {
      const one = pass.conv(x, `${name}.conv1`, { stride, padding: 1 });
      const inner = pass.relu(pass.norm(one, `${name}.bn1`, usual));
      const two = pass.conv(inner, `${name}.conv2`, { padding: 1 });
      const y = pass.norm(two, `${name}.bn2`, usual);
      return pass.relu(pass.add(y, stride === 1 ? x : halved(pass, x, isPaddedBoth)));
    });
    return pass.dense(pass.globalAvgPool(features), 'fc');
  };
}

/**
 * Every other pixel of every other row, and as many channels of zeros as there are: behind them, or half of them
 * on either side, a quarter of the block's channels.
 */
function halved(pass: Float64Pass, x: Value, isPaddedBoth: boolean): Value {
  const [N, H, W, C] = x.shape;
  const [P, Q] = [Math.ceil(H / 2), Math.ceil(W / 2)];
  const y = valueOf([N, P, Q, 2 * C], new Float64Array(N * P * Q * 2 * C));
  const before = isPaddedBoth ? (2 * C) / 4 : 0;
  const forEach = (visit: (xAt: number, yAt: number) => void): void => {
    for (let pixel = 0; pixel < N * P * Q; pixel++) {
      const [q, p, n] = [pixel % Q, Math.floor(pixel / Q) % P, Math.floor(pixel / (P * Q))];
      for (let c = 0; c < C; c++) {
        visit(((n * H + 2 * p) * W + 2 * q) * C + c, pixel * 2 * C + before + c);
      }
    }
  };
  forEach((xAt, yAt) => (y.data[yAt] = x.data[xAt]));
  return pass.tape.record(y, () => {
    forEach((xAt, yAt) => (x.gradient[xAt] += y.gradient[yAt]));
  });
}

export interface InvertedBottleneck {
  name: string;
  kernelSize: number;
  stride: number;
  isWidened: boolean;
}

export function efficientNet(blocks: readonly InvertedBottleneck[]): Float64Forward {
  return (pass, images) => {
    const stem = pass.conv(images, 'stem.conv', { stride: 2, padding: paddingOfKeras(images, 3) });
    let x = pass.silu(pass.norm(stem, 'stem.norm', keras));
    for (const block of blocks) x = invertedBottleneck(pass, x, block);
    x = pass.silu(pass.norm(pass.conv(x, 'head.conv'), 'head.norm', keras));
    return pass.dense(pass.globalAvgPool(x), 'classifier');
  };
}

function invertedBottleneck(pass: Float64Pass, x: Value, block: InvertedBottleneck): Value {
  const { name, kernelSize, stride, isWidened } = block;
  let wide = x;
  if (isWidened) {
    const more = pass.conv(x, `${name}.expand.conv`);
    wide = pass.silu(pass.norm(more, `${name}.expand.norm`, keras));
  }
  const padding = stride === 2 ? paddingOfKeras(wide, kernelSize) : (kernelSize - 1) / 2;
  const deep = pass.depthwise(wide, `${name}.depthwise`, { stride, padding });
  const inner = pass.silu(pass.norm(deep, `${name}.norm`, keras));
  const means = pass.asPixels(pass.globalAvgPool(inner));
  const few = pass.silu(pass.conv(means, `${name}.excite.reduce`));
  const gates = pass.sigmoid(pass.conv(few, `${name}.excite.expand`));
  const narrow = pass.conv(pass.mul(inner, gates), `${name}.project.conv`);
  const y = pass.norm(narrow, `${name}.project.norm`, keras);
  return y.shape.join() === x.shape.join() ? pass.add(y, x) : y;
}

/** Keras' padding of an image of a known size before a stride of 2. */
function paddingOfKeras(x: Value, kernelSize: number) {
  const half = Math.floor(kernelSize / 2);
  const sides = (edge: number) => [half - (edge % 2 === 0 ? 1 : 0), half] as const;
  return [sides(x.shape[1]), sides(x.shape[2])] as const;
}
