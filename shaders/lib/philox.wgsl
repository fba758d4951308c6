// Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC'11): four random words from a counter of four
// words and a key of two, with no state to carry. The reference is src/reference/philox.ts.
//
// Every draw reads one block of four words: key low, key high, draw low, draw high. Element i of
// the draw takes word i mod 4 of counter (⌊i / 4⌋, attempt, draw low, draw high).

/// The 64-bit product of two words, as (high, low); WGSL multiplies 32 bits at most.
fn multiply_wide(a: u32, b: u32) -> vec2<u32> {
  let a_low = a & 0xffffu;
  let a_high = a >> 16u;
  let b_low = b & 0xffffu;
  let b_high = b >> 16u;
  let low = a_low * b_low;
  // Each sum stays below 2³²: a product of halves is at most (2¹⁶ − 1)² and leaves room for two.
  let cross = a_high * b_low + (low >> 16u);
  let middle = a_low * b_high + (cross & 0xffffu);
  return vec2<u32>(a_high * b_high + (cross >> 16u) + (middle >> 16u), a * b);
}

fn philox(counter: vec4<u32>, first_key: vec2<u32>) -> vec4<u32> {
  var c = counter;
  var key = first_key;
  for (var round = 0u; round < 10u; round++) {
    let x = multiply_wide(0xd2511f53u, c.x);
    let z = multiply_wide(0xcd9e8d57u, c.z);
    c = vec4<u32>(z.x ^ c.y ^ key.x, z.y, x.x ^ c.w ^ key.y, x.y);
    key += vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}

/// The random words of elements 4·quad … 4·quad + 3.
fn random_words(block: vec4<u32>, quad: u32, attempt: u32) -> vec4<u32> {
  return philox(vec4<u32>(quad, attempt, block.z, block.w), block.xy);
}

/// Words as numbers in [0, 1): their upper 24 bits, which f32 holds exactly.
fn uniform_from_words(words: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(words >> vec4<u32>(8u)) * 0x1p-24f;
}
