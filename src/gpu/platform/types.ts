import type * as browser from './browser.js';
import type * as node from './node.js';

/** What differs between Node and a browser. Chosen by the `#platform` import condition. */
export interface Platform {
  /** Text of a file in shaders/, e.g. `conv2d_forward_naive.wgsl` or `lib/activation.wgsl`. */
  shaderText(path: string): string;
  /**
   * The WebGPU entry point; the same object for the life of the process. With `isNull` its devices
   * validate and compute nothing; with `adapter` it offers only the adapter of that name.
   */
  gpu(options?: { isNull?: boolean; adapter?: string }): GPU;
  /** Names of all adapters that `gpu` can open by name; empty if it cannot. */
  adapterNames(): Promise<string[]>;
  /** Part of the preferred adapter's name, from the environment (TILEGRAD_ADAPTER). */
  preferredAdapter(): string | undefined;
  /** The environment's setting for fused kernels (TILEGRAD_FUSION). */
  fusionSetting(): string | undefined;
  /** The environment's setting for tuned kernels (TILEGRAD_AUTOTUNE). */
  autotuneSetting(): string | undefined;
  /** Requests garbage collection, where possible, so that unreachable tensors are released. */
  collectGarbage(): void;
  /** Awaits the GPU without keeping a core busy, where the runtime needs help with that. */
  patiently<T>(promise: Promise<T>): Promise<T>;
  /** A text that an earlier program stored under this name; null if there is none. */
  readCache(name: string): string | null;
  /** Stores a text for later programs, atomically. Returns null, or the reason for failure. */
  writeCache(name: string, text: string): string | null;
  /** Path of such a text, for messages; null if nothing is stored. */
  cachePlace(name: string): string | null;
  /** The backend of WebGPU, if the adapter does not report it. */
  backendName(): string;
  /** What to do if no adapter is found. */
  adapterHint(): string;
}

/** Makes the compiler check both modules against the interface. */
type Complete<Module extends Platform> = Module;
export type Platforms = [Complete<typeof node>, Complete<typeof browser>];
