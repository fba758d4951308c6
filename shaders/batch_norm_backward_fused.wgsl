// Gradients of batch normalisation while training, in one pass: dbeta = Σ dz, dgamma = Σ dz · x̂ and
//   dx = gamma · rstd · (dz − dbeta / M − x̂ · dgamma / M),   dz = dy · activation′.
// A workgroup has its channels to itself, all rows of them, so that what it has summed it can use at
// once; batch_norm_backward_sums_sliced, _combine and batch_norm_backward_sliced take three
// dispatches. What is read is read twice, the second time from a cache where it fits one.
//
// A workgroup takes COLUMNS neighbouring channels (or four times as many, with Lanes = vec4<f32>),
// local = part · COLUMNS + column; each part takes every PARTS-th row, and the parts are added
// through workgroup memory.
//   dy         [M C]  read, in values of Lanes; C comes divided by their width
//   kept       [M C]  read where ACTIVATION is not 0: y; where it is silu, [C]: beta, from
//              which and gamma z is computed again
//   x          [M C]  read
//   statistics [3 C]  read: means, then rstd, then gamma · rstd, as batch_norm_forward_fused has them
//   dx         [M C]  written
//   dresidual  [M C]  written where KEEP_RESIDUAL
//   dgamma     [C]    written
//   dbeta      [C]    written
// Overrides: KEEP_RESIDUAL; ACTIVATION, a number of lib/activation.wgsl.
// Tunables: Lanes, f32, or vec4<f32> where C is divisible by four; Places, u32 or vec4<u32>;
// COLUMNS; PARTS, a power of two, 1 where barriers cost more than idle lanes.
// Limits: WebGPU's defaults.
// @use lib/activation_lanes.wgsl

override KEEP_RESIDUAL: bool = false;
override ACTIVATION: u32 = 0u;

const SILU: u32 = 7u;

alias Lanes = f32; // @tune
alias Places = u32; // @tune
const COLUMNS: u32 = 4u; // @tune
const PARTS: u32 = 64u; // @tune

struct Params {
  rows: u32, // M
  C: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<Lanes>;
@group(0) @binding(2) var<storage, read> kept: array<Lanes>;
@group(0) @binding(3) var<storage, read> x: array<Lanes>;
@group(0) @binding(4) var<storage, read> statistics: array<Lanes>;
@group(0) @binding(5) var<storage, read_write> dx: array<Lanes>;
@group(0) @binding(6) var<storage, read_write> dresidual: array<Lanes>;
@group(0) @binding(7) var<storage, read_write> dgamma: array<Lanes>;
@group(0) @binding(8) var<storage, read_write> dbeta: array<Lanes>;

// Σ dz and Σ dz · x̂ of some rows.
struct Sums {
  plain: Lanes,
  weighted: Lanes,
}

var<workgroup> parts: array<Sums, COLUMNS * PARTS>;

@compute @workgroup_size(COLUMNS * PARTS)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let C = params.C;
  let rows = params.rows;
  let column = (group.y * groups.x + group.x) * COLUMNS + local % COLUMNS;
  // Columns past the last channel repeat it and write nothing.
  let c = min(column, C - 1u);
  let part = local / COLUMNS;
  let mean = statistics[c];
  let rstd = statistics[C + c];
  let scale = statistics[2u * C + c];
  var shift = Lanes(0.0);
  if (ACTIVATION == SILU) {
    shift = kept[c];
  }
  var own = Sums(Lanes(0.0), Lanes(0.0));
  for (var row = part; row < rows; row += PARTS) {
    let at = row * C + c;
    let distance = x[at] - mean;
    let dz = gradient_before(at, distance * scale + shift);
    own.plain += dz;
    own.weighted += dz * (distance * rstd);
  }
  if (PARTS > 1u) {
    parts[local] = own;
    workgroupBarrier();
    for (var half = PARTS / 2u; half > 0u; half /= 2u) {
      if (part < half) {
        let other = parts[local + half * COLUMNS];
        parts[local].plain += other.plain;
        parts[local].weighted += other.weighted;
      }
      workgroupBarrier();
    }
    own = parts[local % COLUMNS];
  }
  if (column >= C) {
    return;
  }
  if (part == 0u) {
    dbeta[c] = own.plain;
    dgamma[c] = own.weighted;
  }
  let mean_dz = own.plain / f32(rows);
  let slope = rstd * own.weighted / f32(rows);
  for (var row = part; row < rows; row += PARTS) {
    let at = row * C + c;
    let distance = x[at] - mean;
    let dz = gradient_before(at, distance * scale + shift);
    if (KEEP_RESIDUAL) {
      dresidual[at] = dz;
    }
    dx[at] = scale * (dz - (mean_dz + distance * slope));
  }
}

// dz of one place; z is used where the output does not tell the derivative.
fn gradient_before(at: u32, z: Lanes) -> Lanes {
  if (ACTIVATION == 0u) {
    return dy[at];
  }
  if (ACTIVATION == SILU) {
    return before_activation(dy[at], z, ACTIVATION);
  }
  return before_activation(dy[at], kept[at], ACTIVATION);
}
