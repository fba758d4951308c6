// values[i] = start + i·step, and with step 0 a fill.
//
// One invocation writes one element; a workgroup of 64 writes 64 neighbours. The grid may be
// folded into two dimensions.
//   values [L]  written
// Tunables: Elem, the element type (f32, f16, i32, u32). Bytes are filled as words, by start_word.
// Limits: WebGPU's defaults.

alias Elem = f32; // @tune

struct Params {
  size: u32,
  start_word: u32,
  start: f32,
  step: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> values: array<Elem>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.size) {
    return;
  }
  if (params.start_word != 0u) {
    values[i] = Elem(params.start_word);
  } else {
    values[i] = Elem(params.start + f32(i) * params.step);
  }
}
