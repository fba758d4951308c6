/** Data sets: opening, splitting, batching. */
export * from './dataset.js';
export * from './random.js';
export * from './batches.js';
export * from './split.js';
export * from './idx.js';
export * from './csv.js';
export * from './mnist.js';
export * from './digits.js';
export * from './resize.js';
export * from './ppm.js';
export * from './decode.js';
export * from './decode_pool.js';
export * from './folder.js';
export * from './folder_dataset.js';
export * from './sources.js';
export * from './cifar.js';
export * from './open.js';
