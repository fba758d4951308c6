// Gradients of binary cross-entropy. For probabilities p
//   dprediction = dy · (p − t) / max(p · (1 − p), 1e-12),   dtarget = dy · (log(1 − p) − log p)
// and for logits z (FROM_LOGITS)
//   dprediction = dy · (sigmoid(z) − t),                    dtarget = −dy · z
//
// One invocation computes one element (or four, with Lanes = vec4<f32>); a workgroup of 64
// computes 64 neighbours.
//   prediction [L]  read, in values of Lanes
//   labels     [L]  read: t
//   dy         [L]  read unless IS_REDUCED
//   dy_one     [1]  read where IS_REDUCED: the gradient of a mean or sum
//   gradient   [L]  written: dprediction, or dtarget where OF_TARGET
// dy is divided by `divisor` (the number of elements in a mean).
// Overrides: FROM_LOGITS; IS_REDUCED; OF_TARGET.
// Tunables: Lanes and Places, f32 and u32 or vectors of four.
// Limits: WebGPU's defaults.

override FROM_LOGITS: bool = false;
override IS_REDUCED: bool = true;
override OF_TARGET: bool = false;

alias Lanes = f32; // @tune
alias Places = u32; // @tune

struct Params {
  size: u32, // values of Lanes
  divisor: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> prediction: array<Lanes>;
@group(0) @binding(2) var<storage, read> labels: array<Lanes>;
@group(0) @binding(3) var<storage, read> dy: array<Lanes>;
@group(0) @binding(4) var<storage, read> dy_one: array<f32>;
@group(0) @binding(5) var<storage, read_write> gradient: array<Lanes>;

// As in binary_cross_entropy_forward_naive.
fn bounded_log(p: Lanes) -> Lanes {
  let bits = bitcast<Places>(p);
  let nan_bits = Places(0x7fc00000u);
  // SwiftShader's log of a negative number or a NaN is a number.
  let positive = select(log(p), p, bits >= Places(0x7f800000u));
  let any = select(positive, bitcast<Lanes>(nan_bits), bits > Places(0x7fffffffu));
  return select(any, Lanes(-100.0), abs(p) < Lanes(1.17549435e-38));
}

// exp of a negative number alone: it cannot overflow.
fn sigmoid(z: Lanes) -> Lanes {
  let e = exp(-abs(z));
  return select(e, Lanes(1.0), z >= Lanes(0.0)) / (1.0 + e);
}

fn slope_of_prediction(p: Lanes, t: Lanes) -> Lanes {
  if (FROM_LOGITS) {
    return sigmoid(p) - t;
  }
  return (p - t) / max(p * (1.0 - p), Lanes(1e-12));
}

fn slope_of_target(p: Lanes) -> Lanes {
  if (FROM_LOGITS) {
    return -p;
  }
  return bounded_log(1.0 - p) - bounded_log(p);
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
  var share = Lanes(dy_one[0]);
  if (!IS_REDUCED) {
    share = dy[i];
  }
  share = share / params.divisor;
  if (OF_TARGET) {
    gradient[i] = share * slope_of_target(prediction[i]);
  } else {
    gradient[i] = share * slope_of_prediction(prediction[i], labels[i]);
  }
}
