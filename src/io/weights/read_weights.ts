import { closeSync, openSync, readSync } from 'node:fs';
import { DataError } from '../../gpu/errors.js';
import { readKerasLayers } from '../keras_h5.js';
import { pytorchLayers, splitName } from '../pytorch_safetensors.js';
import { readSafetensors } from '../safetensors.js';
import { layersOf, type NamedTensor, type WeightFile } from './types.js';

const HDF5_SIGNATURE = '894844460d0a1a0a';
const ZIP_SIGNATURE = '504b0304';

/**
 * Reads a file of weights: of this program, of Keras (.h5), or of PyTorch (safetensors). What it is
 * is told by its content. Half-precision and double values come as f32.
 *
 * Errors: DataError where the file is missing, damaged or of another kind.
 */
export async function readWeights(path: string): Promise<WeightFile> {
  const signature = beginning(path);
  if (signature === HDF5_SIGNATURE) {
    return { path, format: 'keras', layers: await readKerasLayers(path) };
  }
  if (signature.startsWith(ZIP_SIGNATURE)) {
    throw new DataError(
      `${path}: expected weights as .h5 or safetensors, got an archive, such as Keras' .keras or PyTorch's .pt`,
      'save_weights("model.weights.h5") in Keras or safetensors.torch.save_file in PyTorch writes one',
    );
  }
  const { tensors, metadata } = readSafetensors(path);
  const isOwn = metadata.format?.startsWith('tilegrad') ?? false;
  const all = [...tensors].flatMap(([name, { shape, data }]): NamedTensor[] => {
    if (isOwn && name.startsWith('optimizer/')) return [];
    return [{ name, shape, data: data instanceof Float32Array ? data : Float32Array.from(data) }];
  });
  if (all.length === 0) throw new DataError(`${path}: holds no tensors`);
  if (!isOwn) return { path, format: 'pytorch', layers: pytorchLayers(all) };
  const layers = layersOf(all.map((tensor) => [...splitName(tensor.name), tensor] as const));
  return { path, format: 'tilegrad', layers };
}

/** The first 8 bytes, as hexadecimal digits. */
function beginning(path: string): string {
  const bytes = Buffer.alloc(8);
  try {
    const file = openSync(path, 'r');
    try {
      readSync(file, bytes, 0, 8, 0);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reasons: Record<string, string> = { ENOENT: 'no such file', EISDIR: 'it is a folder' };
    throw new DataError(`${path}: cannot be read: ${reasons[code ?? ''] ?? message}`);
  }
  return bytes.toString('hex');
}
