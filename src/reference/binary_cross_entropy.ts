/**
 * Binary cross-entropy per element, then the mean, the sum or none. For probabilities p and targets t
 *
 *     loss = −t · log p − (1 − t) · log(1 − p),   logarithms no lower than −100, so that 0 and 1 stay finite
 *     dp = dy · (p − t) / max(p · (1 − p), 1e-12),   dt = dy · (log(1 − p) − log p)
 *
 * With `fromLogits` the prediction is z, p = sigmoid(z):
 *
 *     loss = max(z, 0) − z · t + log(1 + exp(−|z|)),   dz = dy · (sigmoid(z) − t),   dt = −dy · z
 */
import { logMagnitude } from './lib/accuracy.js';
import { fillOutput, need } from './lib/arrays.js';
import { lossGradient, reduceLoss, type Reduction } from './lib/reduction.js';
import { scalarFunctions } from './lib/scalar_functions.js';
import type { Reference } from './types.js';

/** Defaults: reduction 'mean', fromLogits false. */
export type BinaryCrossEntropyReferenceOptions = { reduction?: Reduction; fromLogits?: boolean };

interface Element {
  value: number;
  magnitude: number;
}
/** Loss and slopes for one prediction and its target. */
interface LossRule {
  loss: (prediction: number, target: number) => Element;
  predictionSlope: (prediction: number, target: number) => Element;
  targetSlope: (prediction: number, target: number) => Element;
}

const LOWEST_LOG = -100;
const SMALLEST_VARIANCE = 1e-12;
const boundedLog = (p: number): number => Math.max(Math.log(p), LOWEST_LOG);
/** Of log p and log(1 − p): the logarithm's own error, and for 1 − p its rounding. */
const logError = (p: number): number => Math.abs(boundedLog(p)) + logMagnitude(p);
const complementLogError = (p: number): number => logError(1 - p) + 1;

const ofProbabilities: LossRule = {
  loss: (p, t) => ({
    value: -t * boundedLog(p) - (1 - t) * boundedLog(1 - p),
    magnitude: Math.abs(t) * logError(p) + Math.abs(1 - t) * complementLogError(p),
  }),
  predictionSlope: (p, t) => {
    const variance = Math.max(p * (1 - p), SMALLEST_VARIANCE);
    return { value: (p - t) / variance, magnitude: (p + Math.abs(t)) / variance };
  },
  targetSlope: (p) => ({
    value: boundedLog(1 - p) - boundedLog(p),
    magnitude: logError(p) + complementLogError(p),
  }),
};

const { sigmoid, softplus } = scalarFunctions;
const ofLogits: LossRule = {
  loss: (z, t) => ({
    value: softplus.value(z, {}) - z * t,
    magnitude: softplus.valueMagnitude(z, {}) + Math.abs(z * t),
  }),
  predictionSlope: (z, t) => ({
    value: sigmoid.value(z, {}) - t,
    magnitude: sigmoid.valueMagnitude(z, {}) + Math.abs(t),
  }),
  targetSlope: (z) => ({ value: -z, magnitude: Math.abs(z) }),
};

export const binaryCrossEntropyReference: Reference<BinaryCrossEntropyReferenceOptions> = {
  forward(inputs, { reduction, fromLogits }) {
    const [prediction, target] = [need(inputs, 'prediction'), need(inputs, 'target')];
    const rule = fromLogits ? ofLogits : ofProbabilities;
    const losses = fillOutput(prediction.shape, (flat) =>
      rule.loss(prediction.data[flat], target.data[flat]),
    );
    return { y: reduceLoss(losses, reduction) };
  },
  backward(inputs, { reduction, fromLogits }, dy) {
    const [prediction, target] = [need(inputs, 'prediction'), need(inputs, 'target')];
    const rule = fromLogits ? ofLogits : ofProbabilities;
    const gradient = lossGradient(dy, prediction.data.length, reduction);
    const along = (slope: LossRule['predictionSlope']) =>
      fillOutput(prediction.shape, (flat) => {
        const { value, magnitude } = slope(prediction.data[flat], target.data[flat]);
        return { value: gradient[flat] * value, magnitude: Math.abs(gradient[flat]) * magnitude };
      });
    return { prediction: along(rule.predictionSlope), target: along(rule.targetSlope) };
  },
};
