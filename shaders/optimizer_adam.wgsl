// One step of Adam, AdamW or AMSGrad for all parameters of a flat buffer at once.
//
//   p ← p · shrink                      AdamW: shrink = 1 − lr · weightDecay; Adam: 1
//   g ← g + weightDecay · p             Adam; AdamW passes 0
//   m ← β₁·m + (1 − β₁)·g;   v ← β₂·v + (1 − β₂)·g²;   v̂ = v, where AMSGRAD the largest v so far
//   p ← p − lr / (1 − β₁ᵗ) · m / (√v̂ / √(1 − β₂ᵗ) + ε)
//
// One invocation updates four neighbouring elements; a workgroup of 64 covers 256, which is a
// block of one parameter: every parameter begins on a multiple of 256 elements, and `owners` names
// the parameter of each block. Padding between parameters is updated too and never looked at.
//   values    [L]  read and written
//   gradients [L]  read
//   moment, square [L]      read and written
//   largest   [L]           read and written where AMSGRAD
//   owners    [L / 256]     number of the parameter a block belongs to
//   rows      [parameters]  (weightDecay, or −1 where there is no gradient; lr / (1 − β₁ᵗ);
//                           1 / √(1 − β₂ᵗ); shrink), computed in double precision for each step
//   guard                   where HAS_GUARD: nothing is updated once word `guard_word` is not 0
// Overrides: AMSGRAD, HAS_GUARD.
// Limits: WebGPU's defaults; all eight storage bindings are used.

override AMSGRAD: bool = false;
override HAS_GUARD: bool = false;

struct Params {
  blocks: u32,
  guard_word: u32,
  beta1: f32,
  one_minus_beta1: f32,
  beta2: f32,
  one_minus_beta2: f32,
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> values: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> gradients: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> moment: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> square: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> largest: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> owners: array<u32>;
@group(0) @binding(7) var<storage, read> rows: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read> guard: array<u32>;

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
  let p = values[i] * row.w;
  let g = gradients[i] + row.x * p;
  let m = params.beta1 * moment[i] + params.one_minus_beta1 * g;
  let v = params.beta2 * square[i] + params.one_minus_beta2 * g * g;
  moment[i] = m;
  square[i] = v;
  var v_hat = v;
  if (AMSGRAD) {
    v_hat = max(largest[i], v);
    largest[i] = v_hat;
  }
  values[i] = p - row.y * m / (sqrt(v_hat) * row.z + params.epsilon);
}
