import { TilegradError, TrainingError, UsageError } from '../../errors.js';
import { type Callback, OwnCallback } from './callback.js';

const hookNames = [
  ...(['onBegin', 'onStep', 'onProgress', 'onValidation', 'onEpoch', 'onEnd'] as const),
] satisfies readonly (keyof Callback)[];

type Hook = (typeof hookNames)[number];
type Arguments<H extends Hook> = Parameters<NonNullable<Callback[H]>>;

/** A callback of the caller that threw; `cause` is what it threw. */
export class CallbackError extends TrainingError {
  constructor(
    /** Its class, or where it stands in `callbacks`. */
    readonly callback: string,
    readonly hook: string,
    cause: unknown,
    fix?: string,
  ) {
    const problem = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    super(`fit: ${callback}.${hook} failed: ${problem}`, fix);
    this.cause = cause;
  }
}

const turns = ['decide', 'save', 'tell'] as const;
const turnOf = (callback: Callback): number =>
  turns.indexOf(callback instanceof OwnCallback ? callback.turn : 'tell');

/** The callbacks of a run in the order in which they are called. */
export class Hooks {
  private readonly callbacks: readonly Callback[];
  private readonly names = new Map<Callback, string>();

  /** Errors: UsageError for what is no callback. */
  constructor(given: readonly Callback[]) {
    for (const [i, callback] of given.entries()) {
      this.names.set(callback, nameOf(callback, i));
    }
    this.callbacks = [...given].sort((a, b) => turnOf(a) - turnOf(b));
  }

  has(hook: Hook): boolean {
    return this.callbacks.some((callback) => callback[hook] !== undefined);
  }

  /** Errors: CallbackError; what a callback of this program throws comes as it is. */
  async call<H extends Hook>(hook: H, ...args: Arguments<H>): Promise<void> {
    for (const callback of this.callbacks) {
      if (callback[hook] === undefined) continue;
      try {
        await (callback[hook] as (...args: unknown[]) => unknown)(...args);
      } catch (cause) {
        if (callback instanceof OwnCallback && cause instanceof TilegradError) throw cause;
        throw new CallbackError(this.names.get(callback)!, hook, cause);
      }
    }
  }
}

function nameOf(callback: unknown, i: number): string {
  const isObject = typeof callback === 'object' && callback !== null;
  if (!isObject || !hookNames.some((hook) => typeof (callback as Callback)[hook] === 'function')) {
    const came =
      typeof callback === 'function' ? `the function ${callback.name}` : String(callback);
    throw new UsageError(
      `fit: callbacks[${i}] must have one of ${hookNames.join(', ')}, got ${came}`,
      typeof callback === 'function' ? 'call it: it returns the callback' : undefined,
    );
  }
  const { name } = callback.constructor;
  return name === '' || name === 'Object' ? `callbacks[${i}]` : name;
}
