// `npm run docs`: writes docs/derivatives.md, the gradients of every op, from the op records in dist/, and
// docs/performance.md from the kept measurements. Tests compare the committed pages with what they are made of.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { keptResults, PERFORMANCE_PAGE, performancePage } from './performance_table.mjs';
import { ROOT } from './setup_lib.mjs';

export const PAGE = 'docs/derivatives.md';

/**
 * @typedef {object} Entry what the page needs of an op record
 * @property {string} name
 * @property {Readonly<Record<string, string>>} inputs
 * @property {Readonly<Record<string, string>>} derivatives
 * @property {string} source
 */

/** Pages of docs/ops by what they are about, in the order of this page. */
const GROUPS = [
  { title: 'Convolutions', stems: ['conv2d', 'conv2d_transpose', 'depthwise_conv2d'] },
  { title: 'Images', stems: ['augment', 'resize'] },
  { title: 'Matmul', stems: ['matmul', 'dense'] },
  {
    title: 'Normalisation and pooling',
    stems: ['batch_norm', 'group_norm', 'pool2d', 'global_pool2d'],
  },
  { title: 'Functions of one number', stems: ['unary'] },
  { title: 'Arithmetic of two', stems: ['binary', 'compare', 'where'] },
  { title: 'Reductions', stems: ['reduce', 'arg_max', 'top_k'] },
  {
    title: 'Probabilities and losses',
    stems: [
      'softmax',
      'softmax_cross_entropy',
      'nll_loss',
      'binary_cross_entropy',
      'mse_loss',
      'dropout',
    ],
  },
  {
    title: 'Shapes, selection and types',
    stems: [
      'reshape',
      'transpose',
      'slice',
      'concat',
      'pad',
      'gather',
      'take_along_axis',
      'one_hot',
      'cast',
    ],
  },
];

const INTRO = `# Derivatives

Every op and the gradients its backward pass computes, written by \`npm run docs\` from the records in
src/autograd/ops; edit those, not this page. \`dy\` is the gradient of the loss with respect to the op's
output, \`dx\` that with respect to input \`x\`. An input whose letters end in \`?\` may be absent; \`…\` stands
for any dimensions. Inputs without a formula have no gradient.
`;

/**
 * The whole page. The same records give the same text.
 *
 * @param {Readonly<Record<string, Entry>>} records
 * @param {(op: string) => string} pageStem
 */
export function derivativesPage(records, pageStem) {
  /** @type {Map<string, Entry[]>} */
  const byStem = new Map();
  for (const record of Object.values(records)) {
    const stem = pageStem(record.name);
    byStem.set(stem, [...(byStem.get(stem) ?? []), record]);
  }
  const parts = [INTRO];
  for (const { title, stems } of GROUPS) {
    const entries = stems.flatMap((stem) => {
      const found = byStem.get(stem) ?? [];
      byStem.delete(stem);
      return found.map((record) => section(record, stem));
    });
    if (entries.length > 0) parts.push(`## ${title}\n`, ...entries);
  }
  if (byStem.size > 0) {
    throw new Error(`${PAGE}: give ${[...byStem.keys()].join(', ')} a group in scripts/docs.mjs`);
  }
  return parts.join('\n');
}

/**
 * @param {Entry} record
 * @param {string} stem
 */
function section({ name, inputs, derivatives, source }, stem) {
  const letters = Object.entries(inputs).map(([input, dimensions]) => `${input} [${dimensions}]`);
  const formulas = Object.values(derivatives);
  const gradients =
    formulas.length > 0
      ? ['```text', ...formulas, '```']
      : ['No gradient: it gives or takes whole numbers.'];
  return [
    `### [${name}](ops/${stem}.md)`,
    '',
    `Inputs: \`${letters.join(', ')}\``,
    '',
    ...gradients,
    '',
    `Source: ${source}.`,
    '',
  ].join('\n');
}

/**
 * Every page that is made and not written by hand, by its path.
 *
 * @param {Readonly<Record<string, Entry>>} records
 * @param {(op: string) => string} pageStem
 * @returns {Map<string, string>}
 */
export function generatedPages(records, pageStem) {
  return new Map([
    [PAGE, derivativesPage(records, pageStem)],
    [PERFORMANCE_PAGE, performancePage(keptResults())],
  ]);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const load = (/** @type {string} */ path) => import(pathToFileURL(join(ROOT, path)).href);
  const { records } = await load('dist/autograd/ops/index.js');
  const { pageStem } = await load('dist/cli/op_pages.js');
  for (const [path, text] of generatedPages(records, pageStem)) {
    writeFileSync(join(ROOT, path), text);
  }
}
