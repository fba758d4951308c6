// Which matrix of an operand belongs to a matrix of the output, where leading axes broadcast.
//
// `index` counts the output's matrices over `shape`, up to four leading axes, outermost first.
// Bit a of `repeats` is set where the operand is repeated along axis a, that is, has length 1 there.

fn operand_matrix(index: u32, shape: vec4<u32>, repeats: u32) -> u32 {
  var rest = index;
  var stride = 1u;
  var matrix = 0u;
  for (var axis = 3u; axis < 4u; axis--) { // ends when it wraps below 0
    let place = rest % shape[axis];
    rest /= shape[axis];
    if (((repeats >> axis) & 1u) == 0u) {
      matrix += place * stride;
      stride *= shape[axis];
    }
  }
  return matrix;
}
