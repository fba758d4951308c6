// Winograd's convolution F(F×F, 3×3), last part: tiles of the output, y = Aᵀ·m·A, with bias,
// residual and activation. The whole is explained in conv2d_winograd_operands.
//
// One invocation makes F×F pixels of four channels from T×T sums, T = F + 2; pixels beside the
// image are dropped. A workgroup of 64 takes 64 neighbours, channels first.
//   m        [T² tiles K]  read, as vec4 along K; K a multiple of 4
//   bias     [K]           read where HAS_BIAS
//   residual [N P Q K]     read where HAS_RESIDUAL, as vec4 along K
//   y        [N P Q K]     written, as vec4 along K
// Tunables: F, 2 or 4.
// Overrides: HAS_BIAS, HAS_RESIDUAL; ACTIVATION, a number of lib/activation.wgsl.
// Limits: WebGPU's defaults.
// @use lib/activation.wgsl

const F: u32 = 2u; // @tune
const T: u32 = F + 2u;
alias Line = array<vec4<f32>, 6>; // F = 2 leaves the last two unused
alias Outputs = array<vec4<f32>, 4>;

override HAS_BIAS: bool = false;
override HAS_RESIDUAL: bool = false;
override ACTIVATION: u32 = 0u;

struct Params {
  y_shape: vec4<u32>,
  tiles: vec2<u32>, // of one image: rows, columns
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> m: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> residual: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;

/// Aᵀ times T sums.
fn along(d: Line) -> Outputs {
  var outputs: Outputs;
  if (F == 2u) {
    outputs[0] = d[0] + d[1] + d[2];
    outputs[1] = d[1] - d[2] - d[3];
  } else {
    outputs[0] = d[0] + d[1] + d[2] + d[3] + d[4];
    outputs[1] = d[1] - d[2] + 2.0 * (d[3] - d[4]);
    outputs[2] = d[1] + d[2] + 4.0 * (d[3] + d[4]);
    outputs[3] = d[1] - d[2] + 8.0 * (d[3] - d[4]) + d[5];
  }
  return outputs;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let P = params.y_shape.y;
  let Q = params.y_shape.z;
  let K4 = params.y_shape.w / 4u;
  let tiles_of_image = params.tiles.x * params.tiles.y;
  let vectors = params.y_shape.x * tiles_of_image * K4;

  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= vectors) {
    return;
  }
  let k4 = i % K4;
  let tile = i / K4;
  let n = tile / tiles_of_image;
  let corner = vec2<u32>(tile % tiles_of_image / params.tiles.y, tile % params.tiles.y) * F;

  var columns: array<Outputs, T>; // after Aᵀ·m
  for (var j = 0u; j < T; j++) {
    var sums: Line;
    for (var k = 0u; k < T; k++) {
      sums[k] = m[(k * T + j) * vectors + i];
    }
    columns[j] = along(sums);
  }
  var shift = vec4<f32>();
  if (HAS_BIAS) {
    shift = bias[k4];
  }
  for (var row = 0u; row < F; row++) {
    var across: Line;
    for (var j = 0u; j < T; j++) {
      across[j] = columns[j][row];
    }
    let outputs = along(across);
    for (var column = 0u; column < F; column++) {
      let p = corner.x + row;
      let q = corner.y + column;
      if (p < P && q < Q) {
        let to = ((n * P + p) * Q + q) * K4 + k4;
        var z = outputs[column] + shift;
        if (HAS_RESIDUAL) {
          z += residual[to];
        }
        y[to] = vec4<f32>(
          activate(z.x, ACTIVATION),
          activate(z.y, ACTIVATION),
          activate(z.z, ACTIVATION),
          activate(z.w, ACTIVATION),
        );
      }
    }
  }
}
