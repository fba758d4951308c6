/** `tilegrad/io`: networks and arrays in files. */
export { load, save } from '../io/model_file.js';
export { formatNpy, readNpy, readNpz, type NpyArray } from '../io/npy.js';
export {
  readSafetensors,
  writeSafetensors,
  type SafetensorsFile,
  type SavedTensor,
} from '../io/safetensors.js';
export { EventWriter, type EventWriterOptions } from '../io/tensorboard.js';
export { readWeights, type WeightFile } from '../io/weights/index.js';
export { registerModule, type Architecture } from '../models/architecture.js';
