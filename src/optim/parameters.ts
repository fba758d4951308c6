import { DeviceError, GradError } from '../errors.js';
import { Tensor } from '../tensor.js';
import { inRange } from './in_range.js';

/** Tensors with requiresGrad, with or without names. */
export type PlainParameters = Iterable<Tensor> | Iterable<readonly [string, Tensor]>;

/** Parameters with their own options. */
export interface ParameterGroup {
  parameters: PlainParameters;
  /** Their learning rate is the optimizer's times this. Default 1. */
  lrScale?: number;
  /** Overrides the optimizer's. */
  weightDecay?: number;
}

/** What an optimizer takes. */
export type Parameters = PlainParameters | Iterable<ParameterGroup>;

/** A parameter as an optimizer keeps it. */
export interface Member {
  name: string;
  tensor: Tensor;
  lrScale: number;
  weightDecay: number;
  /** Steps it took part in. */
  step: number;
  state: Map<string, Tensor>;
}

function* groupsOf(parameters: Parameters): Generator<ParameterGroup> {
  const plain: (Tensor | readonly [string, Tensor])[] = [];
  for (const entry of parameters) {
    if (entry instanceof Tensor || Array.isArray(entry) || !('parameters' in entry)) {
      plain.push(entry as Tensor);
    } else yield entry;
  }
  yield { parameters: plain as Iterable<Tensor> };
}

/** The parameters of all groups in order; GradError or DeviceError where one cannot be trained. */
export function membersOf(parameters: Parameters, weightDecay: number): Member[] {
  const members: Member[] = [];
  for (const group of groupsOf(parameters)) addMembers(members, group, weightDecay);
  if (members.length === 0) throw new GradError('optimizer: got no parameters');
  return members;
}

function addMembers(members: Member[], group: ParameterGroup, weightDecay: number): void {
  const own = {
    lrScale: inRange('lrScale', group.lrScale ?? 1, 0, Infinity),
    weightDecay: inRange('weightDecay', group.weightDecay ?? weightDecay, 0, Infinity),
  };
  const seen = new Set(members.map(({ tensor }) => tensor));
  for (const entry of group.parameters) {
    const [name, tensor] =
      entry instanceof Tensor ? [String(members.length), entry] : (entry as [string, Tensor]);
    if (!(tensor instanceof Tensor)) {
      throw new GradError(`optimizer: parameter ${name} must be a tensor, got ${typeof tensor}`);
    }
    if (!tensor.leaf) {
      throw new GradError(
        `optimizer: parameter ${name} [${tensor.shape.join(', ')}] has no requiresGrad`,
        'pass nn parameters, or tensors made with { requiresGrad: true }',
      );
    }
    if (seen.has(tensor)) throw new GradError(`optimizer: parameter ${name} was given twice`);
    if (members.length > 0 && tensor.runtime !== members[0].tensor.runtime) {
      throw new DeviceError(`optimizer: parameter ${name} lives on another device than the first`);
    }
    seen.add(tensor);
    if (!(entry instanceof Tensor)) tensor.handle.name ??= name;
    members.push({ name, tensor, ...own, step: 0, state: new Map() });
  }
}
