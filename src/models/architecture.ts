import type { Device } from '../device.js';
import { UsageError } from '../errors.js';
import * as nn from '../nn/index.js';
import { EfficientNet, type EfficientNetArchitecture } from './efficient_net.js';
import { ResNet } from './resnet.js';
import { ResNetV1 } from './resnet_v1.js';

/**
 * A network as data: what to build, without the weights. It is stored in the metadata of a weights
 * file, so that the file alone restores the network.
 */
export interface Architecture {
  /** The class, such as `Conv2d`. */
  type: string;
  /** Options of its constructor, without functions and modules. */
  options?: Record<string, unknown>;
  /** The modules that its constructor takes, in order. */
  modules?: Architecture[];
}

/** How modules of one class are described and rebuilt. */
interface ModuleType {
  name: string;
  build(device: Device, options: Record<string, unknown>, modules: nn.Module[]): nn.Module;
  /** What `build` gets as options; the module's `options` by default. */
  optionsOf?(module: nn.Module): object;
  /** The modules that `build` gets; none by default. */
  modulesOf?(module: nn.Module): nn.Module[];
}

type ModuleClass = new (...args: never[]) => nn.Module;

const types = new Map<ModuleClass, ModuleType>();
const classes = new Map<string, ModuleType>();

function add(Class: ModuleClass, type: ModuleType): void {
  types.set(Class, type);
  classes.set(type.name, type);
}

/* Names are spelled out, since minified bundles rename classes. */

const madeOnDevice: Record<string, new (device: Device, options: never) => nn.Module> = {
  ...{ BatchNorm2d: nn.BatchNorm2d, GroupNorm: nn.GroupNorm, LayerNorm: nn.LayerNorm },
  ...{ InstanceNorm2d: nn.InstanceNorm2d, Conv2d: nn.Conv2d, DepthwiseConv2d: nn.DepthwiseConv2d },
  ...{ ConvTranspose2d: nn.ConvTranspose2d, Dense: nn.Dense, SqueezeExcite: nn.SqueezeExcite },
  ...{ ResNet, ResNetV1 },
};
for (const [name, Class] of Object.entries(madeOnDevice)) {
  add(Class, { name, build: (device, options) => new Class(device, options as never) });
}

const madeOfOptions: Record<string, new (options: never) => nn.Module> = {
  ...{ ELU: nn.ELU, GELU: nn.GELU, HardSwish: nn.HardSwish, LeakyReLU: nn.LeakyReLU },
  ...{ LogSoftmax: nn.LogSoftmax, ReLU: nn.ReLU, ReLU6: nn.ReLU6, Sigmoid: nn.Sigmoid },
  ...{ SiLU: nn.SiLU, Softmax: nn.Softmax, Softplus: nn.Softplus, Tanh: nn.Tanh },
  ...{ AvgPool2d: nn.AvgPool2d, MaxPool2d: nn.MaxPool2d, GlobalAvgPool2d: nn.GlobalAvgPool2d },
  ...{ GlobalMaxPool2d: nn.GlobalMaxPool2d, Resize: nn.Resize, Upsample: nn.Upsample },
  ...{ Flatten: nn.Flatten, DepthToSpace: nn.DepthToSpace, SpaceToDepth: nn.SpaceToDepth },
};
for (const [name, Class] of Object.entries(madeOfOptions)) {
  add(Class, { name, build: (_device, options) => new Class(options as never) });
}

for (const [name, Class] of Object.entries({
  Dropout: nn.Dropout,
  StochasticDepth: nn.StochasticDepth,
})) {
  add(Class, {
    name,
    optionsOf: (module) => ({ rate: (module as nn.Dropout).rate }),
    build: (_device, options) => new Class(options as { rate: number }),
  });
}

for (const [name, Class] of Object.entries({
  ZeroPad2d: nn.ZeroPad2d,
  ReflectionPad2d: nn.ReflectionPad2d,
  ReplicationPad2d: nn.ReplicationPad2d,
})) {
  add(Class, {
    name,
    optionsOf: (module) => ({ padding: (module as nn.ZeroPad2d).padding }),
    build: (_device, { padding }) => new Class(padding as nn.ZeroPad2d['padding']),
  });
}

add(nn.Sequential, {
  name: 'Sequential',
  modulesOf: (module) => [...(module as nn.Sequential).layers],
  build: (_device, _options, modules) => new nn.Sequential(...modules),
});

add(nn.Add, {
  name: 'Add',
  modulesOf: (module) => {
    const { branch, shortcut } = module as nn.Add;
    return shortcut ? [branch, shortcut] : [branch];
  },
  build: (_device, options, [branch, shortcut]) =>
    new nn.Add(branch, { ...options, ...(shortcut ? { shortcut } : {}) }),
});

add(EfficientNet, {
  name: 'EfficientNet',
  // Its dropout may have changed since construction.
  optionsOf: (module) => {
    const { options, dropout } = module as EfficientNet;
    return { ...options, dropout: dropout.rate };
  },
  build: (device, options) =>
    new EfficientNet(device, options as unknown as EfficientNetArchitecture),
});

/**
 * Lets `save` and `load` handle your own module class: the module's `options` are saved, and `build`
 * makes a module from them. Call it once, before either.
 *
 * **Errors** UsageError if the name is taken.
 *
 * @example
 * class Block extends nn.Module { constructor(device, readonly options: { width: number }) { … } }
 * registerModule('Block', Block, (device, options) => new Block(device, options));
 */
export function registerModule<Options extends object>(
  name: string,
  Class: new (...args: never[]) => nn.Module & { readonly options: Options },
  build: (device: Device, options: Options) => nn.Module,
): void {
  if (classes.has(name)) {
    throw new UsageError(`registerModule: the name ${name} is taken`, 'choose another name');
  }
  add(Class, { name, build: (device, options) => build(device, options as Options) });
}

/**
 * A network as data.
 *
 * **Errors** UsageError for a module of a class that is neither the library's nor registered.
 */
export function architectureOf(module: nn.Module): Architecture {
  const type = types.get(module.constructor as ModuleClass);
  if (!type) {
    const { name } = module.constructor;
    throw new UsageError(
      `save: expected modules of the library, got one of class ${name}`,
      `call registerModule('${name}', ${name}, …) first, or write model.stateDict() with writeSafetensors`,
    );
  }
  const own = (module as { options?: object }).options ?? {};
  const options = plainOptions(type.optionsOf?.(module) ?? own);
  const modules = type.modulesOf?.(module).map(architectureOf) ?? [];
  return {
    type: type.name,
    ...(Object.keys(options).length > 0 ? { options } : {}),
    ...(modules.length > 0 ? { modules } : {}),
  };
}

/** Whether every module of a network is of a class that `save` can describe. */
export function isDescribable(module: nn.Module): boolean {
  const type = types.get(module.constructor as ModuleClass);
  return type !== undefined && (type.modulesOf?.(module) ?? []).every(isDescribable);
}

/**
 * Builds a network from data, with fresh weights.
 *
 * **Errors** UsageError for a class that is not known.
 */
export function buildModule(device: Device, architecture: Architecture): nn.Module {
  const { type: name, options = {}, modules = [] } = architecture;
  const type = classes.get(name);
  if (!type) {
    throw new UsageError(
      `load: expected modules of this version of the library, got one of class ${name}`,
      `update the library, or call registerModule('${name}', …) first`,
    );
  }
  const inner = modules.map((module) => buildModule(device, module));
  return type.build(device, options, inner);
}

/** Initialisers and modules are omitted: weights are loaded, and modules are listed separately. */
function plainOptions(options: object): Record<string, unknown> {
  const isPlain = (value: unknown): boolean =>
    value !== undefined && typeof value !== 'function' && !(value instanceof nn.Module);
  return Object.fromEntries(Object.entries(options).filter(([, value]) => isPlain(value)));
}
