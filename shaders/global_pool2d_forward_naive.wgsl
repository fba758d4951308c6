// Pooling over whole images: the maximum or the mean of all pixels of each channel.
//
// One invocation computes one output (or four, with Lanes = vec4<f32>); a workgroup of 64 takes 64
// neighbouring channels, whose loads lie side by side.
//   x     [N H·W C]  read, in values of Lanes; C comes divided by their width
//   y     [N C]      written
//   index [N C]      written where KEEP_INDEX: pixel h·W + w of the maximum, for the gradient
// Of equal maxima the first is kept, and a NaN stays: it is larger than everything.
// Overrides: IS_MAX; KEEP_INDEX.
// Tunables: Lanes and Places, f32 and u32, or vec4<f32> and vec4<u32> where C is divisible by four.
// Limits: WebGPU's defaults.

override IS_MAX: bool = true;
override KEEP_INDEX: bool = false;

alias Lanes = f32; // @tune
alias Places = u32; // @tune

struct Params {
  N: u32,
  pixels: u32,
  C: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Lanes>;
@group(0) @binding(2) var<storage, read_write> y: array<Lanes>;
@group(0) @binding(3) var<storage, read_write> index: array<Places>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let C = params.C;
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.N * C) {
    return;
  }
  let image = (i / C) * params.pixels * C + i % C;
  var result = x[image];
  var place = Places(0u);
  for (var pixel = 1u; pixel < params.pixels; pixel++) {
    let value = x[image + pixel * C];
    if (IS_MAX) {
      // NaN is computed from its bits: compilers may take value != value for false.
      let is_nan = (bitcast<Places>(value) & Places(0x7fffffffu)) > Places(0x7f800000u);
      let is_larger = (value > result) | is_nan;
      result = select(result, value, is_larger);
      place = select(place, Places(pixel), is_larger);
    } else {
      result += value;
    }
  }
  if (!IS_MAX) {
    result = result / f32(params.pixels);
  }
  y[i] = result;
  if (KEEP_INDEX) {
    index[i] = place;
  }
}
