// Functions of one number and their derivatives, by number (src/kernels/unary.ts).
// `op` is an override constant at every call, so the branches vanish in the pipeline.
// `alpha` is the slope of leakyRelu and elu; `low` and `high` are the bounds of clip.
// Comparisons are written so that a NaN comes out as a NaN instead of as a bound.

fn unary_value(x: f32, op: u32, alpha: f32, low: f32, high: f32) -> f32 {
  switch (op) {
    case 0u: { return select(x, 0.0, x <= 0.0); } // relu
    case 1u: { return select(select(x, 0.0, x <= 0.0), 6.0, x >= 6.0); } // relu6
    case 2u: { return select(x, alpha * x, x <= 0.0); } // leakyRelu
    case 3u: { return select(x, alpha * exp_minus_one(min(x, 0.0)), x <= 0.0); } // elu
    case 4u: { return x * normal_share(x); } // gelu
    case 5u: { return 0.5 * x * (1.0 + stable_tanh(gelu_inner(x))); } // gelu, tanh
    case 6u: { return stable_sigmoid(x); } // sigmoid
    case 7u: { return x * stable_sigmoid(x); } // silu
    // hardSwish; 6 / 6 need not be 1
    case 8u: { return x * select(clamp(x + 3.0, 0.0, 6.0) / 6.0, 1.0, x >= 3.0); }
    case 9u: { return stable_tanh(x); } // tanh
    case 10u: { return max(x, 0.0) + log_one_plus(exp(-abs(x))); } // softplus
    case 11u: { return full_exp(x); }
    case 12u: { return full_log(x); }
    case 13u: { return sqrt(x); }
    case 14u: { return x * x; } // square
    case 15u: { return abs(x); }
    case 16u: { return -x; } // neg
    case 17u: { return select(select(x, low, x < low), high, x > high); } // clip
    case 18u: { return select(x, low, x < low); } // clip from below
    case 19u: { return select(x, high, x > high); } // clip from above
    default: { return x; }
  }
}

// dy/dx, computed from `v`: y for relu, relu6, sigmoid, tanh, exp and sqrt, x for the others.
fn unary_slope(v: f32, op: u32, alpha: f32, low: f32, high: f32) -> f32 {
  switch (op) {
    case 0u: { return select(0.0, 1.0, v > 0.0); }
    case 1u: { return select(0.0, 1.0, v > 0.0 && v < 6.0); }
    case 2u: { return select(alpha, 1.0, v > 0.0); }
    case 3u: { return select(alpha * exp(min(v, 0.0)), 1.0, v > 0.0); }
    case 4u: { return normal_share(v) + v * 0.3989422804 * exp(-0.5 * v * v); }
    case 5u: {
      let t = stable_tanh(gelu_inner(v));
      let inner_slope = 0.7978845608 * (1.0 + 0.134145 * v * v);
      // Where tanh is ±1 the second term is zero, however large the slope is.
      return 0.5 * (1.0 + t) + select(0.5 * v * (1.0 - t * t) * inner_slope, 0.0, abs(t) == 1.0);
    }
    case 6u: { return v * (1.0 - v); }
    case 7u: {
      let s = stable_sigmoid(v);
      // 1 − s is the sigmoid of −v: no cancellation.
      return s * (1.0 + v * stable_sigmoid(-v));
    }
    case 8u: { return select(select((2.0 * v + 3.0) / 6.0, 0.0, v < -3.0), 1.0, v > 3.0); }
    case 9u: { return 1.0 - v * v; }
    case 10u: { return stable_sigmoid(v); }
    case 11u: { return v; }
    case 12u: { return 1.0 / v; }
    case 13u: { return 0.5 / v; }
    case 14u: { return 2.0 * v; }
    case 15u: { return sign(v); }
    case 16u: { return -1.0; }
    case 17u: { return select(0.0, 1.0, v >= low && v <= high); }
    case 18u: { return select(0.0, 1.0, v >= low); }
    case 19u: { return select(0.0, 1.0, v <= high); }
    default: { return 1.0; }
  }
}

// 1 / (1 + exp(−x)); the exponential is never larger than 1.
fn stable_sigmoid(x: f32) -> f32 {
  let e = exp(-abs(x));
  return select(e, 1.0, x >= 0.0) / (1.0 + e);
}

// exp(x) − 1 for x ≤ 0: by the Taylor series where the difference would cancel.
fn exp_minus_one(x: f32) -> f32 {
  if (x < -0.5) {
    return exp(x) - 1.0;
  }
  // Σ xⁿ / n! up to n = 8; at −0.5 the next term is 5e-9.
  var sum = 1.0 / 40320.0;
  sum = sum * x + 1.0 / 5040.0;
  sum = sum * x + 1.0 / 720.0;
  sum = sum * x + 1.0 / 120.0;
  sum = sum * x + 1.0 / 24.0;
  sum = sum * x + 1.0 / 6.0;
  sum = sum * x + 0.5;
  sum = sum * x + 1.0;
  return sum * x;
}

// tanh|x| = −m / (m + 2) with m = exp(−2|x|) − 1. The built-in may be off by 1e-5.
fn stable_tanh(x: f32) -> f32 {
  let m = exp_minus_one(-2.0 * abs(x));
  return sign(x) * (-m / (m + 2.0));
}

// log(1 + e) for 0 ≤ e ≤ 1, right to the last bits however small e is:
// 2·artanh(z) = 2·(z + z³/3 + z⁵/5 + …), z = e / (2 + e) ≤ 1/3; after z¹³ the rest is 1e-8.
fn log_one_plus(e: f32) -> f32 {
  let z = e / (2.0 + e);
  let square = z * z;
  var sum = 1.0 / 13.0;
  sum = sum * square + 1.0 / 11.0;
  sum = sum * square + 1.0 / 9.0;
  sum = sum * square + 1.0 / 7.0;
  sum = sum * square + 1.0 / 5.0;
  sum = sum * square + 1.0 / 3.0;
  sum = sum * square + 1.0;
  return 2.0 * z * sum;
}

// √(2/π) · (x + 0.044715 x³): Hendrycks & Gimpel, arXiv:1606.08415, section 2.
fn gelu_inner(x: f32) -> f32 {
  return 0.7978845608 * x * (1.0 + 0.044715 * x * x);
}

// Φ(x) = ½·erfc(−x/√2), the share of a standard normal below x.
// WGSL has no erf. Below 1 it is the Maclaurin series (Abramowitz & Stegun 7.1.5); from 1 on
// erfc(t) = exp(−t²) · s · P(s), s = 1 / (1 + t/2), with P of degree 7 fitted at Chebyshev points
// of s in (0, ⅔]: relative error 1.1e-7, so that the tail for large negative x stays right too.
fn normal_share(x: f32) -> f32 {
  let t = abs(x) * 0.7071067812;
  if (t < 1.0) {
    let square = t * t;
    var sum = -1.0 / 6894720.0 * square + 1.0 / 685440.0;
    sum = sum * square - 1.0 / 75600.0;
    sum = sum * square + 1.0 / 9360.0;
    sum = sum * square - 1.0 / 1320.0;
    sum = sum * square + 1.0 / 216.0;
    sum = sum * square - 1.0 / 42.0;
    sum = sum * square + 0.1;
    sum = sum * square - 1.0 / 3.0;
    sum = sum * square + 1.0;
    return 0.5 + sign(x) * 0.5641895835 * t * sum;
  }
  let s = 1.0 / (1.0 + 0.5 * t);
  var sum = 0.0939210206;
  sum = sum * s - 0.228245869;
  sum = sum * s + 0.0859866515;
  sum = sum * s + 0.0578009710;
  sum = sum * s + 0.180396721;
  sum = sum * s + 0.246510431;
  sum = sum * s + 0.282104701;
  sum = sum * s + 0.282094747;
  let tail = 0.5 * exp(-t * t) * s * sum;
  return select(tail, 1.0 - tail, x > 0.0);
}
