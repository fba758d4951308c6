/** What differs between Node and a browser. Chosen by the `#platform` import condition. */
export interface Platform {
  /** Text of a file in shaders/, e.g. `conv2d_forward_naive.wgsl` or `lib/activation.wgsl`. */
  shaderText(path: string): string;
  /**
   * The entry to WebGPU; the same object for the life of the process. `isNull` gives one whose
   * devices validate and compute nothing.
   */
  gpu(options?: { isNull?: boolean }): GPU;
  /** Part of the adapter's name to prefer, from the surroundings (TILEGRAD_ADAPTER). */
  preferredAdapter(): string | undefined;
  /** Asks the collector to run, where that can be asked, so that lost tensors are given back. */
  collectGarbage(): void;
  /** Waits for the GPU without keeping a processor busy, where the runtime needs help for that. */
  patiently<T>(promise: Promise<T>): Promise<T>;
  /** Lets go of the entry to WebGPU, after the last device is destroyed. */
  releaseGpu(): void;
  /** What to do where no adapter is found. */
  adapterHint(): string;
}
