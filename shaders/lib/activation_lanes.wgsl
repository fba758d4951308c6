// The activations of lib/activation.wgsl for values of Lanes, f32 or vec4<f32>, with words of Places,
// u32 or vec4<u32>, both of which the file that uses them declares. `activation` is an override constant at every call.

// A NaN comes out as it went in: see lib/activation.wgsl.
fn activate_lanes(z: Lanes, activation: u32) -> Lanes {
  let is_nan = (bitcast<Places>(z) & Places(0x7fffffffu)) > Places(0x7f800000u);
  return select(activate_numbers(z, activation), z, is_nan);
}

fn activate_numbers(z: Lanes, activation: u32) -> Lanes {
  let zero = Lanes(0.0);
  let one = Lanes(1.0);
  switch (activation) {
    case 1u: { return max(z, zero); }
    case 2u: { return clamp(z, zero, Lanes(6.0)); }
    case 3u: { return select(0.01 * z, z, z > zero); }
    case 4u: { return select(exp(min(z, zero)) - one, z, z > zero); }
    case 5u: { return one / (one + exp(-z)); }
    case 6u: { return tanh(clamp(z, Lanes(-15.0), Lanes(15.0))); }
    case 7u: { return z / (one + exp(-z)); }
    default: { return z; }
  }
}

// dy · activation′, computed from the output y = activate_lanes(z); for silu, whose output does not tell
// it, y is z.
fn before_activation(dy: Lanes, y: Lanes, activation: u32) -> Lanes {
  let zero = Lanes(0.0);
  let one = Lanes(1.0);
  switch (activation) {
    case 1u: { return select(zero, dy, y > zero); }
    case 2u: { return select(zero, dy, (y > zero) & (y < Lanes(6.0))); }
    case 3u: { return select(0.01 * dy, dy, y > zero); }
    case 4u: { return select(dy * (y + one), dy, y > zero); }
    case 5u: { return dy * y * (one - y); }
    case 6u: { return dy * (one - y * y); }
    case 7u: {
      let sigmoid = one / (one + exp(-y));
      return dy * (sigmoid * (one + y * (one - sigmoid)));
    }
    default: { return dy; }
  }
}
