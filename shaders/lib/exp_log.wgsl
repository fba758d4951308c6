// exp and log of every float. WGSL lets an adapter assume that no number is NaN or infinite, and
// SwiftShader does: its exp(NaN) is Inf, its log(−1) 0 and its log(Inf) 88.72. Here those come from the bits.

fn is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

fn full_exp(x: f32) -> f32 {
  return select(exp(x), x, is_nan(x));
}

// −Inf at ±0, NaN of negative numbers.
fn full_log(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  let nan_bits = 0x7fc00000u;
  let low_bits = 0xff800000u;
  if ((bits & 0x7fffffffu) == 0u) {
    return bitcast<f32>(low_bits);
  }
  // Inf and NaN as they are; what is left above them is negative.
  let positive = select(log(x), x, bits >= 0x7f800000u);
  return select(positive, bitcast<f32>(nan_bits), bits > 0x7fffffffu);
}
