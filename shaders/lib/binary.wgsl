// Functions of two numbers and their derivatives, by number (src/kernels/binary.ts).
// `op` is an override constant at every call, so the branches vanish in the pipeline.

fn binary_value(a: f32, b: f32, op: u32) -> f32 {
  switch (op) {
    case 0u: { return a + b; }
    case 1u: { return a - b; }
    case 2u: { return a * b; }
    case 3u: { return a / b; }
    case 4u: { return power(a, b); }
    // Both comparisons let a NaN through, on whichever side it is.
    case 5u: { return select(b, a, a >= b || is_nan(a)); } // maximum
    case 6u: { return select(b, a, a <= b || is_nan(a)); } // minimum
    default: { return a; }
  }
}

// ∂y/∂a; where maximum and minimum tie, each side gets half.
fn binary_slope_a(a: f32, b: f32, op: u32) -> f32 {
  switch (op) {
    case 2u: { return b; }
    case 3u: { return 1.0 / b; }
    case 4u: {
      if (b == 0.0) {
        return 0.0;
      }
      return b * power(a, b - 1.0);
    }
    case 5u: { return select(select(0.0, 1.0, a > b), 0.5, a == b); }
    case 6u: { return select(select(0.0, 1.0, a < b), 0.5, a == b); }
    default: { return 1.0; }
  }
}

// ∂y/∂b
fn binary_slope_b(a: f32, b: f32, op: u32) -> f32 {
  switch (op) {
    case 1u: { return -1.0; }
    case 2u: { return a; }
    case 3u: { return -(a / b) / b; }
    case 4u: {
      // 0ᵇ is 0 all around a positive b.
      if (a == 0.0 && b >= 0.0) {
        return 0.0;
      }
      return power(a, b) * full_log(a);
    }
    case 5u: { return select(select(0.0, 1.0, b > a), 0.5, a == b); }
    case 6u: { return select(select(0.0, 1.0, b < a), 0.5, a == b); }
    default: { return 1.0; }
  }
}

// aᵇ for every sign of a. The built-in takes the logarithm of a, which must be positive, and need
// not return NaN for NaN.
fn power(a: f32, b: f32) -> f32 {
  if (b == 0.0) {
    return 1.0;
  }
  if (b == 1.0) {
    return a;
  }
  if (b == 2.0) {
    return a * a;
  }
  let nan_bits = 0x7fc00000u;
  if (is_nan(a) || is_nan(b)) {
    return bitcast<f32>(nan_bits);
  }
  if (a == 0.0) {
    return select(1.0 / abs(a), 0.0, b > 0.0);
  }
  if (a > 0.0) {
    return pow(a, b);
  }
  // A negative base has a real power where the exponent is whole, and the sign of an odd one.
  let is_whole = b == floor(b);
  if (is_whole || a < -3.4028234e38) {
    let size = pow(-a, b);
    return select(size, -size, is_whole && fract(b * 0.5) != 0.0);
  }
  return bitcast<f32>(nan_bits);
}
