import type { Device } from '../device.js';
import { UsageError } from '../errors.js';
import { didYouMean } from '../gpu/nearest_name.js';
import type { Module } from '../nn/index.js';
import { cifarSimple } from './cifar_simple.js';
import { cifarVgg } from './cifar_vgg.js';
import { compactResnet } from './compact_resnet.js';
import { efficientNetB0 } from './efficient_net.js';
import { mlp } from './mlp.js';
import { mnistCnn } from './mnist_cnn.js';
import type { AnyModelOptions, ImageShape, ModelOptions } from './options.js';
import {
  cifarResnet20,
  cifarResnet32,
  cifarResnet44,
  cifarResnet56,
  resnet,
  resnet101,
  resnet152,
  resnet18,
  resnet34,
  resnet50,
} from './resnet.js';
import { resnet101V1 } from './resnet_v1.js';
import { simpsonsKeras } from './simpsons_keras.js';
import { simpsonsTf } from './simpsons_tf.js';

export {
  cifarResnet20,
  cifarResnet32,
  cifarResnet44,
  cifarResnet56,
  cifarSimple,
  cifarVgg,
  compactResnet,
  efficientNetB0,
  mlp,
  mnistCnn,
  resnet,
  resnet101,
  resnet101V1,
  resnet152,
  resnet18,
  resnet34,
  resnet50,
  simpsonsKeras,
  simpsonsTf,
};
export { type CompactResnetOptions } from './compact_resnet.js';
export { type CifarSimpleOptions } from './cifar_simple.js';
export {
  EfficientNet,
  type EfficientNetArchitecture,
  type EfficientNetOptions,
  type MbConvStage,
} from './efficient_net.js';
export { type MlpOptions } from './mlp.js';
export { type MnistCnnOptions } from './mnist_cnn.js';
export {
  shortcuts,
  type AnyModelOptions,
  type ImageShape,
  type ModelOptions,
  type Shortcut,
} from './options.js';
export {
  ResNet,
  type CifarResNetOptions,
  type ResNetArchitecture,
  type ResNetDepth,
  type ResNetOptions,
  type ResNetStemOptions,
} from './resnet.js';
export { PadShortcut } from './resnet_blocks.js';
export { ResNetV1, type ResNetV1Architecture } from './resnet_v1.js';
export { type SimpsonsTfOptions } from './simpsons_tf.js';

export type ModelFactory = (device: Device, options?: AnyModelOptions) => Module;

/** Every network by its command-line name: the function's name in kebab case. */
export const modelFactories: Readonly<Record<string, ModelFactory>> = {
  'mnist-cnn': mnistCnn,
  mlp,
  'simpsons-tf': simpsonsTf,
  'simpsons-keras': simpsonsKeras,
  'cifar-simple': cifarSimple,
  'cifar-vgg': cifarVgg,
  'compact-resnet': compactResnet,
  'cifar-resnet20': cifarResnet20,
  'cifar-resnet32': cifarResnet32,
  'cifar-resnet44': cifarResnet44,
  'cifar-resnet56': cifarResnet56,
  resnet,
  resnet18,
  resnet34,
  resnet50,
  resnet101,
  resnet152,
  'resnet101-v1': resnet101V1,
  'efficient-net-b0': efficientNetB0,
};

const edge32: ImageShape = [32, 32, 3];
const edge64: ImageShape = [64, 64, 3];

/** The images and classes a network is published for, used to describe it when no shape is given. */
const published: Readonly<Record<string, Required<ModelOptions>>> = {
  'mnist-cnn': { input: [28, 28, 1], classes: 10 },
  mlp: { input: [28, 28, 1], classes: 10 },
  'simpsons-tf': { input: edge64, classes: 18 },
  'simpsons-keras': { input: edge64, classes: 18 },
  'cifar-simple': { input: edge32, classes: 100 },
  'cifar-vgg': { input: edge32, classes: 100 },
  'compact-resnet': { input: edge64, classes: 10 },
  'cifar-resnet20': { input: edge32, classes: 10 },
  'cifar-resnet32': { input: edge32, classes: 10 },
  'cifar-resnet44': { input: edge32, classes: 10 },
  'cifar-resnet56': { input: edge32, classes: 10 },
  'resnet101-v1': { input: edge64, classes: 43 },
  'efficient-net-b0': { input: [224, 224, 3], classes: 100 },
};

/** A network's published input shape and number of classes: ImageNet's for those not named above. */
export function publishedOptions(name: string): Required<ModelOptions> {
  return published[name] ?? { input: [224, 224, 3], classes: 1000 };
}

/**
 * Builds a network by name.
 *
 * Errors: UsageError with the names there are, and for an option that the network does not take.
 */
export function createModel(device: Device, name: string, options: AnyModelOptions = {}): Module {
  if (options.shortcut !== undefined) expectShortcuts(name);
  if (Object.hasOwn(modelFactories, name)) return modelFactories[name](device, options);
  const names = Object.keys(modelFactories);
  throw new UsageError(
    `model: no model named "${name}"; there are ${names.join(', ')}`,
    didYouMean(name, names),
  );
}

/** Errors: UsageError if a model of this name does not let its shortcuts be chosen. */
export function expectShortcuts(name: string): void {
  const takers = Object.keys(modelFactories).filter((key) => /^(cifar-)?resnet\d*$/.test(key));
  if (takers.includes(name) || !Object.hasOwn(modelFactories, name)) return;
  throw new UsageError(
    `model: ${name} has no shortcuts to choose`,
    `leave out --shortcut (option shortcut), or choose one of ${takers.join(', ')}`,
  );
}
