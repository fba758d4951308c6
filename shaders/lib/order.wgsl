// Numbers as unsigned integers in the same order, as NumPy sorts them: −∞ < … < −0 = 0 < … < ∞ < NaN.
// Every NaN becomes the same, largest key. Integers compare alike on every adapter, whatever its
// compiler assumes of NaN and however it treats denormals.

fn order_key(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  let magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) {
    return 0xffffffffu;
  }
  return select(0x80000000u + magnitude, 0x80000000u - magnitude, bits != magnitude);
}

// The same for the reversed order of numbers; NaN stays the largest.
fn reverse_order_key(x: f32) -> u32 {
  let key = order_key(x);
  return select(0u - key, key, key == 0xffffffffu);
}
