// Mean and spread of every channel, second of two passes: joins the slices of
// batch_norm_statistics_sliced, two at a time and always in the same order. Two sets of n and m
// values with means a and b and sums of squared distances A and B make one with
//   mean = a + (b − a) · m / (n + m),   squares = A + B + (b − a)² · n · m / (n + m)
// (Chan, Golub & LeVeque 1979). Also moves the running statistics towards the result.
//
// A workgroup takes COLUMNS neighbouring channels, local = part · COLUMNS + column: each part joins
// every PARTS-th slice, then the parts are combined through workgroup memory.
//   partial          [slices 2 C]  read: means, then sums of squared distances, of each slice
//   running_mean     [C]           read and written
//   running_variance [C]           read and written; unbiased, M / (M − 1) times the variance
//   statistics       [2 C]         written: the means, then 1 / √(variance + epsilon)
// Tunables: COLUMNS; PARTS, a power of two, 1 where there are few slices.
// Limits: WebGPU's defaults.

const COLUMNS: u32 = 16u; // @tune
const PARTS: u32 = 16u; // @tune

struct Params {
  rows: u32, // M
  C: u32,
  rows_per_slice: u32,
  slices: u32,
  momentum: f32,
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> partial: array<f32>;
@group(0) @binding(2) var<storage, read_write> running_mean: array<f32>;
@group(0) @binding(3) var<storage, read_write> running_variance: array<f32>;
@group(0) @binding(4) var<storage, read_write> statistics: array<f32>;

// Of a set of values: how many, their mean, the sum of their squared distances from it.
struct Moments {
  count: f32,
  mean: f32,
  squares: f32,
}

var<workgroup> parts: array<Moments, COLUMNS * PARTS>;

fn join(a: Moments, b: Moments) -> Moments {
  let count = a.count + b.count;
  if (b.count == 0.0) {
    return a;
  }
  let distance = b.mean - a.mean;
  let share = b.count / count;
  return Moments(
    count,
    a.mean + distance * share,
    a.squares + b.squares + distance * distance * a.count * share,
  );
}

@compute @workgroup_size(COLUMNS * PARTS)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let C = params.C;
  let column = (group.y * groups.x + group.x) * COLUMNS + local % COLUMNS;
  // Columns past the last channel repeat it and write nothing.
  let c = min(column, C - 1u);
  let part = local / COLUMNS;
  var own = Moments(0.0, 0.0, 0.0);
  for (var slice = part; slice < params.slices; slice += PARTS) {
    let begin = slice * params.rows_per_slice;
    let end = min(begin + params.rows_per_slice, params.rows);
    let next = Moments(
      f32(end - begin),
      partial[2u * slice * C + c],
      partial[(2u * slice + 1u) * C + c],
    );
    own = join(own, next);
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
    own = parts[local];
  }
  if (part > 0u || column >= C) {
    return;
  }
  statistics[c] = own.mean;
  statistics[C + c] = inverseSqrt(own.squares / own.count + params.epsilon);
  let keep = 1.0 - params.momentum;
  let unbiased = own.squares / (own.count - 1.0);
  running_mean[c] = keep * running_mean[c] + params.momentum * own.mean;
  running_variance[c] = keep * running_variance[c] + params.momentum * unbiased;
}
