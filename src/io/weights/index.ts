export { mapWeights, type Mapping } from './mapping.js';
export { modelLayers, type ModelLayer } from './model_layers.js';
export { readWeights } from './read_weights.js';
export { mappingLines } from './report.js';
export type { WeightFile, WeightFormat } from './types.js';
