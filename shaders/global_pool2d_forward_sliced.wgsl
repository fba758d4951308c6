// Pooling over whole images where there are few outputs and many pixels. Improves
// global_pool2d_forward_naive: 16 invocations share an output, each takes every 16th pixel, and
// their results are combined in pairs, quads … through workgroup memory, always in one order.
//
// A workgroup of 256 computes 16 neighbouring channels (or quads of channels, with Lanes = vec4)
// of one image: local = slice · 16 + column.
//   x     [N H·W C]  read, in values of Lanes; C comes divided by their width
//   y     [N C]      written
//   index [N C]      written where KEEP_INDEX: pixel h·W + w of the maximum
// Of equal maxima the first is kept, and a NaN stays.
// Overrides: IS_MAX; KEEP_INDEX.
// Tunables: Lanes and Places, as in global_pool2d_forward_naive.
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

var<workgroup> results: array<Lanes, 256>;
var<workgroup> places: array<Places, 256>;

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let C = params.C;
  let blocks = (C + 15u) / 16u;
  let number = group.y * groups.x + group.x;
  // The whole workgroup leaves together.
  if (number >= params.N * blocks) {
    return;
  }
  let n = number / blocks;
  // Columns past the last channel repeat it and write nothing.
  let column = (number % blocks) * 16u + local % 16u;
  let c = min(column, C - 1u);
  let slice = local / 16u;
  let image = n * params.pixels * C + c;

  // An image of fewer than 16 pixels leaves slices that repeat its last maximum, or add nothing.
  var place = Places(min(slice, params.pixels - 1u));
  var result = x[image + min(slice, params.pixels - 1u) * C];
  if (!IS_MAX && slice >= params.pixels) {
    result = Lanes(0.0);
  }
  for (var pixel = slice + 16u; pixel < params.pixels; pixel += 16u) {
    let value = x[image + pixel * C];
    if (IS_MAX) {
      let is_nan = (bitcast<Places>(value) & Places(0x7fffffffu)) > Places(0x7f800000u);
      let is_larger = (value > result) | is_nan;
      result = select(result, value, is_larger);
      place = select(place, Places(pixel), is_larger);
    } else {
      result += value;
    }
  }
  results[local] = result;
  places[local] = place;
  workgroupBarrier();
  for (var half = 8u; half > 0u; half /= 2u) {
    if (slice < half) {
      let value = results[local + half * 16u];
      if (IS_MAX) {
        let other = places[local + half * 16u];
        let is_nan = (bitcast<Places>(value) & Places(0x7fffffffu)) > Places(0x7f800000u);
        let is_earlier = (value == results[local]) & (other < places[local]);
        let is_larger = (value > results[local]) | is_nan | is_earlier;
        results[local] = select(results[local], value, is_larger);
        places[local] = select(places[local], other, is_larger);
      } else {
        results[local] += value;
      }
    }
    workgroupBarrier();
  }
  if (slice > 0u || column >= C) {
    return;
  }
  let i = n * C + c;
  if (IS_MAX) {
    y[i] = results[local];
  } else {
    y[i] = results[local] / f32(params.pixels);
  }
  if (KEEP_INDEX) {
    index[i] = places[local];
  }
}
