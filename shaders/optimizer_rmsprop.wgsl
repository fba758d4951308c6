// One step of RMSprop for all parameters of a flat buffer at once.
//
//   g ← g + weightDecay · p;   v ← α·v + (1 − α)·g²
//   b ← momentum · b + g / (√v + ε);   p ← p − lr · b
//
// One invocation updates four neighbouring elements; a workgroup of 64 covers 256, which is a
// block of one parameter: every parameter begins on a multiple of 256 elements, and `owners` names
// the parameter of each block. Padding between parameters is updated too and never looked at.
//   values    [L]  read and written
//   gradients [L]  read
//   square    [L]  read and written
//   velocity  [L]  read and written where HAS_MOMENTUM
//   owners    [L / 256]     number of the parameter a block belongs to
//   rows      [parameters]  (weightDecay, or −1 where the parameter has no gradient; lr; –; –),
//                           new each step
//   guard                   where HAS_GUARD: nothing is updated once word `guard_word` is not 0
// Overrides: HAS_MOMENTUM, HAS_GUARD.
// Limits: WebGPU's defaults.

override HAS_MOMENTUM: bool = false;
override HAS_GUARD: bool = false;

struct Params {
  blocks: u32,
  guard_word: u32,
  alpha: f32,
  one_minus_alpha: f32,
  epsilon: f32,
  momentum: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> values: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> gradients: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> square: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> velocity: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> owners: array<u32>;
@group(0) @binding(6) var<storage, read> rows: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read> guard: array<u32>;

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
  let row = rows[owners[block]];
  if (row.x < 0.0 || (HAS_GUARD && guard[params.guard_word] != 0u)) {
    return;
  }
  let i = block * 64u + local;
  let p = values[i];
  let g = gradients[i] + row.x * p;
  let v = params.alpha * square[i] + params.one_minus_alpha * g * g;
  square[i] = v;
  var update = g / (sqrt(v) + params.epsilon);
  if (HAS_MOMENTUM) {
    update += params.momentum * velocity[i];
    velocity[i] = update;
  }
  values[i] = p - row.y * update;
}
