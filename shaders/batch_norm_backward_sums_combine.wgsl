// Gradients of beta and gamma, second of two passes: adds up the slices of
// batch_norm_backward_sums_sliced, always in the same order.
//
// A workgroup takes COLUMNS neighbours of the 2 C sums, local = part · COLUMNS + column: each part
// adds every PARTS-th slice, then the parts are summed in workgroup memory.
//   partial [slices 2 C]  read: Σ dz, then Σ dz · x̂, of each slice
//   sums    [2 C]         written: dbeta, then dgamma, together for batch_norm_backward_naive
//   dgamma  [C]           written
//   dbeta   [C]           written
// Tunables: COLUMNS; PARTS, a power of two, 1 where there are few slices.
// Limits: WebGPU's defaults.

const COLUMNS: u32 = 16u; // @tune
const PARTS: u32 = 16u; // @tune

struct Params {
  C: u32,
  slices: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> partial: array<f32>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;
@group(0) @binding(3) var<storage, read_write> dgamma: array<f32>;
@group(0) @binding(4) var<storage, read_write> dbeta: array<f32>;

var<workgroup> parts: array<f32, COLUMNS * PARTS>;

@compute @workgroup_size(COLUMNS * PARTS)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let columns = 2u * params.C;
  let column = (group.y * groups.x + group.x) * COLUMNS + local % COLUMNS;
  // Columns past the last repeat it and write nothing.
  let at = min(column, columns - 1u);
  let part = local / COLUMNS;
  var sum = 0.0;
  for (var slice = part; slice < params.slices; slice += PARTS) {
    sum += partial[slice * columns + at];
  }
  if (PARTS > 1u) {
    parts[local] = sum;
    workgroupBarrier();
    for (var half = PARTS / 2u; half > 0u; half /= 2u) {
      if (part < half) {
        parts[local] += parts[local + half * COLUMNS];
      }
      workgroupBarrier();
    }
    sum = parts[local];
  }
  if (part > 0u || column >= columns) {
    return;
  }
  sums[at] = sum;
  if (at < params.C) {
    dbeta[at] = sum;
  } else {
    dgamma[at - params.C] = sum;
  }
}
