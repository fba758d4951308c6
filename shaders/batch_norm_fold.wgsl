// A batch norm outside training, folded into the convolution before it. It multiplies each output
// channel by a number and adds another; the first may as well be in the filter, the second in the
// bias:
//   scale[k]    = gamma[k] / √(running_variance[k] + epsilon)
//   folded[…,k] = w[…,k] · scale[k]
//   shift[k]    = beta[k] + (bias[k] − running_mean[k]) · scale[k]
// The convolution of x with `folded` and the bias `shift` is what both layers compute.
//
// One invocation takes some rows of one channel (or of four, with Lanes = vec4<f32>), so that the
// channel's scale is made once for all of them; those of the first slice make the shift too.
// Neighbouring invocations take neighbouring channels. A workgroup of 64.
//   w                 [R S C/groups K]  read, in values of Lanes; K comes divided by their width.
//                                       Of a depthwise convolution [R S C M], K = C·M
//   bias              [K]               read where HAS_BIAS
//   gamma             [K]               read where HAS_GAMMA, else 1
//   beta              [K]               read where HAS_BETA, else 0
//   running_mean      [K]               read
//   running_variance  [K]               read
//   folded            as w              written
//   shift             [K]               written
// Overrides: HAS_BIAS, HAS_GAMMA, HAS_BETA. Tunables: Lanes, f32, or vec4<f32> where K is divisible by four.
// Limits: WebGPU's defaults, all eight storage buffers.

override HAS_BIAS: bool = false;
override HAS_GAMMA: bool = true;
override HAS_BETA: bool = true;

alias Lanes = f32; // @tune

struct Params {
  rows: u32, // R·S·C/groups, or R·S
  K: u32,
  rows_per_slice: u32,
  slices: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> w: array<Lanes>;
@group(0) @binding(2) var<storage, read> bias: array<Lanes>;
@group(0) @binding(3) var<storage, read> gamma: array<Lanes>;
@group(0) @binding(4) var<storage, read> beta: array<Lanes>;
@group(0) @binding(5) var<storage, read> running_mean: array<Lanes>;
@group(0) @binding(6) var<storage, read> running_variance: array<Lanes>;
@group(0) @binding(7) var<storage, read_write> folded: array<Lanes>;
@group(0) @binding(8) var<storage, read_write> shift: array<Lanes>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  let k = i % params.K;
  let slice = i / params.K;
  if (slice >= params.slices) {
    return;
  }
  var scale = inverseSqrt(running_variance[k] + params.epsilon);
  if (HAS_GAMMA) {
    scale *= gamma[k];
  }
  let begin = slice * params.rows_per_slice;
  let end = min(begin + params.rows_per_slice, params.rows);
  for (var row = begin; row < end; row++) {
    folded[row * params.K + k] = w[row * params.K + k] * scale;
  }
  if (slice == 0u) {
    var centred = -running_mean[k];
    if (HAS_BIAS) {
      centred += bias[k];
    }
    var moved = centred * scale;
    if (HAS_BETA) {
      moved += beta[k];
    }
    shift[k] = moved;
  }
}
