import { type Command, InvalidArgumentError, Option } from 'commander';
import { createDevice, type Device } from '../device.js';
import { didYouMean } from '../gpu/nearest_name.js';
import { checkpointNames } from '../train/settings_type.js';
import { note, noteLines } from './output.js';
import { TraceFile, traceLevel, traceLines } from './trace.js';

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('expected a positive whole number.');
}

export function seedNumber(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError('expected a whole number of at least 0.');
}

/** `28,28,1`: height, width, channels. */
export function imageShape(text: string): [number, number, number] {
  const values = text.split(',').map(Number);
  if (values.length === 3 && values.every((n) => Number.isInteger(n) && n > 0)) {
    return values as [number, number, number];
  }
  throw new InvalidArgumentError('expected H,W,C, such as 28,28,1.');
}

/** What is wrong with a value, and the name that was probably meant. */
export function invalidText(problem: string, value: string, names: readonly string[] = []): string {
  const nearest = didYouMean(value, names);
  return nearest === undefined ? `${problem}.` : `${problem}.\nfix: ${nearest}`;
}

/** Lets every option and argument of a command that takes one of some names say which was meant. */
export function suggestChoices(command: Command): void {
  for (const taker of [...command.options, ...command.registeredArguments]) {
    const names = taker.argChoices;
    if (!names) continue;
    taker.argParser((text: string) => {
      if (names.includes(text)) return text;
      const problem = `expected one of ${names.join(', ')}`;
      throw new InvalidArgumentError(invalidText(problem, text, names));
    });
  }
}

/** Which weights of a run folder a command takes. */
export function checkpointOption(): Option {
  const help = 'of a run folder: best or last (default: the one the run was judged by)';
  return new Option('--checkpoint <which>', help).choices(checkpointNames);
}

/** Options that every command takes. */
export interface CommonOptions {
  adapter?: string;
  json?: boolean;
}

export function withCommon(command: Command, { json = true } = {}): Command {
  command.option('--adapter <part>', 'use the adapter whose name contains this (TILEGRAD_ADAPTER)');
  command.option('--debug', 'show a stack trace with an error');
  if (json) command.option('--json', 'print one JSON document on standard output');
  return command;
}

/**
 * Opens the adapter that the options name. With TRACE set, every dispatch is told on stderr; with
 * TRACE_FILE, they are in that file when the process ends.
 */
export async function openDevice(options: CommonOptions, seed?: number): Promise<Device> {
  const level = traceLevel(process.env.TRACE);
  const device = await createDevice({
    ...(options.adapter ? { adapter: options.adapter } : {}),
    ...(seed === undefined ? {} : { seed }),
  });
  const { problem } = device.runtime.choices;
  if (problem) note(problem);
  const file = process.env.TRACE_FILE ? new TraceFile(process.env.TRACE_FILE) : null;
  if (level > 0 || file) {
    const show = traceLines(level === 2);
    device.runtime.trace((timings) => {
      if (level > 0) noteLines(show(timings));
      file?.add(timings);
    });
    process.once('exit', () => {
      const problem = file?.write(device.info.description);
      if (problem) note(problem);
    });
  }
  return device;
}
