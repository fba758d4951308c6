// Where an operand repeated along some axes is read: the six axes of the output are held as two
// triples, and the stride of an axis is 0 where the operand is repeated along it.

struct Place {
  outer: vec3<u32>,
  inner: vec3<u32>,
}

// The coordinates of element `flat` of the output.
fn place_of(flat: u32, outer: vec3<u32>, inner: vec3<u32>) -> Place {
  let rest = flat / inner.z;
  let rows = rest / inner.y;
  let planes = rows / inner.x;
  let blocks = planes / outer.z;
  return Place(
    vec3<u32>(blocks / outer.y, blocks % outer.y, planes % outer.z),
    vec3<u32>(rows % inner.x, rest % inner.y, flat % inner.z),
  );
}

// The element of the operand that `place` reads.
fn offset_at(place: Place, outer_strides: vec3<u32>, inner_strides: vec3<u32>) -> u32 {
  return dot(place.outer, outer_strides) + dot(place.inner, inner_strides);
}
