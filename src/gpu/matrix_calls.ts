/*
 * Subgroup matrices are experimental in Dawn, and their built-ins changed in mid-2026. Shaders here use
 * the newer form, with the layout as a template argument:
 *   subgroupMatrixLoad<T, col_major>(&p, offset, stride)   subgroupMatrixStore<row_major>(&p, offset, m, stride)
 * Before, it was a boolean argument, true for column-major:
 *   subgroupMatrixLoad<T>(&p, offset, true, stride)        subgroupMatrixStore(&p, offset, m, false, stride)
 */

const FEATURE = 'chromium-experimental-subgroup-matrix';

/** The rewrite of shader text that this device needs for subgroup matrices. */
export async function matrixCallsOf(device: GPUDevice): Promise<(code: string) => string> {
  const asWritten = (code: string): string => code;
  if (!device.features.has(FEATURE)) return asWritten;
  return (await compiles(device, PROBE)) ? asWritten : withOldMatrixCalls;
}

const PROBE = `enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;
var<workgroup> tile: array<f16, 256>;
@compute @workgroup_size(32)
fn main() {
  let left = subgroupMatrixLoad<subgroup_matrix_left<f16, 16, 16>, row_major>(&tile, 0u, 16u);
}`;

async function compiles(device: GPUDevice, code: string): Promise<boolean> {
  device.pushErrorScope('validation');
  device.createShaderModule({ code, label: 'probe of subgroup matrices' });
  return (await device.popErrorScope()) === null;
}

const LOAD =
  /subgroupMatrixLoad<\s*([\w<>, ]+?)\s*,\s*(row|col)_major\s*>\(\s*([^,]+),\s*([^,]+),/g;
const STORE = /subgroupMatrixStore<\s*(row|col)_major\s*>\(\s*([^,]+),\s*([^,]+),\s*([^,]+),/g;

/** The same shader with the older calls. Line numbers stay the same. */
export function withOldMatrixCalls(code: string): string {
  const isColumns = (layout: string): string => String(layout === 'col');
  return code
    .replace(
      LOAD,
      (_, type: string, layout: string, pointer: string, offset: string) =>
        `subgroupMatrixLoad<${type}>(${pointer}, ${offset}, ${isColumns(layout)},`,
    )
    .replace(
      STORE,
      (_, layout: string, pointer: string, offset: string, matrix: string) =>
        `subgroupMatrixStore(${pointer}, ${offset}, ${matrix}, ${isColumns(layout)},`,
    );
}
