import { existsSync } from 'node:fs';
import { createDevice } from '../device.js';
import { DataError, UsageError } from '../errors.js';
import { writeKerasLayers } from '../io/keras_h5.js';
import { writePytorchSafetensors } from '../io/pytorch_safetensors.js';
import { kerasLayers } from '../io/weights/keras_names.js';
import { modelLayers, type ModelLayer, type WeightFormat } from '../io/weights/index.js';
import type { SavedTensor } from '../io/safetensors.js';
import { createModel } from '../models/index.js';
import { modelFileText, readModelFile, writeModelFile } from './checkpoint.js';
import { modelOptions, type ModelConfig } from './run_config.js';
import type { CheckpointName } from './settings_type.js';

export interface ExportOptions {
  /** Default: keras for .h5 and .hdf5. */
  format?: WeightFormat;
  out: string;
  /** Of a run folder; by default the one it was judged by. */
  checkpoint?: CheckpointName;
  /** Whether a file that is there may be replaced. */
  force?: boolean;
}

export interface ExportDocument {
  from: string;
  /** The same file with the epoch of its weights. */
  weights: string;
  out: string;
  format: WeightFormat;
  model: string;
  tensors: number;
  parameters: number;
}

/**
 * Writes the weights of a run for other programs.
 *
 * Errors: UsageError for a name that does not go with the format, DataError where the run cannot be
 * read or the file is there already.
 */
export async function exportWeights(
  target: string,
  options: ExportOptions,
): Promise<ExportDocument> {
  const { out } = options;
  const format = options.format ?? formatOf(out);
  checkName(out, format);
  if (existsSync(out) && !options.force) {
    throw new DataError(
      `export: ${out} is there already`,
      'choose another --out, or replace it with --force',
    );
  }
  const file = readModelFile(target, options.checkpoint);
  const { path, config, weights } = file;
  const layers = await layersOfModel(path, config, weights);
  // In the network's order, without what else a file may hold.
  const values = new Map(
    layers.flatMap(({ tensors }) =>
      [...tensors.values()].map(({ name }) => [name, weights.get(name)!] as const),
    ),
  );
  if (format === 'keras') await writeKerasLayers(out, kerasLayers(layers, values));
  else if (format === 'pytorch') writePytorchSafetensors(out, layers, values);
  else writeModelFile(out, config, values);
  const parameters = [...values.values()].reduce((sum, { data }) => sum + data.length, 0);
  const from = { from: path, weights: modelFileText(file) };
  return { ...from, out, format, model: config.model, tensors: values.size, parameters };
}

function formatOf(out: string): WeightFormat {
  if (/\.(h5|hdf5)$/i.test(out)) return 'keras';
  throw new UsageError(
    `export: cannot tell from ${out} which format is wanted`,
    'add --format keras, pytorch or tilegrad',
  );
}

/** Other programs tell formats by the names of files. */
function checkName(out: string, format: WeightFormat): void {
  if (format !== 'keras') {
    if (out.endsWith('.safetensors')) return;
    throw new UsageError(
      `export: the format ${format} is a safetensors file, got --out ${out}`,
      'let --out end in .safetensors',
    );
  }
  if (/\.(h5|hdf5)$/i.test(out) && !out.endsWith('.weights.h5')) return;
  throw new UsageError(
    `export: the format keras is the HDF5 file of Keras 2, got --out ${out}`,
    'let --out end in .h5, but not in .weights.h5, where Keras 3 expects its own form',
  );
}

/** The layers of a run's network, checked against the run's weights. */
async function layersOfModel(
  path: string,
  config: ModelConfig,
  weights: ReadonlyMap<string, SavedTensor>,
): Promise<ModelLayer[]> {
  const { model: name, imageShape } = config;
  // Nothing is computed: names and shapes are all that is asked.
  const device = await createDevice({ isNull: true });
  try {
    const model = createModel(device, name, modelOptions(config));
    for (const [tensor, { shape }] of model.stateDict()) {
      const saved = weights.get(tensor);
      if (saved?.shape.join() === shape.join()) continue;
      throw new DataError(
        `${path}: its weights are not those of ${name}: ${tensor} ${saved ? `is [${saved.shape.join(', ')}]` : 'is missing'}, expected [${shape.join(', ')}]`,
        'export with the version of this program that trained it',
      );
    }
    return modelLayers(model, imageShape);
  } finally {
    device.destroy();
  }
}
