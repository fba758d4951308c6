/** One way to compute a batch norm: a row of the table. */
interface BatchNormRow {
  /** For fused kernels: neighbouring channels, and parts of their rows, per workgroup. */
  layout?: { COLUMNS: number; PARTS: number };
  shaders: readonly string[];
}

const fusedShaders = ['batch_norm_forward_fused', 'batch_norm_backward_fused'];

const table = {
  // One value per invocation: the version to read.
  naive: {
    shaders: [
      ...['batch_norm_statistics_naive', 'batch_norm_statistics_running'],
      ...[
        'batch_norm_forward_naive',
        'batch_norm_backward_sums_naive',
        'batch_norm_backward_naive',
      ],
    ],
  },
  // Each invocation takes some rows of one channel, or of four if C is divisible by four.
  sliced: {
    shaders: [
      ...['batch_norm_statistics_sliced', 'batch_norm_statistics_combine'],
      ...['batch_norm_statistics_running', 'batch_norm_forward_sliced'],
      ...['batch_norm_backward_sums_sliced', 'batch_norm_backward_sums_combine'],
      'batch_norm_backward_sliced',
    ],
  },
  // In training each invocation takes all rows of a channel. Otherwise this and the next are `sliced`.
  fused: { layout: { COLUMNS: 8, PARTS: 1 }, shaders: fusedShaders },
  // A workgroup takes all rows of its channels and sums its parts.
  fusedWorkgroup: { layout: { COLUMNS: 4, PARTS: 64 }, shaders: fusedShaders },
} satisfies Record<string, BatchNormRow>;

export type BatchNormVariant = keyof typeof table;

export const batchNormVariants: Readonly<Record<BatchNormVariant, BatchNormRow>> = table;

export const batchNormVariantNames = Object.keys(table) as BatchNormVariant[];
