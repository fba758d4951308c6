#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { adviseCommandLine, TilegradError, UsageError } from '../errors.js';
import { benchCommand } from './bench.js';
import { dataCommand } from './data.js';
import { doctorCommand } from './doctor.js';
import { evaluateCommand } from './evaluate.js';
import { explainCommand } from './explain.js';
import { exportCommand } from './export.js';
import { listCommands } from './lists.js';
import { suggestChoices } from './options.js';
import { flush, note, noteLines, print } from './output.js';
import { predictCommand } from './predict.js';
import { summaryCommand } from './summary.js';
import { trainCommand } from './train.js';

const commands = {
  'Train and use a network:': [trainCommand, evaluateCommand, predictCommand, exportCommand],
  'Look at data and networks:': [dataCommand, summaryCommand, listCommands],
  'Measure and understand:': [benchCommand, doctorCommand, explainCommand],
};

const EXAMPLES = `
Examples:
  tilegrad train mnist                    no download: digits drawn by the program
  tilegrad train images --data pictures   a folder with one folder of images a class
  tilegrad predict runs/images-1 cat.jpg
  tilegrad train images --help            options in groups, with the recipe's defaults`;

/** An empty path would mean the current folder, which nobody means. */
function expectValues(command: Command): void {
  const given = command.opts<Record<string, unknown>>();
  for (const option of command.options) {
    if (given[option.attributeName()] !== '') continue;
    throw new UsageError(`${command.name()}: ${option.long}: expected a value, got ""`);
  }
  for (const [i, argument] of command.registeredArguments.entries()) {
    if (![command.processedArgs[i]].flat().includes('')) continue;
    throw new UsageError(`${command.name()}: <${argument.name()}>: expected a value, got ""`);
  }
}

/** What the parser of the command line says, without the line feed at its end. */
function linesOf(text: string): string[] {
  return text.replace(/\n$/, '').split('\n');
}

/** Builds the command line; each command registers itself and loads its work when it is run. */
export function buildProgram(): Command {
  const { version } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  ) as { version: string };
  const program = new Command('tilegrad')
    .description('Train convolutional networks on the GPU, and profile the kernels that do it.')
    .version(version)
    .option('--debug', 'show a stack trace with an error')
    .configureOutput({
      writeOut: (text) => print(linesOf(text)),
      writeErr: (text) => linesOf(text).forEach(note),
    })
    .showHelpAfterError('(add --help for the options)')
    .exitOverride();
  program.hook('preAction', (_program, command) => expectValues(command));
  for (const [heading, registers] of Object.entries(commands)) {
    program.commandsGroup(heading);
    for (const register of registers) register(program);
  }
  program
    .addHelpCommand(new Command('help').argument('[command]').description('the help of a command'))
    .addHelpText('after', EXAMPLES);
  for (const command of [program, ...program.commands].flatMap((one) => [one, ...one.commands])) {
    command.exitOverride();
    suggestChoices(command);
  }
  return program;
}

/** Runs one command line; resolves to its exit code: 0 done, 1 the work failed, 2 it was wrong. */
export async function main(argv: readonly string[]): Promise<number> {
  adviseCommandLine();
  try {
    await buildProgram().parseAsync([...argv], { from: 'user' });
    return typeof process.exitCode === 'number' ? process.exitCode : 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (argv.includes('--debug')) noteLines(inspect(error));
    else noteLines(`tilegrad: ${error instanceof Error ? error.message : String(error)}`);
    return error instanceof TilegradError ? error.exitCode : 1;
  }
}

const code = await main(process.argv.slice(2));
await flush();
process.exit(code);
