import type { GpuArray } from './array.js';
import type { BindGroupCache } from './bind_group_cache.js';
import type { Storage } from './buffer_pool.js';
import { LimitError, ShaderError } from '../errors.js';
import type { OverrideValues, Pipeline, PipelineCache } from './pipeline.js';
import type { ParameterSlot, ParameterSlots } from './parameter_slots.js';
import { packParams, type ParamValues, type TuneValue } from './shader.js';

/** One kernel launch, as requested by a launcher in kernels/. */
export interface DispatchRequest {
  /** Name of the shader file without its ending. */
  shader: string;
  /** Name in traces and profiles: the op and its direction. */
  op: string;
  tune?: Record<string, TuneValue>;
  constants?: OverrideValues;
  /** Arrays by the names of the shader's bindings. */
  bindings: Record<string, GpuArray>;
  params?: ParamValues;
  /** Workgroups in x, y, z; a single number is folded into two dimensions if it is too large for one. */
  groups: number | readonly [number, number, number];
  flops?: number;
  bytes?: number;
}

/** What a dispatch belongs to, for profiles. */
export interface DispatchMark {
  phase: 'forward' | 'backward';
  /** The innermost module whose forward ran the op. */
  module: string | null;
  /** The op on the tape. */
  op?: string;
}

/** A recorded dispatch with everything that encoding needs. */
export interface DispatchCommand {
  readonly kind: 'dispatch';
  readonly pipeline: Pipeline;
  readonly storages: readonly Storage[];
  readonly bindGroup: GPUBindGroup;
  /** Null if the shader declares no parameters. */
  readonly slot: ParameterSlot | null;
  readonly groups: readonly [number, number, number];
  readonly request: DispatchRequest;
  readonly mark: DispatchMark | null;
}

/**
 * Looks up the pipeline, packs the parameters by name and binds the arrays; validates names, not
 * values.
 */
export function prepareDispatch(
  pipelines: PipelineCache,
  slots: ParameterSlots,
  bindGroups: BindGroupCache,
  maxGroups: number,
  request: DispatchRequest,
  mark: DispatchMark | null,
): DispatchCommand {
  const pipeline = pipelines.get(request.shader, request.tune, request.constants);
  const arrays: GpuArray[] = [];
  for (const binding of pipeline.shader.bindings) {
    if (binding.kind === 'uniform') continue;
    const array = request.bindings[binding.name];
    if (!array) {
      throw new ShaderError(
        `shaders/${request.shader}.wgsl: binding ${binding.name} not given by ${request.op}`,
      );
    }
    if (array.storage.isReleased) {
      throw new ShaderError(`${request.op}: ${binding.name} was released before its use`);
    }
    arrays.push(array);
  }
  if (arrays.length !== Object.keys(request.bindings).length) {
    const declared = pipeline.shader.bindings.map((b) => b.name);
    const extra = Object.keys(request.bindings).filter((name) => !declared.includes(name));
    throw new ShaderError(`shaders/${request.shader}.wgsl: no binding named ${extra.join(', ')}`);
  }
  const params = packParams(pipeline.shader, request.params ?? {});
  const slot = params ? slots.get(params) : null;
  return {
    kind: 'dispatch',
    pipeline,
    storages: arrays.map((array) => array.storage),
    slot,
    bindGroup: bindGroups.get(pipeline, slot, arrays),
    groups: foldGroups(request, maxGroups),
    request,
    mark,
  };
}

/** The same dispatch on other arrays of the same sizes; the arrays of a capture may have been released. */
export function reboundDispatch(
  bindGroups: BindGroupCache,
  command: DispatchCommand,
  bindings: DispatchRequest['bindings'],
): DispatchCommand {
  const arrays = command.pipeline.shader.bindings
    .filter(({ kind }) => kind !== 'uniform')
    .map(({ name }) => bindings[name]);
  return {
    ...command,
    storages: arrays.map(({ storage }) => storage),
    bindGroup: bindGroups.get(command.pipeline, command.slot, arrays),
    request: { ...command.request, bindings },
  };
}

function foldGroups(
  { groups, op }: DispatchRequest,
  maxGroups: number,
): readonly [number, number, number] {
  if (typeof groups === 'number') {
    if (groups <= maxGroups) return [groups, 1, 1];
    // Nearly square, so that few groups fall off the end; shaders compare with the element count.
    const x = Math.ceil(Math.sqrt(groups));
    groups = [x, Math.ceil(groups / x), 1];
  }
  const largest = Math.max(...groups);
  if (largest > maxGroups) {
    throw new LimitError(
      `${op}: grid ${groups.join('×')} has too many workgroups`,
      'maxComputeWorkgroupsPerDimension',
      largest,
      maxGroups,
      'lower the batch size or the image size',
    );
  }
  return groups;
}

/** Where a dispatch's timestamps go, when it is timed. */
export interface TimestampSlots {
  querySet: GPUQuerySet;
  beginningOfPassWriteIndex: number;
  endOfPassWriteIndex: number;
}

/** Encodes dispatches into one compute pass, or one pass each if they are timed. */
export function encodeDispatches(
  encoder: GPUCommandEncoder,
  commands: readonly DispatchCommand[],
  timestamps?: (index: number) => TimestampSlots | undefined,
): void {
  let pass: GPUComputePassEncoder | null = null;
  let bound: Pipeline | null = null;
  for (let i = 0; i < commands.length; i++) {
    const command = commands[i];
    const timestampWrites = timestamps?.(i);
    if (!pass || timestampWrites) {
      pass?.end();
      pass = encoder.beginComputePass(timestampWrites ? { timestampWrites } : {});
      bound = null;
    }
    const { pipeline } = command;
    if (pipeline !== bound) {
      pass.setPipeline(pipeline.compiled!);
      bound = pipeline;
    }
    pass.setBindGroup(0, command.bindGroup);
    const [x, y, z] = command.groups;
    // Each argument costs a conversion in the Dawn binding, and most grids are one row.
    if (y === 1 && z === 1) pass.dispatchWorkgroups(x);
    else pass.dispatchWorkgroups(x, y, z);
  }
  pass?.end();
}
