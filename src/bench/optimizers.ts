import { type Device } from '../device.js';
import { UsageError } from '../errors.js';
import { timeRuns } from '../gpu/timing.js';
import { Adam, AdamW, RMSprop, SGD, type Optimizer } from '../optim/index.js';
import { outsideScopes, type Tensor } from '../tensor.js';
import { ratesOf } from './numbers.js';
import { parseShape } from './shapes.js';
import type { BenchRow, Peak } from './types.js';

interface Rule {
  create(parameters: Tensor[]): Optimizer;
  /** Where the first step takes a parameter p of gradient g. */
  first(p: number, g: number): number;
  /** FLOP for each element, and floats read and written. */
  flops: number;
  floats: number;
}

const LR = 1e-3;

/** Every rule with what it does at its first step, when all its state is 0. */
const rules: Record<string, Rule> = {
  sgd: {
    create: (parameters) => new SGD(parameters, { lr: LR }),
    first: (p, g) => p - LR * g,
    flops: 2,
    floats: 3,
  },
  'sgd-momentum': {
    create: (parameters) => new SGD(parameters, { lr: LR, momentum: 0.9 }),
    first: (p, g) => p - LR * g,
    flops: 4,
    floats: 5,
  },
  adam: {
    create: (parameters) => new Adam(parameters, { lr: LR }),
    first: (p, g) => p - (LR * g) / (Math.abs(g) + 1e-8),
    flops: 12,
    floats: 7,
  },
  adamw: {
    create: (parameters) => new AdamW(parameters, { lr: LR, weightDecay: 0.01 }),
    first: (p, g) => p * (1 - LR * 0.01) - (LR * g) / (Math.abs(g) + 1e-8),
    flops: 13,
    floats: 7,
  },
  rmsprop: {
    create: (parameters) => new RMSprop(parameters, { lr: LR, alpha: 0.99 }),
    first: (p, g) => p - (LR * g) / (Math.sqrt(0.01 * g * g) + 1e-8),
    flops: 9,
    floats: 5,
  },
};

/** Steps of every optimizer over `tensors` parameters of `elements` numbers each. */
export async function measureOptimizers(
  device: Device,
  shapes: readonly string[],
  options: { variant: string | undefined; peak: Peak; say: (text: string) => void },
): Promise<BenchRow[]> {
  const { variant } = options;
  const names = Object.keys(rules).filter((name) => variant === undefined || name === variant);
  if (names.length === 0) {
    throw new UsageError(
      `bench optimizer: no rule named "${variant}"; there are ${Object.keys(rules).join(', ')}`,
    );
  }
  const rows: BenchRow[] = [];
  for (const shape of shapes) {
    for (const name of names) {
      options.say(`optimizer ${shape} ${name}`);
      rows.push(await measureRule(device, shape, name, options.peak));
    }
  }
  return rows;
}

async function measureRule(
  device: Device,
  shape: string,
  name: string,
  peak: Peak,
): Promise<BenchRow> {
  const [count, elements] = parseShape('optimizer', shape);
  const rule = rules[name];
  const parameters = outsideScopes(() =>
    Array.from({ length: count }, () => device.randn([elements], { requiresGrad: true })),
  );
  for (const parameter of parameters) {
    device.scope(() => parameter.backward(device.randn([elements])));
  }
  const optimizer = rule.create(parameters);
  try {
    const problem = await firstStepProblem(parameters.at(-1)!, optimizer, rule);
    const head = {
      op: 'optimizer',
      shape,
      direction: 'step',
      variant: name,
      dtype: 'f32',
    } as const;
    const isChosen = name === 'adam';
    if (problem) {
      const none = { ms: null, gflops: null, gbps: null, percentOfPeak: null, ratioToBest: null };
      return { ...head, ...none, engine: 'tilegrad', isChosen, runs: 0, problem };
    }
    const { ms, runs } = await timeRuns(device.runtime, () => optimizer.step());
    const size = count * elements;
    const rates = ratesOf(ms, { flops: rule.flops * size, bytes: 4 * rule.floats * size }, peak);
    return { ...head, ...rates, ratioToBest: null, engine: 'tilegrad', isChosen, runs };
  } finally {
    optimizer.dispose();
    for (const parameter of parameters) parameter.dispose();
    await device.sync();
  }
}

/** Compares the first step of the last parameter with the rule's formula. */
async function firstStepProblem(
  parameter: Tensor,
  optimizer: Optimizer,
  rule: Rule,
): Promise<string | null> {
  const before = await parameter.data();
  const gradient = await parameter.grad!.data();
  optimizer.step();
  const after = await parameter.data();
  for (let i = 0; i < after.length; i++) {
    const want = rule.first(before[i], gradient[i]);
    const step = Math.abs(want - before[i]);
    // The parameter is rounded once; the step itself comes of about a dozen rounded operations.
    const allowed = 2 ** -24 * (2 * Math.abs(want) + 64 * step) + 1e-12;
    if (Math.abs(after[i] - want) <= allowed) continue;
    return `wrong: element ${i} is ${after[i]}, the formula gives ${want}, allowed ±${allowed.toExponential(1)}`;
  }
  return null;
}
