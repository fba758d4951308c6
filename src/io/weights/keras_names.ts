import type { KerasLayer } from '../keras_h5.js';
import type { SavedTensor } from '../safetensors.js';
import type { ModelLayer } from './model_layers.js';
import type { NamedTensor } from './types.js';

/* How layers are called in Keras: in its own networks, and by default. */

/** In keras.applications' EfficientNets, by the names of ours: models/efficient_net.ts. */
const efficientNetNames: readonly (readonly [RegExp, string])[] = [
  [/^stem\.conv$/, 'stem_conv'],
  [/^stem\.norm$/, 'stem_bn'],
  [/^(block\d+[a-z])\.expand\.conv$/, '$1_expand_conv'],
  [/^(block\d+[a-z])\.expand\.norm$/, '$1_expand_bn'],
  [/^(block\d+[a-z])\.depthwise$/, '$1_dwconv'],
  [/^(block\d+[a-z])\.norm$/, '$1_bn'],
  [/^(block\d+[a-z])\.excite\.reduce$/, '$1_se_reduce'],
  [/^(block\d+[a-z])\.excite\.expand$/, '$1_se_expand'],
  [/^(block\d+[a-z])\.project\.conv$/, '$1_project_conv'],
  [/^(block\d+[a-z])\.project\.norm$/, '$1_project_bn'],
  [/^head\.conv$/, 'top_conv'],
  [/^head\.norm$/, 'top_bn'],
  [/^classifier$/, 'predictions'],
];

/**
 * What Keras files may call a layer of ours, the usual name first; none if only its kind and
 * place tell. Residual networks have the names of the first ones in Keras (`res2a_branch2a`,
 * `bn2a_branch1`, `fc43`), then those of keras.applications (`conv2_block1_1_conv`).
 */
export function kerasNames(layer: ModelLayer): string[] {
  const { path } = layer;
  for (const [pattern, name] of efficientNetNames) {
    if (pattern.test(path)) return [path.replace(pattern, name)];
  }
  if (path === 'conv1') return ['conv1', 'conv1_conv'];
  if (path === 'bn1') return ['bn_conv1', 'conv1_bn'];
  if (path === 'fc') {
    return [`fc${layer.tensors.get('weight')!.shape[1]}`, 'fc1000', 'predictions', 'probs', 'fc'];
  }
  const inBlock = /^layer(\d+)\.(\d+)\.(?:(conv|bn)(\d)|downsample\.([01]))$/.exec(path);
  if (!inBlock) return [];
  const stage = Number(inBlock[1]) + 1;
  const block = Number(inBlock[2]);
  const isNorm = inBlock[3] === 'bn' || inBlock[5] === '1';
  const place = Number(inBlock[4] ?? 0);
  const branch = place === 0 ? 'branch1' : `branch2${letter(place - 1)}`;
  const kind = isNorm ? 'bn' : 'res';
  return [
    // 26 letters; longer stages, and some files with shorter ones, count from b1 on.
    ...(block < 26 ? [`${kind}${stage}${letter(block)}_${branch}`] : []),
    ...(block > 0 ? [`${kind}${stage}b${block}_${branch}`] : []),
    `conv${stage}_block${block + 1}_${place}_${isNorm ? 'bn' : 'conv'}`,
  ];
}

function letter(index: number): string {
  return String.fromCharCode(97 + index);
}

const fieldNames: Readonly<Record<string, string>> = {
  weight: 'kernel',
  runningMean: 'moving_mean',
  runningVariance: 'moving_variance',
};

/**
 * The layers of a network as Keras has them: under their known names, else as Keras numbers them
 * by default (`conv2d`, `conv2d_1`, `batch_normalization`, `dense`).
 */
export function kerasLayers(
  layers: readonly ModelLayer[],
  values: ReadonlyMap<string, SavedTensor>,
): KerasLayer[] {
  const counts = new Map<string, number>();
  return layers.map((layer) => {
    const kind = automaticName(layer);
    const number = counts.get(kind) ?? 0;
    const [known] = kerasNames(layer);
    counts.set(kind, number + 1);
    const tensors = [...layer.tensors].map(([field, { name, shape }]): NamedTensor => {
      const isDepthwiseWeight = layer.isDepthwise && field === 'weight';
      const theirs = isDepthwiseWeight ? 'depthwise_kernel' : (fieldNames[field] ?? field);
      return { name: theirs, shape, data: values.get(name)!.data as Float32Array };
    });
    return { name: known ?? (number === 0 ? kind : `${kind}_${number}`), tensors };
  });
}

function automaticName({ kind, isDepthwise, path }: ModelLayer): string {
  if (isDepthwise) return 'depthwise_conv2d';
  const names = { filters: 'conv2d', dense: 'dense', norm: 'batch_normalization' } as const;
  return kind === 'other' ? path.replaceAll('.', '_') : names[kind];
}
