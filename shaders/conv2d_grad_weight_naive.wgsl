// Gradient of a convolution's filter, the plain way: each weight collects, over all images and
// output positions, the input it was multiplied with: dw[r,s,c,k] = Σ x[n,h,w,c] · dy[n,p,q,k].
//
// One invocation computes one dw; a workgroup of 64 computes 64 neighbours.
//   x  [N H W C]         read
//   dy [N P Q K]         read
//   dw [R S C/groups K]  written
// Few weights and a long sum (N·P·Q terms): the faster variants split the sum.
// Tunables: XElem, f32 or f16 (sums are f32 in either case).
// Limits: WebGPU's defaults.

alias XElem = f32; // @tune

struct Params {
  x_shape: vec4<u32>,
  w_shape: vec4<u32>,
  y_shape: vec4<u32>,
  stride: vec2<u32>,
  pad: vec2<u32>,
  dilation: vec2<u32>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<XElem>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dw: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let N = params.x_shape.x;
  let H = params.x_shape.y;
  let W = params.x_shape.z;
  let C = params.x_shape.w;
  let R = params.w_shape.x;
  let S = params.w_shape.y;
  let channels = params.w_shape.z;
  let K = params.w_shape.w;
  let P = params.y_shape.y;
  let Q = params.y_shape.z;

  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= R * S * channels * K) {
    return;
  }
  let k = i % K;
  let c = (i / K) % channels + (k / (K / (C / channels))) * channels;
  let s = (i / (K * channels)) % S;
  let r = i / (K * channels * S);

  var sum = 0.0;
  for (var n = 0u; n < N; n++) {
    for (var p = 0u; p < P; p++) {
      let h = p * params.stride.x + r * params.dilation.x - params.pad.x;
      if (h >= H) {
        continue;
      }
      for (var q = 0u; q < Q; q++) {
        let column = q * params.stride.y + s * params.dilation.y - params.pad.y;
        if (column >= W) {
          continue;
        }
        let seen = f32(x[((n * H + h) * W + column) * C + c]);
        sum += seen * dy[((n * P + p) * Q + q) * K + k];
      }
    }
  }
  dw[i] = sum;
}
