// Gradient of pooling where windows do not overlap (size = stride, no padding). Improves
// pool2d_backward_vec4: dy and index are read once for each window instead of once for each pixel.
//
// One invocation takes one window (of LANES channels) and writes its whole part of dx; the last
// window of a row or column also writes the zeros of the pixels that no window covers, so every
// dx is written once. A workgroup of 64 takes 64 neighbours.
//   dy    [N P Q C]  read, in values of Lanes; shapes come with C divided by their width
//   index [N P Q C]  read where IS_MAX: h·W + w of the maximum
//   dx    [N H W C]  written
// Overrides: IS_MAX.
// Tunables: Lanes and Places, f32 and u32, or vec4<f32> and vec4<u32> where C is divisible by four.
// Limits: WebGPU's defaults.

override IS_MAX: bool = true;

alias Lanes = f32; // @tune
alias Places = u32; // @tune

struct Params {
  x_shape: vec4<u32>,
  y_shape: vec4<u32>,
  size: vec2<u32>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<Lanes>;
@group(0) @binding(2) var<storage, read> index: array<Places>;
@group(0) @binding(3) var<storage, read_write> dx: array<Lanes>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let H = params.x_shape.y;
  let W = params.x_shape.z;
  let C = params.x_shape.w;
  let P = params.y_shape.y;
  let Q = params.y_shape.z;

  // Rows and images are the grid's other axes: on integers, division is the slowest operation.
  let t = group.x * 64u + local;
  if (t >= Q * C) {
    return;
  }
  let q = t / C;
  let c = t - q * C;
  let p = group.y;
  let n = group.z;
  let i = (n * P + p) * Q * C + t;

  let h_begin = p * params.size.x;
  let w_begin = q * params.size.y;
  let h_inside = h_begin + params.size.x;
  let w_inside = w_begin + params.size.y;
  let h_end = select(h_inside, H, p == P - 1u);
  let w_end = select(w_inside, W, q == Q - 1u);
  let image = n * H * W * C + c;

  var share = dy[i];
  var best_at = Places(0u);
  if (IS_MAX) {
    best_at = index[i];
  } else {
    share = share / f32(params.size.x * params.size.y);
  }
  for (var h = h_begin; h < h_end; h++) {
    for (var w = w_begin; w < w_end; w++) {
      let at = h * W + w;
      if (IS_MAX) {
        dx[image + at * C] = select(Lanes(0.0), share, best_at == Places(at));
      } else {
        dx[image + at * C] = select(Lanes(0.0), share, h < h_inside && w < w_inside);
      }
    }
  }
}
