import type { BenchOpName } from './types.js';

/*
 * Lists of shapes in the form `--shape` takes. Those that bear a network's name hold its
 * convolutions, each once; a test compares them with the network itself.
 */

const join = (...parts: readonly (number | string)[]): string => parts.join();

const unique = (shapes: readonly string[]): string[] => [...new Set(shapes)];

interface ResNetLayers {
  batch: number;
  /** Edge of the image, and of what the stem's pooling leaves. */
  image: number;
  pooled: number;
  /** What follows the numbers of the stem. */
  stemPadding?: string;
  /** Which convolution of a stage's first block has its stride. */
  strideIn: '1×1' | '3×3';
}

/** The bottleneck convolutions of ResNet-50 and -101, whose layers differ in count alone. */
function resnetConvolutions({ batch, image, pooled, stemPadding, strideIn }: ResNetLayers) {
  const stem = [batch, image, image, 3, 64, 7, 2];
  const shapes = [join(...stem, ...(stemPadding ? [stemPadding] : []))];
  let size = pooled;
  let channels = 64;
  for (const width of [64, 128, 256, 512]) {
    const stride = width === 64 ? 1 : 2;
    const after = Math.ceil(size / stride);
    const [outer, inner] = strideIn === '1×1' ? [stride, 1] : [1, stride];
    const between = Math.ceil(size / outer);
    shapes.push(
      join(batch, size, size, channels, width, 1, outer),
      join(batch, between, between, width, width, 3, inner),
      join(batch, after, after, width, 4 * width, 1, 1),
      join(batch, size, size, channels, 4 * width, 1, stride),
      join(batch, after, after, 4 * width, width, 1, 1),
      join(batch, after, after, width, width, 3, 1),
    );
    size = after;
    channels = 4 * width;
  }
  return unique(shapes);
}

/** What the batch norms after them take. */
function resnetNorms({ batch, image, pooled }: Pick<ResNetLayers, 'batch' | 'image' | 'pooled'>) {
  const shapes = [join(batch, image / 2, image / 2, 64)];
  let size = pooled;
  for (const width of [64, 128, 256, 512]) {
    if (width > 64) size = Math.ceil(size / 2);
    shapes.push(join(batch, size, size, width), join(batch, size, size, 4 * width));
  }
  return shapes;
}

const published = (batch: number, image: number) =>
  resnetConvolutions({ batch, image, pooled: image / 4, strideIn: '3×3' });

/** Six kinds of layer that most of a ResNet's time goes to. */
const resnet224 = (batch: number): string[] => [
  join(batch, 56, 56, 64, 64, 3, 1),
  join(batch, 28, 28, 128, 128, 3, 1),
  join(batch, 14, 14, 256, 256, 3, 1),
  join(batch, 7, 7, 512, 512, 3, 1),
  join(batch, 56, 56, 64, 256, 1, 1),
  join(batch, 224, 224, 3, 64, 7, 2),
];

/** VGG-16's convolutions for 32×32 images: [edge, C, K]. */
const cifarVgg = [
  ...[[32, 3, 64] as const, [32, 64, 64] as const],
  ...[[16, 64, 128] as const, [16, 128, 128] as const],
  ...[[8, 128, 256] as const, [8, 256, 256] as const],
  ...[[4, 256, 512] as const, [4, 512, 512] as const, [2, 512, 512] as const],
].map(([edge, c, k]) => join(128, edge, edge, c, k, 3, 1));

const cifarSimple = [
  ...[[32, 3, 64] as const, [30, 64, 128] as const],
  ...[[14, 128, 256] as const, [6, 256, 512] as const],
].map(([edge, c, k]) => join(64, edge, edge, c, k, 3, 1, 'valid'));

/** Table 1 of the EfficientNet paper, rows 2 to 8: [expansion, filter, stride, channels, blocks]. */
const efficientNetStages = [
  ...[[1, 3, 1, 16, 1] as const, [6, 3, 2, 24, 2] as const, [6, 5, 2, 40, 2] as const],
  ...[[6, 3, 2, 80, 3] as const, [6, 5, 1, 112, 3] as const, [6, 5, 2, 192, 4] as const],
  [6, 3, 1, 320, 1] as const,
];

function efficientNet(batch: number, image: number): string[] {
  const shapes = [join(batch, image, image, 3, 32, 3, 2)];
  let [size, channels] = [image / 2, 32];
  for (const [expansion, r, first, after, blocks] of efficientNetStages) {
    for (let i = 0; i < blocks; i++) {
      const stride = i === 0 ? first : 1;
      const inside = channels * expansion;
      if (expansion > 1) shapes.push(join(batch, size, size, channels, inside, 1, 1));
      shapes.push(join(batch, size, size, inside, inside, r, stride, 'depthwise'));
      size /= stride;
      shapes.push(join(batch, size, size, inside, after, 1, 1));
      channels = after;
    }
  }
  shapes.push(join(batch, size, size, channels, 1280, 1, 1));
  return unique(shapes);
}

/** Suites by op; the first is the default on a software adapter, the second on others. */
export const suites: Record<
  Exclude<BenchOpName, 'train'>,
  Readonly<Record<string, readonly string[]>>
> = {
  conv2d: {
    quick: ['16,28,28,1,32,5,1', '8,16,16,32,64,3,1', '8,16,16,64,64,1,1'],
    resnet: [...published(8, 224), ...published(64, 32)],
    resnet224: [...resnet224(8), ...resnet224(32)],
    'resnet101-64': resnetConvolutions({
      ...{ batch: 32, image: 64, pooled: 15, stemPadding: 'pad3', strideIn: '1×1' },
    }),
    mnist: ['64,28,28,1,32,5,1', '64,14,14,32,64,5,1'],
    cifar: [...cifarVgg, ...cifarSimple],
    efficientnet: efficientNet(8, 224),
    common: ['1,256,256,64,128,3,1', '16,19,19,256,4096,4,1,valid'],
    facts: [
      ...['32,32,32,64,64,3,1', '8,16,16,256,256,3,1', '8,16,16,64,256,1,1'],
      ...['32,28,28,1,32,5,1', '32,14,14,32,64,5,1'],
    ],
  },
  matmul: {
    quick: ['64,784,128', '256,256,256'],
    square: [256, 512, 1024, 2048, 4096].map((n) => join(n, n, n)),
    mnist: ['64,3136,1024', '64,1024,10'],
  },
  'batch-norm': {
    quick: ['16,16,16,32', '64,7,7,64'],
    resnet: ['8,112,112,64', '8,56,56,256', '8,28,28,512', '8,14,14,1024', '8,7,7,2048'],
    'resnet101-64': resnetNorms({ batch: 32, image: 64, pooled: 15 }),
  },
  pool: {
    quick: ['16,28,28,32,2,2', '8,15,15,16,3,2'],
    resnet: ['8,112,112,64,3,2'],
    mnist: ['64,28,28,32,2,2', '64,14,14,64,2,2'],
  },
  // Sums over M: of a bias' gradient, of an image's pixels, of the last axis, of everything.
  reduce: {
    quick: ['1,12544,64', '64,196,64', '4096,256,1'],
    resnet: ['1,25088,256', '1,6272,512', '8,49,2048', '32768,1000,1', '1,4194304,1'],
  },
  'softmax-cross-entropy': {
    quick: ['64,10', '64,1000'],
    large: ['64,10', '1024,1000', '4096,10000'],
    mnist: ['64,10'],
  },
  optimizer: { quick: ['8,16384'], resnet: ['161,158745'], mnist: ['8,409329'] },
};
