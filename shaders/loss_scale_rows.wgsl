// Completes the rows that an optimizer's kernel reads, from what only the GPU knows under a loss
// scale: whether the step counts, and how many steps each parameter took part in so far.
//   step skipped      row.x = −1, which leaves the parameter and its state alone
//   else, t ← t + 1   row.y ← row.y / (1 − β₁ᵗ),   row.z ← row.z / √(1 − β₂ᵗ)
// Optimizers without bias correction pass β = 0, which changes nothing.
//
// One workgroup of 64: invocation i completes rows i, i + 64, …
//   rows  [parameters of the flat buffer]  read and written; row.x is −1 where there is no gradient
//   steps [parameters of the optimizer]      read and written, from `first` on
//   words [8 + parameters of the optimizer]  read: 0 overflow in this step, 4 halted
// Limits: WebGPU's defaults.

struct Params {
  count: u32,
  first: u32, // the flat buffer's first parameter among those of the optimizer
  log_beta1: f32,
  log_beta2: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> rows: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> steps: array<u32>;
@group(0) @binding(3) var<storage, read> words: array<u32>;

// 1 − exp(−x) for x ≥ 0, to a few roundings. Near 0 the difference would cancel, so there it is the
// series x − x²/2! + x³/3! − …, whose next term is below 2⁻²⁶ of the sum at x = 1/2.
fn one_minus_exp(x: f32) -> f32 {
  if (x >= 0.5) {
    return 1.0 - exp(-x);
  }
  var sum = 1.0;
  for (var n = 8.0; n > 1.5; n -= 1.0) {
    sum = 1.0 - x / n * sum;
  }
  return x * sum;
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32) {
  let is_skipped = words[0] != 0u || words[4] != 0u;
  for (var i = local; i < params.count; i += 64u) {
    var row = rows[i];
    if (row.x < 0.0) {
      continue;
    }
    if (is_skipped) {
      rows[i].x = -1.0;
      continue;
    }
    let t = steps[params.first + i] + 1u;
    steps[params.first + i] = t;
    row.y /= one_minus_exp(-params.log_beta1 * f32(t));
    row.z /= sqrt(one_minus_exp(-params.log_beta2 * f32(t)));
    rows[i] = row;
  }
}
