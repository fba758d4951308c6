// Gradient of pooling over whole images: every pixel gets dy / (H·W) of a mean, the first largest
// pixel gets dy of a maximum and the others 0.
//
// One invocation computes one dx (or four, with Lanes = vec4<f32>); a workgroup of 64 computes 64
// neighbours.
//   dy    [N C]      read, in values of Lanes; C comes divided by their width
//   index [N C]      read where IS_MAX: pixel h·W + w of the maximum
//   dx    [N H·W C]  written
// Overrides: IS_MAX.
// Tunables: Lanes and Places, f32 and u32, or vec4<f32> and vec4<u32> where C is divisible by four.
// Limits: WebGPU's defaults.

override IS_MAX: bool = true;

alias Lanes = f32; // @tune
alias Places = u32; // @tune

struct Params {
  N: u32,
  pixels: u32,
  C: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<Lanes>;
@group(0) @binding(2) var<storage, read> index: array<Places>;
@group(0) @binding(3) var<storage, read_write> dx: array<Lanes>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let C = params.C;
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.N * params.pixels * C) {
    return;
  }
  let c = i % C;
  let pixel = (i / C) % params.pixels;
  let output = (i / (C * params.pixels)) * C + c;
  if (IS_MAX) {
    dx[i] = select(Lanes(0.0), dy[output], index[output] == Places(pixel));
  } else {
    dx[i] = dy[output] / f32(params.pixels);
  }
}
