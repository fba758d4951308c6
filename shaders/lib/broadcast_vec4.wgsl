// Where a repeated operand is read when four neighbours of the output are computed at once, by how
// it lies next to the output: 0 full, of the output's size; 1 scalar, one number for all; 2
// trailing, [K] along the last axis of an output [… K]; 3 blocks, [B 1 K] next to an output
// [B M K]; 4 numbers, [B 1] next to an output [B K]. K is a multiple of four. `access` is an override
// constant at every call.

// The vector of the operand that vector `i` of the output needs; of a scalar, that with the number
// in front; of numbers, that which holds the one wanted, i / trailing % 4. `trailing` vectors make
// up K, `block` M·K.
fn quad_at(i: u32, access: u32, trailing: u32, block: u32) -> u32 {
  switch (access) {
    case 1u: { return 0u; }
    case 2u: { return i % trailing; }
    case 3u: { return i / block * trailing + i % trailing; }
    case 4u: { return i / trailing / 4u; }
    default: { return i; }
  }
}
