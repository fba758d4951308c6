// Mean and spread of every channel, first of two passes. Improves batch_norm_statistics_naive: the
// rows are cut into slices that run side by side, and x is read once. A slice sums distances from
// its own first value, so that nothing is lost where the mean is large against the spread;
// batch_norm_statistics_combine joins the slices.
//
// One invocation takes one slice of one channel (or of four, with Lanes = vec4<f32>); neighbouring
// invocations take neighbouring channels, whose loads lie side by side. A workgroup of 64.
//   x       [M C]         read, in values of Lanes; C comes divided by their width
//   partial [slices 2 C]  written: the slice's means, then its sums of squared distances from them
// Tunables: Lanes, f32, or vec4<f32> where C is divisible by four; Places, u32 or vec4<u32>.
// Limits: WebGPU's defaults.

alias Lanes = f32; // @tune
alias Places = u32; // @tune

struct Params {
  rows: u32, // M
  C: u32,
  rows_per_slice: u32,
  slices: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Lanes>;
@group(0) @binding(2) var<storage, read_write> partial: array<Lanes>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let C = params.C;
  let i = (group.y * groups.x + group.x) * 64u + local;
  let c = i % C;
  let slice = i / C;
  if (slice >= params.slices) {
    return;
  }
  let begin = slice * params.rows_per_slice;
  let end = min(begin + params.rows_per_slice, params.rows);
  let count = f32(end - begin);
  let first = x[begin * C + c];
  var sum = Lanes(0.0);
  var squares = Lanes(0.0);
  for (var row = begin + 1u; row < end; row++) {
    let d = x[row * C + c] - first;
    sum += d;
    squares += d * d;
  }
  partial[2u * slice * C + c] = first + sum / count;
  partial[(2u * slice + 1u) * C + c] = max(squares - sum * sum / count, Lanes(0.0));
}
