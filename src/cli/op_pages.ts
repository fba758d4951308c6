/** Ops that share the page of their family; every other op has one named after it. */
const families: Readonly<Record<string, string>> = {
  unary:
    'relu relu6 leakyRelu elu gelu sigmoid silu hardSwish tanh softplus exp log sqrt square abs neg clip activate',
  binary: 'add sub mul div pow maximum minimum',
  compare: 'less lessEqual greater greaterEqual equal notEqual',
  reduce: 'sum mean max min prod variance',
  pool2d: 'maxPool2d maxPool2dIndices avgPool2d',
  group_norm: 'groupNorm instanceNorm layerNorm',
  global_pool2d: 'globalAvgPool2d globalMaxPool2d',
  softmax: 'logSoftmax',
  reshape: 'flatten squeeze expandDims',
  transpose: 'depthToSpace spaceToDepth',
  arg_max: 'argmax argmin',
};

const stems = new Map(
  Object.entries(families).flatMap(([stem, names]) => names.split(' ').map((n) => [n, stem])),
);

/**
 * The stem of the page in docs/ops that explains an op, by any spelling of its name: `batchNorm`,
 * `batch-norm`, `batch_norm`.
 */
export function pageStem(op: string): string {
  const snake = op
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/-/g, '_')
    .toLowerCase();
  const camel = snake.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  return stems.get(op) ?? stems.get(camel) ?? snake;
}

/** Names of ops that a person may have meant, from the stems of the pages and of their families. */
export function opNames(pages: readonly string[]): string[] {
  const camel = pages.map((page) =>
    page.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
  );
  return [...new Set([...camel, ...stems.keys()])];
}
