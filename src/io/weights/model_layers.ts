import { watchOps } from '../../autograd/recording.js';
import {
  BatchNorm2d,
  Conv2d,
  Dense,
  DepthwiseConv2d,
  Flatten,
  type Module,
} from '../../nn/index.js';
import { Tensor } from '../../tensor.js';
import type { LayerKind } from './types.js';

/** A module that has weights of its own. */
export interface ModelLayer {
  /** In the network's state dict; empty for the network itself. */
  path: string;
  kind: LayerKind;
  isDepthwise: boolean;
  /** By field: the name in the state dict, and the shape. */
  tensors: ReadonlyMap<string, { name: string; shape: readonly number[] }>;
  /** Height, width and channels of the image whose values are the layer's features. */
  flattened: readonly number[] | null;
}

/**
 * The layers of a network, in the order of its state dict. With the shape of one image, a network
 * that flattens images is run once on zeros, to learn their shape there.
 */
export function modelLayers(model: Module, input: readonly number[] | null): ModelLayer[] {
  const modules = [...model.namedModules()];
  const doesFlatten = modules.some(([, module]) => module instanceof Flatten);
  const flattened =
    input && doesFlatten ? flattenedShapes(model, input) : new Map<Module, number[]>();
  return modules.flatMap(([path, module]) => {
    const own = Object.entries(module).filter(([, value]) => value instanceof Tensor);
    if (own.length === 0) return [];
    const tensors = new Map(
      own.map(([field, tensor]: [string, Tensor]) => [
        field,
        { name: path === '' ? field : `${path}.${field}`, shape: [...tensor.shape] },
      ]),
    );
    const isDepthwise = module instanceof DepthwiseConv2d;
    const kind = kindOfModule(module);
    return [{ path, kind, isDepthwise, tensors, flattened: flattened.get(module) ?? null }];
  });
}

function kindOfModule(module: Module): LayerKind {
  if (module instanceof Conv2d || module instanceof DepthwiseConv2d) return 'filters';
  if (module instanceof Dense) return 'dense';
  return module instanceof BatchNorm2d ? 'norm' : 'other';
}

/** For each layer that works on a flattened image: that image's shape. */
function flattenedShapes(model: Module, input: readonly number[]): Map<Module, number[]> {
  const shapes = new Map<Module, number[]>();
  let byPath: Map<string, Module> | null = null;
  let image: number[] | null = null;
  watchOps(
    (_record, _plan, inputs, _options, origin) => {
      // Paths are given when the network is first called.
      byPath ??= new Map([...model.namedModules()].map(([, m]) => [m.path ?? '', m]));
      const module = byPath.get(origin ?? '');
      if (module instanceof Flatten) {
        const { shape } = Object.values(inputs)[0]!;
        image = shape.length === 4 ? shape.slice(1) : null;
      } else if (image && module) {
        const size = image.reduce((a, b) => a * b, 1);
        const isDense = module instanceof Dense;
        if (isDense && module.options.inFeatures === size) shapes.set(module, image);
        if (module instanceof BatchNorm2d && module.options.channels === size) {
          shapes.set(module, image);
        }
        if (isDense) image = null;
      }
    },
    () => model.summary(input),
  );
  return shapes;
}
