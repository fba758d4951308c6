// Comparisons of two numbers by number (src/kernels/compare.ts): 1 where they hold, else 0. Numbers
// come as words; `kind` says what they are: 0 f32, 1 i32, 2 u32. Both are override constants at every
// call. A NaN is equal to nothing, itself included.
// Needs lib/order.wgsl.

fn compared(a: u32, b: u32, op: u32, kind: u32) -> f32 {
  let left = comparison_key(a, kind);
  let right = comparison_key(b, kind);
  if (kind == 0u && max(left, right) == 0xffffffffu) {
    return select(0.0, 1.0, op == 5u);
  }
  switch (op) {
    case 0u: { return select(0.0, 1.0, left < right); }
    case 1u: { return select(0.0, 1.0, left <= right); }
    case 2u: { return select(0.0, 1.0, left > right); }
    case 3u: { return select(0.0, 1.0, left >= right); }
    case 4u: { return select(0.0, 1.0, left == right); }
    default: { return select(0.0, 1.0, left != right); }
  }
}

// Unsigned integers in the order of the numbers.
fn comparison_key(word: u32, kind: u32) -> u32 {
  switch (kind) {
    case 0u: { return order_key(bitcast<f32>(word)); }
    case 1u: { return word ^ 0x80000000u; }
    default: { return word; }
  }
}
