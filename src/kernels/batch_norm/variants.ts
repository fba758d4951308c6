/** One way to compute a batch norm: a row of the table. */
interface BatchNormRow {
  /** Of kernels that do a training pass in one dispatch: neighbouring channels, and parts of their rows. */
  layout?: { COLUMNS: number; PARTS: number };
  shaders: readonly string[];
}

const fusedShaders = ['batch_norm_forward_fused', 'batch_norm_backward_fused'];

const table = {
  // One number for each invocation: the reading copy.
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
  // Some rows of one channel, or of four where C is divisible by four, for each invocation.
  sliced: {
    shaders: [
      ...['batch_norm_statistics_sliced', 'batch_norm_statistics_combine'],
      ...['batch_norm_statistics_running', 'batch_norm_forward_sliced'],
      ...['batch_norm_backward_sums_sliced', 'batch_norm_backward_sums_combine'],
      'batch_norm_backward_sliced',
    ],
  },
  // While training, all rows of a channel for each invocation. Elsewhere these two are `sliced`.
  fused: { layout: { COLUMNS: 8, PARTS: 1 }, shaders: fusedShaders },
  // The same for a workgroup that adds up its parts.
  fusedWorkgroup: { layout: { COLUMNS: 4, PARTS: 64 }, shaders: fusedShaders },
} satisfies Record<string, BatchNormRow>;

export type BatchNormVariant = keyof typeof table;

export const batchNormVariants: Readonly<Record<BatchNormVariant, BatchNormRow>> = table;

export const batchNormVariantNames = Object.keys(table) as BatchNormVariant[];
