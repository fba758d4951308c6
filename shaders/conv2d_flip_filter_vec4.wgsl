// Taps of a filter, flipped and transposed within each group, as conv2d_flip_filter does it.
// Improves it: there each number is loaded separately, from its own cache line, and its index takes four divisions;
// here an invocation transposes a block of 4×4 in registers, with 4 loads and 4 stores.
//
// A workgroup of 8×8 moves a tile of 32×32 of one tap: neighbours along its x read neighbours along
// K, those along its y write neighbours along C.
//   w       [R S C/groups K]    read, as vec4 along K; K/groups a multiple of 4
//   flipped [R′ S′ K/groups C]  written, as vec4 along C; C/groups a multiple of 4
// Grid: ⌈K/groups / 32⌉ × ⌈C / 32⌉ × R′·S′.
// Tunables: Elem, f32 or f16.
// Limits: WebGPU's defaults.

alias Elem = f32; // @tune

struct Params {
  w_shape: vec4<u32>,
  taps: vec2<u32>, // R′ S′
  first: vec2<u32>,
  step: vec2<u32>,
  groups: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> w: array<vec4<Elem>>;
@group(0) @binding(2) var<storage, read_write> flipped: array<vec4<Elem>>;

@compute @workgroup_size(8, 8)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
) {
  let group_c = params.w_shape.z;
  let C = group_c * params.groups;
  let K = params.w_shape.w;
  let group_k = K / params.groups;

  let tap = group.z;
  let turned = params.taps - 1u - vec2<u32>(tap / params.taps.y, tap % params.taps.y);
  let source = params.first + turned * params.step;

  // The block's first channel, of all groups for C and within its group for K.
  let k = (group.x * 8u + local.x) * 4u;
  let c = (group.y * 8u + local.y) * 4u;
  if (k >= group_k || c >= C) {
    return;
  }
  var within = c;
  var column = k;
  if (params.groups > 1u) {
    within = c % group_c;
    column += c / group_c * group_k;
  }
  let K4 = K / 4u;
  let C4 = C / 4u;
  let start = ((source.x * params.w_shape.y + source.y) * group_c + within) * K4 + column / 4u;
  let block = transpose(mat4x4<Elem>(w[start], w[start + K4], w[start + 2u * K4], w[start + 3u * K4]));
  let place = (tap * group_k + k) * C4 + c / 4u;
  flipped[place] = block[0];
  flipped[place + C4] = block[1];
  flipped[place + 2u * C4] = block[2];
  flipped[place + 3u * C4] = block[3];
}
