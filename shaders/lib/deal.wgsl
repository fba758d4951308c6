// Workgroups of one dispatch dealt out to two jobs, so that every stretch of them has its share of both:
// llvmpipe gives each of its threads one run of neighbours, and one job's are longer than the other's.

struct Share {
  is_first: bool,
  place: u32, // among the workgroups of its job
}

/// The job of workgroup `number`; (number + 1) · first below 2³². Past the last one the places are past
/// the jobs' own.
fn deal(number: u32, first: u32, second: u32) -> Share {
  let before = number * first / (first + second);
  let until = (number + 1u) * first / (first + second);
  if (before < until) {
    return Share(true, before);
  }
  return Share(false, number - before);
}
