import { ShaderError } from '../errors.js';
import { loadShader, type BindingDeclaration, type Shader, type TuneValue } from './shader.js';

/** A compute pipeline that may still be compiling, with what its shader declares. */
export interface Pipeline {
  readonly id: number;
  readonly shader: Shader;
  readonly bindGroupLayout: GPUBindGroupLayout;
  /** null until compilation has finished. */
  compiled: GPUComputePipeline | null;
  readonly ready: Promise<void>;
}

export type OverrideValues = Record<string, number | boolean>;

/**
 * Compiles each pipeline once, asynchronously: the many pipelines of a first training step compile in
 * parallel while recording goes on, and submission waits for them.
 */
export class PipelineCache {
  private readonly pipelines = new Map<string, Pipeline>();
  private readonly layouts = new Map<string, GPUBindGroupLayout>();
  private compiled = 0;
  private watcher: ((compiled: number, all: number) => void) | null = null;

  constructor(
    private readonly device: GPUDevice,
    /** Adapts shader text to this device. */
    private readonly translate: (code: string) => string = (code) => code,
  ) {}

  get size(): number {
    return this.pipelines.size;
  }

  /** Those that are compiled. */
  get compiledCount(): number {
    return this.compiled;
  }

  /** Tells how many pipelines are compiled, of how many, whenever either changes; null: no longer. */
  watch(watcher: ((compiled: number, all: number) => void) | null): void {
    this.watcher = watcher;
  }

  get(
    name: string,
    tune: Record<string, TuneValue> = {},
    constants: OverrideValues = {},
  ): Pipeline {
    const key = keyOf(name, tune, constants);
    let pipeline = this.pipelines.get(key);
    if (!pipeline) {
      pipeline = this.create(name, tune, constants);
      this.pipelines.set(key, pipeline);
      this.watcher?.(this.compiled, this.pipelines.size);
    }
    return pipeline;
  }

  private create(
    name: string,
    tune: Record<string, TuneValue>,
    constants: OverrideValues,
  ): Pipeline {
    const shader = loadShader(name, tune);
    shader.code = this.translate(shader.code);
    const unknown = Object.keys(constants).filter((key) => !shader.overrides.has(key));
    if (unknown.length > 0) {
      throw new ShaderError(`shaders/${name}.wgsl: no override named ${unknown.join(', ')}`);
    }
    const bindGroupLayout = this.layoutOf(shader.bindings);
    // `explain` reports what is wrong with the text, with its position, once the pipeline fails.
    this.device.pushErrorScope('validation');
    const module = this.device.createShaderModule({ code: shader.code, label: name });
    this.device.popErrorScope().catch(() => undefined);
    const layout = this.device.createPipelineLayout({ bindGroupLayouts: [bindGroupLayout] });
    const overrides: Record<string, number> = {};
    for (const key in constants) overrides[key] = Number(constants[key]);
    const compute = { module, entryPoint: 'main', constants: overrides };
    const compiling = this.device.createComputePipelineAsync({ label: name, layout, compute });
    const pipeline: Pipeline = {
      id: this.pipelines.size + 1,
      shader,
      bindGroupLayout,
      compiled: null,
      ready: compiling.then(
        (compiled) => {
          pipeline.compiled = compiled;
          this.compiled++;
          this.watcher?.(this.compiled, this.pipelines.size);
        },
        async (cause: unknown) => {
          throw await explain(shader, module, constants, cause);
        },
      ),
    };
    // The queue awaits `ready` and reports failures; this only avoids an unhandled rejection before
    // that.
    pipeline.ready.catch(() => undefined);
    return pipeline;
  }

  private layoutOf(bindings: BindingDeclaration[]): GPUBindGroupLayout {
    const key = bindings.map((b) => `${b.binding}${b.kind}`).join();
    let layout = this.layouts.get(key);
    if (!layout) {
      layout = this.device.createBindGroupLayout({
        entries: bindings.map((b) => ({
          binding: b.binding,
          visibility: 4, // GPUShaderStage.COMPUTE
          buffer: {
            type:
              b.kind === 'uniform'
                ? 'uniform'
                : b.kind === 'read'
                  ? 'read-only-storage'
                  : 'storage',
          },
        })),
      });
      this.layouts.set(key, layout);
    }
    return layout;
  }
}

function keyOf(name: string, tune: object, constants: object): string {
  let key = name;
  for (const [field, value] of Object.entries(tune)) key += `|${field}=${value}`;
  for (const [field, value] of Object.entries(constants)) key += `|${field}:${value}`;
  return key;
}

/** The compiler's messages with path:line:column, the line itself and the values in force. */
async function explain(
  shader: Shader,
  module: GPUShaderModule,
  constants: OverrideValues,
  cause: unknown,
): Promise<ShaderError> {
  const { messages } = await module.getCompilationInfo();
  const lines = shader.code.split('\n');
  const details = messages
    .filter((m) => m.type === 'error')
    .map((m) => {
      const excerpt = lines[m.lineNum - 1] ?? '';
      const caret = ' '.repeat(Math.max(0, m.linePos - 1)) + '^';
      return `shaders/${shader.name}.wgsl:${m.lineNum}:${m.linePos}: ${m.message}\n${excerpt}\n${caret}`;
    });
  if (details.length === 0) {
    details.push(
      `shaders/${shader.name}.wgsl: ${cause instanceof Error ? cause.message : String(cause)}`,
    );
  }
  const values = JSON.stringify({ ...shader.tune, ...constants });
  return new ShaderError(`${details.join('\n')}\nwith ${values}`);
}
