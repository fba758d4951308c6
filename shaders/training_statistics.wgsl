// Bookkeeping of one training step, so that the host need not read anything back for it: adds the
// batch to the epoch's totals, keeps the step's loss, and raises `halted` at the first loss that
// is NaN or infinite. Optimizers look at `halted` and leave the parameters alone once it is set.
//
// One workgroup of 64: invocation i judges rows i, i + 64, …; invocation 0 adds up in order. As in
// argmax, the first of equals is the answer, and the first NaN if there is one.
//   logits [N K]  read      labels [N]  read      loss [1], the mean over the batch  read
//   statistics    read and written, as words:
//     0 Σ loss·N (f32)   1 correct   2 count   3 steps   4 halted   5 first bad step
//     8 … 8+RING−1       losses of the last RING steps (f32), by step modulo RING
// Limits: WebGPU's defaults.
// @use lib/order.wgsl

override RING: u32 = 1024u;

struct Params {
  rows: u32,
  classes: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<i32>;
@group(0) @binding(3) var<storage, read> loss: array<f32>;
@group(0) @binding(4) var<storage, read_write> statistics: array<u32>;

var<workgroup> hits: array<u32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32) {
  var correct = 0u;
  for (var n = local; n < params.rows; n += 64u) {
    let base = n * params.classes;
    var best = 0u;
    var largest = order_key(logits[base]);
    for (var k = 1u; k < params.classes; k++) {
      let key = order_key(logits[base + k]);
      if (key > largest) {
        largest = key;
        best = k;
      }
    }
    correct += select(0u, 1u, i32(best) == labels[n]);
  }
  hits[local] = correct;
  workgroupBarrier();
  if (local != 0u) {
    return;
  }
  for (var i = 1u; i < 64u; i++) {
    correct += hits[i];
  }
  let bits = bitcast<u32>(loss[0]);
  let step = statistics[3];
  // By the bits: shader compilers may assume that NaN does not occur.
  if ((bits & 0x7f800000u) == 0x7f800000u && statistics[4] == 0u) {
    statistics[4] = 1u;
    statistics[5] = step;
  }
  let sum = bitcast<f32>(statistics[0]) + loss[0] * f32(params.rows);
  statistics[0] = bitcast<u32>(sum);
  statistics[1] += correct;
  statistics[2] += params.rows;
  statistics[3] = step + 1u;
  statistics[8u + step % RING] = bits;
}
