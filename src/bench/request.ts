import { UsageError } from '../errors.js';
import { didYouMean } from '../gpu/nearest_name.js';
import { conv2dVariantNames } from '../kernels/conv2d/variants.js';
import { depthwiseVariantNames } from '../kernels/depthwise_conv2d/variants.js';
import { opCases } from './op_cases.js';
import { parseShape } from './shapes.js';
import { suites } from './suites.js';
import { directions, type BenchOpName, type BenchRequest, type Direction } from './types.js';

/** The networks that bench/peers has for other engines. */
const trainerModels: readonly string[] = ['mnist-cnn', 'resnet101-v1', 'cifar-vgg'];

const tunableOps: readonly BenchOpName[] = ['conv2d', 'matmul', 'train'];

/**
 * Refuses what cannot be measured, before a device is opened.
 *
 * Errors: UsageError naming the option that does not go with the op, and what does.
 */
export function checkRequest(request: BenchRequest): void {
  const { op, shape, suite, direction, variant, dtype, against, tune, scale, explain } = request;
  const { profile, traceFile } = request;
  const refuse = (text: string, fix?: string): never => {
    throw new UsageError(`bench ${op}: ${text}`, fix);
  };
  if (shape !== undefined && suite !== undefined && op !== 'train') {
    refuse('--shape and --suite exclude each other');
  }
  if (shape !== undefined) parseShape(op, shape);
  if (op === 'train' || op === 'optimizer') {
    if (direction && direction !== 'all') {
      refuse('--direction does not apply, a step has but one', 'leave --direction out');
    }
    if (dtype === 'f16' && op !== 'train') refuse('there are no f16 kernels', 'use --dtype f32');
  } else if (direction && direction !== 'all' && !opCases[op].directions.includes(direction)) {
    refuse(
      `there is no direction ${direction}`,
      `use one of ${opCases[op].directions.join(', ')}, all`,
    );
  }
  if (op === 'train' && variant !== undefined && variant !== 'all') {
    refuse(
      '--variant does not apply, every layer has the kernel chosen for it',
      'measure one op by itself: tilegrad bench conv2d --variant …',
    );
  }
  if (op !== 'train' && suite !== undefined && !Object.hasOwn(suites[op], suite)) {
    refuse(
      `no suite named "${suite}"; there are ${Object.keys(suites[op]).join(', ')}`,
      didYouMean(suite, Object.keys(suites[op])) ?? 'or give a shape of your own by --shape',
    );
  }
  if (tune && !tunableOps.includes(op)) {
    refuse(
      '--tune does not apply, its kernels are not tuned',
      `use it with ${tunableOps.join(', ')}`,
    );
  }
  if (op === 'conv2d' && variant !== undefined && !isConv2dKernel(variant)) {
    refuse(
      `no kernel is named "${variant}"; there are ${conv2dNames.join(', ')}`,
      didYouMean(variant, conv2dNames) ?? 'or leave --variant out to measure all that fit',
    );
  }
  if (op !== 'train' && (profile || traceFile !== undefined)) {
    refuse(
      `--${profile ? 'profile' : 'trace-file'} does not apply, it is there for train`,
      'set TRACE=1 or TRACE_FILE=FILE in the environment',
    );
  }
  if (op !== 'train' && request.recompute) {
    refuse('--recompute does not apply, it is there for train', 'tilegrad bench train --recompute');
  }
  if (scale === 'small' && (op === 'train' || op === 'optimizer')) {
    refuse('--scale does not apply, its suites have no batches to shrink');
  }
  if (scale === 'small' && shape !== undefined) {
    refuse('--scale shrinks suites', 'give the batch you want in --shape');
  }
  if (explain && (op === 'train' || op === 'optimizer')) {
    refuse('--explain does not apply', 'measure one op by itself: tilegrad bench conv2d --explain');
  }
  if (against && op !== 'conv2d' && op !== 'train') {
    refuse('--against is there for conv2d and train only');
  }
  if (against && op === 'train' && suite !== undefined && !trainerModels.includes(suite)) {
    refuse(
      `other engines have no network "${suite}"; they have ${trainerModels.join(', ')}`,
      'name one of these by --suite, or leave --against out',
    );
  }
  if (against && dtype === 'f16') refuse('--against measures f32 only', 'leave --dtype out');
}

/** Of full and of depthwise convolutions. */
const conv2dNames: readonly string[] = [
  ...new Set<string>([...conv2dVariantNames, ...depthwiseVariantNames]),
];

const isConv2dKernel = (name: string): boolean => ['all', 'chosen', ...conv2dNames].includes(name);

/** The directions a request asks for. */
export function directionsOf(
  available: readonly Direction[],
  wanted: BenchRequest['direction'],
): readonly Direction[] {
  if (wanted === undefined || wanted === 'all') return available;
  return directions.filter((direction) => direction === wanted);
}
