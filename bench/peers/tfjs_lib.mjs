// TensorFlow.js with its WebGPU backend, in Node on Dawn: what its two peers share.

import { load, provideGpu, watchErrors } from './lib.mjs';

export const adapter = await provideGpu();
// The first of these registers the gradients.
const [, core, webgpu] = await load([
  '@tensorflow/tfjs',
  '@tensorflow/tfjs-core',
  '@tensorflow/tfjs-backend-webgpu',
]);
export const tf = core;
await tf.setBackend('webgpu');
await tf.ready();
watchErrors(tf.backend().device);

export const name = `tfjs-webgpu ${webgpu.version_webgpu ?? tf.version_core}`;

/** Hands over what was recorded, and waits until the GPU is done. */
export function wait() {
  const backend = tf.backend();
  if (backend.commandEncoder) {
    backend.endComputePassEncoder();
    backend.submitQueue();
  }
  return backend.queue.onSubmittedWorkDone();
}
