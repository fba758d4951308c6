/**
 * Which shaders ran, and with which values of their overrides and element types: a branch of a shader
 * that no test of its op takes would be wrong unseen.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, expect, type RunnerTestSuite } from 'vitest';
import type { DeviceInfo } from '../../src/gpu/adapter.js';
import type { DispatchRequest } from '../../src/gpu/dispatch.js';
import type { Runtime } from '../../src/gpu/runtime.js';

/** What runs in another file than that of the op whose name the shader bears: checked there. */
const elsewhere: Readonly<Record<string, readonly string[]>> = {
  dense: [
    ...[
      'matmul_forward_naive',
      'matmul_forward_tiled',
      'matmul_forward_tiled_vec4',
      'matmul_sum_slices',
    ].flatMap((shader) => [`${shader} HAS_BIAS=true`, `${shader} ACTIVATION=another`]),
    'matmul_forward_subgroup8 ACTIVATION=another',
  ],
  matmul_residual: [
    'matmul_forward_naive HAS_RESIDUAL=true',
    'matmul_forward_tiled HAS_RESIDUAL=true',
    'matmul_forward_tiled_vec4 HAS_RESIDUAL=true',
    'matmul_sum_slices HAS_RESIDUAL=true',
  ],
  conv2d_gradients: [
    'matmul_forward_subgroup8_pair',
    'conv2d_winograd_gradients_results HAS_RESIDUAL=true',
  ],
  conv2d_f16: [
    'conv2d_flip_filter Elem=another',
    'conv2d_flip_filter_vec4 Elem=another',
    ...['naive', 'tiled', 'tiled_vec4'].flatMap((name) => [
      `conv2d_forward_${name} XElem=another`,
      `conv2d_forward_${name} WElem=another`,
      `conv2d_grad_weight_${name} XElem=another`,
    ]),
    'conv2d_grad_input_naive WElem=another',
  ],
  conv_batch_norm: ['batch_norm_fold'],
};

/**
 * Fails after all tests of a file where something that a launcher of the op can ask for never ran, or
 * what this file is to run for other ops did not. `stems` are all ops; without them only the latter.
 */
export function expectCoverage(
  name: string,
  stems: readonly string[] | null,
  open: () => Promise<{ info: DeviceInfo }>,
): void {
  // Vitest reads the names of fixtures from the first parameter, and so wants a pattern.
  afterAll(async ({}, suite) => {
    if (!hasRunWhole(suite)) {
      console.log(`coverage of ${name} not checked: not all tests of the file ran`);
      return;
    }
    const { info } = await open();
    const { [name]: here = [], ...others } = elsewhere;
    const excused = new Set(Object.values(others).flat());
    const missing = stems ? neverRan(name, stems, info).filter((what) => !excused.has(what)) : [];
    const promised = [...new Set(here.map((what) => what.split(' ')[0]))]
      .flatMap((shader) => missingOf(shader, info))
      .filter((what) => here.some((one) => one === what || one.startsWith(`${what} `)));
    expect([...missing, ...promised], `never ran in the tests of ${name}`).toEqual([]);
  });
}

function hasRunWhole({ tasks }: Readonly<RunnerTestSuite>): boolean {
  return tasks.every((task) =>
    task.type === 'suite'
      ? hasRunWhole(task)
      : task.mode === 'run' && task.result?.state === 'pass',
  );
}

const folder = new URL('../../shaders/', import.meta.url);

/** Values by shader and name; the shader itself is there with none. */
const ran = new Map<string, Map<string, Set<string>>>();

/** Notes every dispatch of a device from now on. */
export function watchDispatches(runtime: Runtime): void {
  const dispatch = runtime.dispatch.bind(runtime);
  runtime.dispatch = (request: DispatchRequest) => {
    dispatch(request);
    const values = ran.get(request.shader) ?? new Map<string, Set<string>>();
    ran.set(request.shader, values);
    for (const [name, value] of declaredValues(request.shader)) {
      const given = request.constants?.[name] ?? request.tune?.[name] ?? value;
      const seen = values.get(name) ?? new Set();
      values.set(name, seen.add(textOf(given)));
    }
  };
}

/**
 * What a launcher of the op can ask for and no dispatch so far had, as `shader NAME=value`: both values
 * of a switch; the default and one other value of a number or an element type.
 */
function neverRan(stem: string, stems: readonly string[], info: DeviceInfo): string[] {
  return shadersOf(stem, stems).flatMap((shader) => missingOf(shader, info));
}

function missingOf(shader: string, info: DeviceInfo): string[] {
  if (!runsOn(shader, info)) return [];
  const values = ran.get(shader);
  if (!values) return [shader];
  const hasF16 = info.features.includes('shader-f16');
  return [...declaredValues(shader)].flatMap(([name, value]) => {
    // Other element types are checked on adapters that can run all of them.
    if (name.endsWith('Elem') && !hasF16) return [];
    const seen = values.get(name) ?? new Set();
    const hasOther = [...seen].some((one) => one !== value);
    const isSwitch = value === 'true' || value === 'false';
    const other = isSwitch ? String(value === 'false') : 'another';
    return [
      ...(seen.has(value) ? [] : [`${shader} ${name}=${value}`]),
      ...(hasOther ? [] : [`${shader} ${name}=${other}`]),
    ];
  });
}

/** Shaders whose name begins with the stem, and with no longer one. */
function shadersOf(stem: string, stems: readonly string[]): string[] {
  const longer = stems.filter((other) => other.startsWith(`${stem}_`));
  return readdirSync(folder)
    .filter((file) => file.endsWith('.wgsl') && file.startsWith(`${stem}_`))
    .map((file) => file.replace('.wgsl', ''))
    .filter((name) => !longer.some((other) => name.startsWith(`${other}_`)))
    .sort();
}

/** Kernels for subgroups of a size that this adapter lacks. */
function runsOn(shader: string, info: DeviceInfo): boolean {
  const { features, subgroupMinSize, subgroupMaxSize } = info;
  if (/subgroup_matrix/.test(shader)) {
    return features.includes('chromium-experimental-subgroup-matrix') && subgroupMinSize === 32;
  }
  if (!/subgroup8|small_channel/.test(shader)) return true;
  return features.includes('subgroups') && subgroupMinSize === 8 && subgroupMaxSize === 8;
}

const declarations = new Map<string, Map<string, string>>();

/** Overrides and element types that a file declares, with their defaults. */
function declaredValues(shader: string): Map<string, string> {
  let found = declarations.get(shader);
  if (!found) {
    const text = readFileSync(new URL(`${shader}.wgsl`, folder), 'utf8');
    const matches = text.matchAll(
      /^(?:override (\w+)(?:: *\w+)? *= *([^;]+);|alias (\w+) *= *([^;]+);.*@tune)/gm,
    );
    found = new Map(
      [...matches].map(([, override, value, alias, type]) => [
        override ?? alias,
        textOf(value ?? type),
      ]),
    );
    declarations.set(shader, found);
  }
  return found;
}

/** `0u` and 0, `false` and false are the same. */
function textOf(value: unknown): string {
  return String(value)
    .trim()
    .replace(/^(\d+)u$/, '$1');
}
