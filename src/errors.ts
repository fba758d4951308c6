import { visible } from './visible.js';

/**
 * The errors this program raises. Each says what was expected, what came and, if known, how to fix it
 * (`fix:` on a separate line). The command line prints the message alone and ends with `exitCode`; a
 * stack trace appears only with `--debug`. Names in a message may come from untrusted files, so control
 * characters are escaped.
 */
export class TilegradError extends Error {
  readonly exitCode: number = 1;
  readonly fix: string | undefined;

  protected static shown(message: string): string {
    return visible(message);
  }

  constructor(message: string, fix?: string | Fix) {
    const advice = typeof fix === 'object' ? fix[standpoint] : fix;
    const shown = new.target.shown(message);
    super(advice === undefined ? shown : `${shown}\nfix: ${visible(advice)}`);
    this.name = new.target.name;
    this.fix = advice;
  }
}

/** One remedy in the words of a program that calls the library, and in those of the command line. */
export interface Fix {
  program: string;
  commandLine: string;
}

let standpoint: keyof Fix = 'program';

/** Called by the command line: from then on errors name its options instead of the library's. */
export function adviseCommandLine(): void {
  standpoint = 'commandLine';
}

/** The wording for a program or for the command line, for text outside errors. */
export function wordsFor(words: Fix): string {
  return words[standpoint];
}

/** Whose error it is where a run fails: `fit` of a program, or the command `train`. */
export function trainerName(): string {
  return wordsFor({ program: 'fit', commandLine: 'train' });
}

/** An option's name in a program or on the command line: `weightDecay`, `--weight-decay`. */
export function optionName(key: string): string {
  return wordsFor({ program: key, commandLine: `--${kebab(key)}` });
}

/** `mnistCnn` as the command line spells it: `mnist-cnn`. */
export function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Shapes, element types, axes or options that do not fit together; raised before any GPU work. */
export class ShapeError extends TilegradError {}

/** A shader that does not compile, a parameter or binding it does not declare. */
export class ShaderError extends TilegradError {
  /** The shader excerpt spans several lines. */
  protected static override shown(message: string): string {
    return message.split('\n').map(visible).join('\n');
  }
}

/** No adapter, a lost device, memory that ran out. */
export class DeviceError extends TilegradError {}

/** A buffer or grid larger than the adapter allows. */
export class LimitError extends TilegradError {
  constructor(
    message: string,
    readonly limit: string,
    readonly requested: number,
    readonly available: number,
    fix?: string | Fix,
  ) {
    super(`${message} (${limit}: requested ${requested}, available ${available})`, fix);
  }
}

/** A gradient that cannot be computed: a second backward, a released activation, a non-scalar root. */
export class GradError extends TilegradError {}

/** A file or dataset that is missing, truncated or of another kind. */
export class DataError extends TilegradError {}

/** Training that cannot go on: NaN or Inf in the loss, a run folder that does not fit. */
export class TrainingError extends TilegradError {}

/** A value for an error message; JSON would turn NaN into null. */
export function valueText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(valueText).join(', ')}]`;
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/** A driver's message on one line. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** A command line that is wrong. */
export class UsageError extends TilegradError {
  override readonly exitCode = 2;
}
