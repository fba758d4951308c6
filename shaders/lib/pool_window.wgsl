// Which taps of a pooling window lie inside the image, along one axis. Tap r of a window that begins at
// pixel `begin` (negative on the padding) lies at begin + r · dilation.

fn first_tap(begin: i32, dilation: u32) -> u32 {
  return (u32(max(-begin, 0)) + dilation - 1u) / dilation;
}

// One past the last tap in front of pixel `end`.
fn end_tap(begin: i32, end: u32, size: u32, dilation: u32) -> u32 {
  return min(size, (u32(max(i32(end) - begin, 0)) + dilation - 1u) / dilation);
}
