/** What differs between Node and a browser. Chosen by the `#platform` import condition. */
export interface Platform {
  /** Text of a file in shaders/, e.g. `conv2d_forward_naive.wgsl` or `lib/activation.wgsl`. */
  shaderText(path: string): string;
  /** The entry to WebGPU; the same object for the life of the process. */
  gpu(): GPU;
  /** Part of the adapter's name to prefer, from the surroundings (TILEGRAD_ADAPTER). */
  preferredAdapter(): string | undefined;
  /** Asks the collector to run, where that can be asked, so that lost tensors are given back. */
  collectGarbage(): void;
  /** What to do where no adapter is found. */
  adapterHint(): string;
}
