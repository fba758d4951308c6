export { mapWeights, type Mapping, type MappingReport } from './mapping.js';
export { modelLayers, type ModelLayer } from './model_layers.js';
export { readWeights } from './read_weights.js';
export { mappingLines } from './report.js';
export { formatNames, type WeightFile, type WeightFormat } from './types.js';
