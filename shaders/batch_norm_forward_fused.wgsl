// Batch normalisation while training, in one pass: the statistics of the batch and
//   y = activation( gamma · (x − mean) · rstd + beta + residual ).
// A workgroup has its channels to itself, all rows of them, so that what it has summed it can use at
// once; batch_norm_statistics_sliced, _combine and batch_norm_forward_sliced take three dispatches.
// x is read twice, the second time from a cache where M rows of the group's channels fit one.
//
// A workgroup takes COLUMNS neighbouring channels (or four times as many, with Lanes = vec4<f32>),
// local = part · COLUMNS + column; each part takes every PARTS-th row, and the parts are joined
// through workgroup memory. Rows are summed in blocks, as distances from the mean so far (from the
// first value, in the first block), so that nothing is lost where the mean is large against the
// spread; two sets of values become one as in batch_norm_statistics_combine.
//   x                [M C]  read, in values of Lanes; C comes divided by their width
//   gamma            [C]    read where HAS_GAMMA, else 1
//   beta             [C]    read where HAS_BETA, else 0
//   residual         [M C]  read where HAS_RESIDUAL
//   running_mean     [C]    read and written
//   running_variance [C]    read and written; unbiased, M / (M − 1) times the variance
//   statistics       [3 C]  written: the means, then rstd = 1 / √(variance + epsilon), then gamma · rstd
//   y                [M C]  written
// Overrides: HAS_GAMMA; HAS_BETA; HAS_RESIDUAL; ACTIVATION, a number of lib/activation.wgsl.
// Tunables: Lanes, f32, or vec4<f32> where C is divisible by four; Places, u32 or vec4<u32>;
// COLUMNS; PARTS, a power of two, 1 where barriers cost more than idle lanes.
// Limits: WebGPU's defaults.
// @use lib/activation_lanes.wgsl

override HAS_GAMMA: bool = true;
override HAS_BETA: bool = true;
override HAS_RESIDUAL: bool = false;
override ACTIVATION: u32 = 0u;

alias Lanes = f32; // @tune
alias Places = u32; // @tune
const COLUMNS: u32 = 4u; // @tune
const PARTS: u32 = 64u; // @tune

const BLOCK: u32 = 32u;

struct Params {
  rows: u32, // M
  C: u32,
  momentum: f32,
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Lanes>;
@group(0) @binding(2) var<storage, read> gamma: array<Lanes>;
@group(0) @binding(3) var<storage, read> beta: array<Lanes>;
@group(0) @binding(4) var<storage, read> residual: array<Lanes>;
@group(0) @binding(5) var<storage, read_write> running_mean: array<Lanes>;
@group(0) @binding(6) var<storage, read_write> running_variance: array<Lanes>;
@group(0) @binding(7) var<storage, read_write> statistics: array<Lanes>;
@group(0) @binding(8) var<storage, read_write> y: array<Lanes>;

// Of a set of values: how many, their mean, the sum of their squared distances from it.
struct Moments {
  count: f32,
  mean: Lanes,
  squares: Lanes,
}

var<workgroup> parts: array<Moments, COLUMNS * PARTS>;

fn join(a: Moments, b: Moments) -> Moments {
  if (b.count == 0.0) {
    return a;
  }
  let count = a.count + b.count;
  let distance = b.mean - a.mean;
  let share = b.count / count;
  return Moments(
    count,
    a.mean + distance * share,
    a.squares + b.squares + distance * distance * (a.count * share),
  );
}

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
  var own = Moments(0.0, Lanes(0.0), Lanes(0.0));
  for (var begin = part; begin < rows; begin += BLOCK * PARTS) {
    let end = min(begin + BLOCK * PARTS, rows);
    var origin = own.mean;
    if (own.count == 0.0) {
      origin = x[begin * C + c];
    }
    var count = 0.0;
    var sum = Lanes(0.0);
    var squares = Lanes(0.0);
    for (var row = begin; row < end; row += PARTS) {
      let d = x[row * C + c] - origin;
      sum += d;
      squares += d * d;
      count += 1.0;
    }
    let mean = sum / count;
    own = join(own, Moments(count, origin + mean, max(squares - sum * mean, Lanes(0.0))));
  }
  if (PARTS > 1u) {
    parts[local] = own;
    workgroupBarrier();
    for (var half = PARTS / 2u; half > 0u; half /= 2u) {
      if (part < half) {
        parts[local] = join(parts[local], parts[local + half * COLUMNS]);
      }
      workgroupBarrier();
    }
    own = parts[local % COLUMNS];
  }
  if (column >= C) {
    return;
  }
  let mean = own.mean;
  let rstd = inverseSqrt(own.squares / own.count + params.epsilon);
  var scale = rstd;
  if (HAS_GAMMA) {
    scale *= gamma[c];
  }
  if (part == 0u) {
    statistics[c] = mean;
    statistics[C + c] = rstd;
    statistics[2u * C + c] = scale;
    let keep = 1.0 - params.momentum;
    let unbiased = own.squares / (own.count - 1.0);
    running_mean[c] = keep * running_mean[c] + params.momentum * mean;
    running_variance[c] = keep * running_variance[c] + params.momentum * unbiased;
  }
  var shift = Lanes(0.0);
  if (HAS_BETA) {
    shift = beta[c];
  }
  for (var row = part; row < rows; row += PARTS) {
    let at = row * C + c;
    var z = (x[at] - mean) * scale + shift;
    if (HAS_RESIDUAL) {
      z += residual[at];
    }
    y[at] = activate_lanes(z, ACTIVATION);
  }
}
