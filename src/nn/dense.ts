import type { Device } from '../device.js';
import type { Activation } from '../ops/elementwise.js';
import { dense } from '../ops/linear.js';
import type { Tensor } from '../tensor.js';
import { constant, glorotUniform, type Initializer } from './init.js';
import { Module, nonDefaults } from './module.js';
import { Parameter } from './parameter.js';

export interface DenseOptions {
  inFeatures: number;
  outFeatures: number;
  /** Default true. */
  bias?: boolean;
  activation?: Activation;
  /** Default glorotUniform. */
  weightInit?: Initializer | undefined;
  /** Default zeros. */
  biasInit?: Initializer | undefined;
}

/** Fully connected layer: x […, in] → activation(x·w + b) […, out]. See ops.dense. */
export class Dense extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;

  constructor(
    device: Device,
    readonly options: DenseOptions,
  ) {
    super();
    const { inFeatures, outFeatures } = options;
    const { weightInit = glorotUniform(), biasInit = constant(0) } = options;
    this.weight = Parameter.from(weightInit(device, [inFeatures, outFeatures]));
    if (options.bias ?? true) {
      this.bias = Parameter.from(biasInit(device, [outFeatures]));
    }
  }

  forward(x: Tensor): Tensor {
    return dense(x, this.weight, { bias: this.bias, activation: this.options.activation });
  }

  override describe(): string {
    const { inFeatures, outFeatures, ...rest } = this.options;
    const extra = nonDefaults(rest, { bias: true });
    return `${inFeatures} → ${outFeatures}${extra ? `, ${extra}` : ''}`;
  }
}
