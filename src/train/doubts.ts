import { noGrad } from '../autograd/recording.js';
import type { ImageDataset } from '../data/index.js';
import type { WeightFile } from '../io/weights/index.js';
import { PadShortcut } from '../models/index.js';
import type { Module, StateValue } from '../nn/index.js';
import type { Classifier } from './classifier.js';

/*
 * What looks wrong with weights of others once they are in a network. Their shapes fit, which tells little:
 * these are signs that a file was made for something else, cheap enough to be looked for each time.
 */

/** Weights are of the size that initialisation gives them, within these factors, trained or not. */
const SMALLEST_SHARE = 1e-3;
const LARGEST_SHARE = 1e2;
/** Logits of trained networks are below 100. */
const LARGEST_LOGIT = 1e4;
/** Logits of different pictures that differ by less than this share of the largest are the same. */
const LEAST_CHANGE = 1e-6;

/** What looks wrong in the values themselves, a phrase for each tensor. */
export function doubtfulValues(values: ReadonlyMap<string, StateValue>): string[] {
  return [...values].flatMap(([name, { shape, data }]) => {
    if (name.endsWith('runningVariance')) {
      return (data as Float32Array).some((value) => value < 0) ? [`${name} is negative`] : [];
    }
    if (!name.endsWith('weight') || shape.length < 2) return [];
    let squares = 0;
    for (const value of data) squares += value ** 2;
    const size = Math.sqrt(squares / data.length);
    // He et al., arXiv:1502.01852: √(2 / fan in). The output's axis is the last one.
    const usual = Math.sqrt((2 * shape.at(-1)!) / data.length);
    if (size >= SMALLEST_SHARE * usual && size <= LARGEST_SHARE * usual) return [];
    const [came, expected] = [size, usual].map((each) => each.toPrecision(2));
    return [`the values of ${name} are about ${came}, of a fresh network ${expected}`];
  });
}

/** What looks wrong in the logits [2 K] of two pictures. */
export function doubtfulLogits(logits: ArrayLike<number>): string[] {
  const values = Array.from(logits);
  if (!values.every(Number.isFinite)) return ['its outputs are not finite'];
  const largest = Math.max(...values.map(Math.abs));
  if (largest > LARGEST_LOGIT) return [`its outputs reach ${largest.toPrecision(2)}`];
  const count = values.length / 2;
  const change = Math.max(...values.slice(count).map((value, i) => Math.abs(value - values[i])));
  return change <= LEAST_CHANGE * largest
    ? ['its outputs are the same for different pictures']
    : [];
}

/** Whether a file of PyTorch's meets shortcuts that pad behind, unlike those its networks usually have. */
function doubtfulShortcuts(model: Module, { format }: WeightFile): string[] {
  if (format !== 'pytorch') return [];
  const padsBehind = [...model.namedModules()].some(
    ([, module]) => module instanceof PadShortcut && module.options.added[0] === 0,
  );
  return padsBehind ? ['published CIFAR networks in PyTorch want --shortcut pad-both'] : [];
}

/**
 * One line about what looks wrong with a network after `file` was loaded; null if nothing does. Runs
 * the network on two images of the data.
 */
export async function loadingDoubts(
  classifier: Classifier,
  file: WeightFile,
  values: ReadonlyMap<string, StateValue>,
  data: ImageDataset,
): Promise<string | null> {
  const { model, device } = classifier;
  const images = await data.read([0, data.size - 1]);
  model.eval();
  const logits = device.scope(() => noGrad(() => classifier.logits(device.tensor(images))));
  const outputs = await logits.data();
  logits.dispose();
  model.train();
  const doubts = [
    ...doubtfulValues(values),
    ...doubtfulLogits(outputs),
    ...doubtfulShortcuts(model, file),
  ];
  if (doubts.length === 0) return null;
  const more = doubts.length > 3 ? `; and ${doubts.length - 3} more` : '';
  return `warning  weights from ${file.path} may not suit this network: ${doubts.slice(0, 3).join('; ')}${more}`;
}
