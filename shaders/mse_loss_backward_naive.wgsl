// Gradient of the squared error: dprediction = 2 · dy · (prediction − target), and its negative
// for the target.
//
// One invocation computes one element (or four, with Lanes = vec4<f32>); a workgroup of 64
// computes 64 neighbours.
//   prediction [L]  read, in values of Lanes
//   labels     [L]  read
//   dy         [L]  read unless IS_REDUCED
//   dy_one     [1]  read where IS_REDUCED: the gradient of a mean or sum
//   gradient   [L]  written
// dy is divided by `divisor` (the number of elements in a mean); OF_TARGET turns the sign.
// Overrides: IS_REDUCED; OF_TARGET.
// Tunables: Lanes, f32 or vec4<f32>.
// Limits: WebGPU's defaults.

override IS_REDUCED: bool = true;
override OF_TARGET: bool = false;

alias Lanes = f32; // @tune

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
  let slope = select(2.0, -2.0, OF_TARGET) * (prediction[i] - labels[i]);
  gradient[i] = share / params.divisor * slope;
}
