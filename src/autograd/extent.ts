import { GradError } from '../errors.js';

/**
 * A state that holds while a function runs, such as "nothing is recorded". Between the awaits of an
 * async function other code runs in that state too, so only one async function at a time may hold it:
 * two at once would close each other's.
 */
export class Extent {
  private isHeldAsync = false;

  constructor(
    /** The public function, for error texts. */
    private readonly name: string,
    /** What to do instead of running a second async function. */
    private readonly fix: string,
  ) {}

  /** Runs `fn`, then `close` with its result, once it is there; with undefined if `fn` fails. */
  run<T>(fn: () => T, close: (result: unknown) => void): T {
    // Native async functions are refused before they have done anything.
    if (this.isHeldAsync && fn.constructor.name === 'AsyncFunction') {
      close(undefined);
      throw this.refusal();
    }
    let result: T;
    try {
      result = fn();
    } catch (error) {
      close(undefined);
      throw error;
    }
    if (!(result instanceof Promise)) {
      close(result);
      return result;
    }
    if (this.isHeldAsync) {
      close(undefined);
      result.catch(() => {}); // The refusal is what the caller hears of it.
      throw this.refusal();
    }
    return this.held(result, close) as T;
  }

  private async held(
    promise: Promise<unknown>,
    close: (result: unknown) => void,
  ): Promise<unknown> {
    this.isHeldAsync = true;
    let value: unknown;
    try {
      return (value = await promise);
    } finally {
      this.isHeldAsync = false;
      close(value);
    }
  }

  private refusal(): GradError {
    return new GradError(
      `${this.name}: expected no other async function inside ${this.name}, but one has not finished`,
      this.fix,
    );
  }
}
