/** `tilegrad/data`: labelled images, from files or from a program. */
export { parseAugment as augment } from '../autograd/augment_text.js';
export { arrays, type ArraysOptions } from '../data/arrays_dataset.js';
export { batchCount, batches, type Batch, type BatchOptions } from '../data/batches.js';
export type { ImageDataset } from '../data/dataset.js';
export { builtin, images, mnist } from '../data/named_sources.js';
export { openDataset, type OpenedData } from '../data/open/open.js';
export type { DataFormat, OpenOptions } from '../data/open/sources.js';
export { limit, split, subset, type SplitOptions } from '../data/split.js';
