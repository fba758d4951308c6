import type * as browser from './browser.js';
import type * as node from './node.js';

/** What differs between Node and a browser. Chosen by the `#platform` import condition. */
export interface Platform {
  /** Text of a file in shaders/, e.g. `conv2d_forward_naive.wgsl` or `lib/activation.wgsl`. */
  shaderText(path: string): string;
  /**
   * The entry to WebGPU; the same object for the life of the process. `isNull` gives one whose
   * devices validate and compute nothing, `adapter` one that offers the adapter of that name alone.
   */
  gpu(options?: { isNull?: boolean; adapter?: string }): GPU;
  /** Names of all adapters that `gpu` can reach by name; none where it cannot. */
  adapterNames(): Promise<string[]>;
  /** Part of the adapter's name to prefer, from the surroundings (TILEGRAD_ADAPTER). */
  preferredAdapter(): string | undefined;
  /** What the surroundings say of fused kernels (TILEGRAD_FUSION). */
  fusionSetting(): string | undefined;
  /** What the surroundings say of tuned kernels (TILEGRAD_AUTOTUNE). */
  autotuneSetting(): string | undefined;
  /** Asks the collector to run, where that can be asked, so that lost tensors are given back. */
  collectGarbage(): void;
  /** Waits for the GPU without keeping a processor busy, where the runtime needs help for that. */
  patiently<T>(promise: Promise<T>): Promise<T>;
  /** A text that an earlier program kept under this name; null if there is none to be read. */
  readCache(name: string): string | null;
  /** Keeps a text for later programs, whole or not at all. Returns null, or why it could not. */
  writeCache(name: string, text: string): string | null;
  /** Where such a text lies, for people; null if nothing is kept. */
  cachePlace(name: string): string | null;
  /** What WebGPU runs on here, where the adapter itself does not say. */
  backendName(): string;
  /** What to do where no adapter is found. */
  adapterHint(): string;
}

/** Both modules are held to the interface when they are compiled. */
type Complete<Module extends Platform> = Module;
export type Platforms = [Complete<typeof node>, Complete<typeof browser>];
