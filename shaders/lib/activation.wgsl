// Activations that kernels apply in their epilogue, by number (src/kernels/lib/activation.ts).
// `activation` is an override constant at every call, so the branches vanish in the pipeline.

// A NaN comes out as it went in: training must see it in the loss. It is told by its bits, since
// compilers may assume that no number is unequal to itself.
fn activate(z: f32, activation: u32) -> f32 {
  let is_nan = (bitcast<u32>(z) & 0x7fffffffu) > 0x7f800000u;
  return select(activate_number(z, activation), z, is_nan);
}

fn activate_number(z: f32, activation: u32) -> f32 {
  switch (activation) {
    case 1u: { return max(z, 0.0); }
    case 2u: { return clamp(z, 0.0, 6.0); }
    case 3u: { return select(0.01 * z, z, z > 0.0); }
    case 4u: { return select(exp(min(z, 0.0)) - 1.0, z, z > 0.0); }
    case 5u: { return 1.0 / (1.0 + exp(-z)); }
    case 6u: { return tanh(clamp(z, -15.0, 15.0)); }
    default: { return z; }
  }
}

// The derivative, computed from the output y = activate(z).
fn activation_derivative(y: f32, activation: u32) -> f32 {
  switch (activation) {
    case 1u: { return select(0.0, 1.0, y > 0.0); }
    case 2u: { return select(0.0, 1.0, y > 0.0 && y < 6.0); }
    case 3u: { return select(0.01, 1.0, y > 0.0); }
    case 4u: { return select(y + 1.0, 1.0, y > 0.0); }
    case 5u: { return y * (1.0 - y); }
    case 6u: { return 1.0 - y * y; }
    default: { return 1.0; }
  }
}
