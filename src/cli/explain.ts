import type { Command } from 'commander';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { UsageError } from '../gpu/errors.js';
import { withCommon } from './options.js';
import { renderMarkdown } from './render_markdown.js';

const folder = new URL('../../docs/ops/', import.meta.url);

/** Ops that share the page of their family, where the page is not simply named after the op. */
const familyOf: Readonly<Record<string, string>> = {
  ...families('unary', 'relu relu6 leakyRelu elu gelu sigmoid silu hardSwish tanh softplus'),
  ...families('unary', 'exp log sqrt square abs neg clip'),
  ...families('binary', 'add sub mul div pow maximum minimum'),
  ...families('reduce', 'sum mean max min variance'),
  ...families('pool2d', 'maxPool2d avgPool2d'),
  ...families('global_pool2d', 'globalAvgPool2d globalMaxPool2d'),
  ...families('softmax', 'logSoftmax'),
  ...families('reshape', 'flatten squeeze expandDims'),
  ...families('arg_max', 'argmax'),
};

function families(stem: string, names: string): Record<string, string> {
  return Object.fromEntries(names.split(' ').map((name) => [name, stem]));
}

export function explainCommand(program: Command): void {
  withCommon(
    program
      .command('explain')
      .description('how an op works: formula, loops, kernels, backward')
      .argument('<op>', 'for example conv2d, batchNorm, relu'),
    { json: false },
  ).action((op: string) => {
    process.stdout.write(renderMarkdown(pageOf(op), process.stdout.isTTY ?? false));
  });
}

/** The page of an op by any of its names: `batchNorm`, `batch-norm`, `batch_norm`. */
function pageOf(op: string): string {
  const snake = op
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/-/g, '_')
    .toLowerCase();
  const camel = snake.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  const stem = familyOf[op] ?? familyOf[camel] ?? snake;
  const url = new URL(`${stem}.md`, folder);
  if (/^\w+$/.test(stem) && existsSync(url)) return readFileSync(url, 'utf8');
  const pages = readdirSync(folder).map((file) => file.replace(/\.md$/, ''));
  throw new UsageError(
    `explain: no op named "${op}"; there are pages on ${pages.sort().join(', ')}`,
  );
}
