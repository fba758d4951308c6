import { closeSync, openSync, readSync } from 'node:fs';
import { DataError } from '../../errors.js';
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
 * Errors: DataError if the file is missing, damaged or of another kind.
 */
export async function readWeights(path: string): Promise<WeightFile> {
  const start = beginning(path);
  if (start.toString('hex', 0, 8) === HDF5_SIGNATURE) {
    return { path, format: 'keras', layers: await readKerasLayers(path) };
  }
  refuseOtherKinds(path, start);
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

/** Errors: DataError for what is neither HDF5 nor safetensors, with the way to make one of it. */
function refuseOtherKinds(path: string, start: Buffer): void {
  // A safetensors file begins with the length of its header, below 4 GiB, and the header.
  if (start.readUInt32LE(4) === 0 && [0x7b, 0x20].includes(start[8])) return;
  const wanted = `${path}: expected weights as safetensors or Keras' .h5`;
  const isArchive = start.toString('hex', 0, 4) === ZIP_SIGNATURE;
  const member = isArchive ? start.toString('latin1', 30, 30 + start.readUInt16LE(26)) : '';
  const isPickle = start[0] === 0x80 && start[1] >= 2 && start[1] <= 5;
  if (isPickle || member.endsWith('/data.pkl')) {
    throw new DataError(`${wanted}, got a pickle of PyTorch`, pickleFix(path));
  }
  if (isArchive) {
    throw new DataError(
      `${wanted}, got a zip archive, such as Keras' .keras`,
      'write weights alone: model.save_weights("model.weights.h5") in Keras',
    );
  }
  throw new DataError(
    `${wanted}, got a file of another kind`,
    "pass the folder of a run, or what safetensors.torch.save_file or Keras' save_weights wrote",
  );
}

/** The line that makes a safetensors file of a state dict, or of a checkpoint that holds one. */
function pickleFix(path: string): string {
  const name = /^[\w./ +-]+$/.test(path) ? path : 'FILE.pt';
  const out = `${name.replace(/\.\w+$/, '')}.safetensors`;
  const program = [
    'import torch, safetensors.torch as st',
    `d = torch.load('${name}', map_location='cpu', weights_only=True)`,
    "d = d.get('state_dict', d.get('model', d))",
    `st.save_file({k: v.clone() for k, v in d.items() if torch.is_tensor(v)}, '${out}')`,
  ];
  return `with PyTorch and safetensors installed, python -c "${program.join('; ')}" writes ${out}`;
}

const MOST_BEGINNING = 512;

/** The first bytes, with zeros behind those of a shorter file. */
function beginning(path: string): Buffer {
  const bytes = Buffer.alloc(MOST_BEGINNING);
  try {
    const file = openSync(path, 'r');
    try {
      readSync(file, bytes, 0, MOST_BEGINNING, 0);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reasons: Record<string, string> = { ENOENT: 'no such file', EISDIR: 'it is a folder' };
    throw new DataError(`${path}: cannot be read: ${reasons[code ?? ''] ?? message}`);
  }
  return bytes;
}
