// Run by Deno: makes a pipeline of every shader with Deno's own WebGPU, whose compiler is naga, and prints what it
// says of those that it refuses, as JSON.

import { readdirSync, readFileSync } from 'node:fs';
import process from 'node:process';

const folder = process.argv[2];
const { gpu } = /** @type {any} */ (globalThis).navigator;
const adapter = await gpu.requestAdapter();
const device = await adapter.requestDevice({
  requiredFeatures: ['shader-f16', 'subgroups'].filter((name) => adapter.features.has(name)),
  requiredLimits: {
    maxStorageBuffersPerShaderStage: adapter.limits.maxStorageBuffersPerShaderStage,
    maxComputeInvocationsPerWorkgroup: adapter.limits.maxComputeInvocationsPerWorkgroup,
    maxComputeWorkgroupSizeX: adapter.limits.maxComputeWorkgroupSizeX,
    maxComputeWorkgroupStorageSize: adapter.limits.maxComputeWorkgroupStorageSize,
  },
});
// naga prints its messages itself as well.
device.addEventListener('uncapturederror', (/** @type {any} */ event) => event.preventDefault());

const textOf = (/** @type {string} */ path) => readFileSync(`${folder}/${path}`, 'utf8');
/** @type {Record<string, string>} */
const refused = {};
let compiled = 0;
for (const file of readdirSync(folder).sort()) {
  if (!file.endsWith('.wgsl')) continue;
  const text = textOf(file);
  const libraries = [...text.matchAll(/^\s*\/\/\s*@use\s+(\S+)/gm)].map(([, path]) => textOf(path));
  const code = [text, ...libraries].join('\n');
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ code, label: file });
  device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint: 'main' } });
  const error = await device.popErrorScope();
  if (error) refused[file] = error.message;
  else compiled++;
}
console.log(JSON.stringify({ compiled, refused }));
process.exit(0);
