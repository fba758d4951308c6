// Takes the loss scale out of the gradients of a flat buffer, g ← g / scale, and looks for NaN and
// infinity. Where there is one, the step and the parameter are marked and the element becomes 0, so
// that nothing that is not finite stays in the flat buffer.
//
// One invocation handles four neighbouring elements; a workgroup of 64 covers 256, which is a block
// of one parameter. Marks are only ever set here, so their order does not matter.
//   gradients [L]        read and written
//   owners    [L / 256]  number of the parameter in the flat buffer that a block belongs to
//   scale     [1]        read, as bits: a power of two, at most 2¹²⁶
//   words     [8 + parameters]  word 0 and word 8 + parameter are set; see kernels/loss_scale.ts
// Limits: WebGPU's defaults.

struct Params {
  blocks: u32,
  first: u32, // the flat buffer's first parameter among those of the optimizer
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> gradients: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> owners: array<u32>;
@group(0) @binding(3) var<storage, read> scale: array<u32>;
@group(0) @binding(4) var<storage, read_write> words: array<atomic<u32>>;

const EXPONENT: u32 = 0x7f800000u;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let block = group.y * groups.x + group.x;
  if (block >= params.blocks) {
    return;
  }
  let i = block * 64u + local;
  let g = gradients[i];
  // By the bits: shader compilers may assume that NaN does not occur.
  let bad = (bitcast<vec4<u32>>(g) & vec4(EXPONENT)) == vec4(EXPONENT);
  if (any(bad) && atomicLoad(&words[4]) == 0u) {
    atomicStore(&words[0], 1u);
    atomicStore(&words[8u + params.first + owners[block]], 1u);
  }
  // The exponent of 1 / scale is 254 less that of scale: exact, where a division need not be.
  let inverse = bitcast<f32>((254u << 23u) - scale[0]);
  gradients[i] = select(g * inverse, vec4<f32>(), bad);
}
