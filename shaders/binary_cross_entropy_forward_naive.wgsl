// Binary cross-entropy of each element; mean and sum follow in loss_reduction. For probabilities p
//   loss = −t · log p − (1 − t) · log(1 − p),   logarithms no lower than −100
// and for logits z (FROM_LOGITS), p = sigmoid(z), in a form that neither overflows nor cancels:
//   loss = |z| · (1 − t where z > 0, else t) + log(1 + exp(−|z|))
// A logit of ±∞ that is right, at a target of 1 or 0, adds nothing.
//
// One invocation computes one loss (or four, with Lanes = vec4<f32>, where elements past the end
// fall into the padding of the buffers); a workgroup of 64 computes 64 neighbours.
//   prediction [L]  read, in values of Lanes
//   labels     [L]  read: t
//   losses     [L]  written
// Overrides: FROM_LOGITS.
// Tunables: Lanes and Places, f32 and u32 or vectors of four.
// Limits: WebGPU's defaults.

override FROM_LOGITS: bool = false;

alias Lanes = f32; // @tune
alias Places = u32; // @tune

struct Params {
  size: u32, // values of Lanes
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> prediction: array<Lanes>;
@group(0) @binding(2) var<storage, read> labels: array<Lanes>;
@group(0) @binding(3) var<storage, read_write> losses: array<Lanes>;

// Only numbers below the smallest normal one have logarithms below −87: the bound is theirs. A NaN
// or a negative number stays an error that shows.
fn bounded_log(p: Lanes) -> Lanes {
  let bits = bitcast<Places>(p);
  let nan_bits = Places(0x7fc00000u);
  // SwiftShader's log of a negative number or a NaN is a number.
  let positive = select(log(p), p, bits >= Places(0x7f800000u));
  let any = select(positive, bitcast<Lanes>(nan_bits), bits > Places(0x7fffffffu));
  return select(any, Lanes(-100.0), abs(p) < Lanes(1.17549435e-38));
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.size) {
    return;
  }
  let p = prediction[i];
  let t = labels[i];
  if (FROM_LOGITS) {
    let wrong = select(t, 1.0 - t, p > Lanes(0.0));
    let part = select(abs(p) * wrong, Lanes(0.0), (wrong == Lanes(0.0)) & (abs(p) > Lanes(3.4028234e38)));
    losses[i] = part + log(1.0 + exp(-abs(p)));
  } else {
    losses[i] = -t * bounded_log(p) - (1.0 - t) * bounded_log(1.0 - p);
  }
}
