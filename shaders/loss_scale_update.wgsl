// Adapts the loss scale after a step:
//   a gradient was not finite       scale ← max(floor, scale / 2); at the floor already: halted
//   else, `interval` times on end   scale ← scale · 2, up to the ceiling
//
// One workgroup of 64: invocation i clears the marks of parameters i, i + 64, … after an overflow;
// invocation 0 does the rest. Once halted, nothing changes any more: the marks tell what overflowed.
//   scale [1]               read and written
//   words [8 + parameters]  read and written:
//     0 overflow in this step   1 good steps since the scale last changed   2 skipped steps
//     3 steps   4 halted   5 step that halted   8 … mark of each parameter that overflowed
// Limits: WebGPU's defaults.

struct Params {
  parameters: u32,
  interval: u32,
  lowest: f32,
  highest: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> scale: array<f32>;
@group(0) @binding(2) var<storage, read_write> words: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32) {
  let before = scale[0];
  let has_overflow = words[0] != 0u;
  let was_halted = words[4] != 0u;
  let halts = has_overflow && before <= params.lowest;
  // Everyone has read before anyone writes.
  storageBarrier();
  if (was_halted) {
    return;
  }
  if (has_overflow && !halts) {
    for (var i = local; i < params.parameters; i += 64u) {
      words[8u + i] = 0u;
    }
  }
  if (local != 0u) {
    return;
  }
  let step = words[3];
  words[0] = 0u;
  words[3] = step + 1u;
  if (halts) {
    words[4] = 1u;
    words[5] = step;
  }
  if (has_overflow) {
    words[1] = 0u;
    words[2] += 1u;
    scale[0] = max(params.lowest, 0.5 * before);
    return;
  }
  let good = words[1] + 1u;
  let grows = good >= params.interval;
  words[1] = select(good, 0u, grows);
  scale[0] = select(before, max(before, min(params.highest, 2.0 * before)), grows);
}
