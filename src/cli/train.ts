import { InvalidArgumentError, Option, type Command } from 'commander';
import type { FitRun } from '../train/callbacks/callback.js';
import type { EpochMetrics } from '../train/history.js';
import { boolean, scales, texts } from '../train/setting_kinds.js';
import { settings, type Setting, type Settings } from '../train/settings.js';
import { note, print, printJson, standardError } from './output.js';
import { stoppable } from './signals.js';
import { invalidText, openDevice, withCommon, type CommonOptions } from './options.js';
import { addTrainHelp, groupedSettings, OUTPUT } from './train_help.js';

interface TrainOptions extends CommonOptions, Partial<Settings> {
  config?: string;
  out?: string;
  resume?: string;
  report?: boolean;
  tune?: boolean;
}

export function trainCommand(program: Command): void {
  const command = program
    .command('train')
    .description('train a network by a recipe and write a run folder')
    .argument('[recipe]', 'listed below; with --resume or --config theirs');
  for (const { heading, setting } of groupedSettings()) addSetting(command, setting, heading);
  command.optionsGroup(OUTPUT);
  withCommon(
    command
      .option('--config <file>', 'settings from a file, such as the config.json of a run')
      .option('--out <dir>', 'folder of the run (default runs/<recipe>-<number>)')
      .option('--resume <dir>', 'continue the run in this folder')
      .option(
        '--tune',
        'first find the fastest kernel for every layer on this adapter, and keep the choices; ' +
          'other kernels can change the last bits of results',
      )
      .option('--no-report', 'skip the pictures and tables in report/'),
  ).action(train);
  addTrainHelp(command);
}

/** A setting's option; one that is a yes or no can be taken back: `--no-drop-last`. */
function addSetting(command: Command, { flag, kind, help }: Setting, heading: string): void {
  const option = new Option(flag, help).helpGroup(heading);
  if (kind === (boolean as unknown)) {
    command.addOption(option);
    command.addOption(new Option(flag.replace('--', '--no-')).helpGroup(heading).hideHelp());
    return;
  }
  option.argParser((text: string, before: unknown) => {
    const value = kind.parse(text);
    if (value === undefined) {
      throw new InvalidArgumentError(invalidText(`expected ${kind.expected}`, text, kind.names));
    }
    if (before === undefined) return value;
    if (kind === (texts as unknown)) return [...(before as string[]), ...(value as never[])];
    if (kind === (scales as unknown)) return { ...(before as object), ...(value as object) };
    throw new InvalidArgumentError(`${option.long} was given twice.`);
  });
  command.addOption(option);
}

async function train(recipe: string | undefined, options: TrainOptions): Promise<void> {
  const { runTraining } = await import('../train/run.js');
  const { ProgressLine } = await import('../train/callbacks/progress_line.js');
  const line = new ProgressLine(standardError);
  const say = (text: string): void => {
    line.clear();
    note(text);
  };
  const soFar = new SoFar();
  const stopping = new AbortController();
  const stop = (): void => {
    stopping.abort();
    say(`stopping after this step, ${soFar.text}; press Ctrl-C again to quit at once`);
  };
  const { config, out, resume, report, tune } = options;
  const request = { recipe, config, out, resume, report, tune, settings: chosen(options) };
  const outcome = await runTraining(request, {
    openDevice: (seed) => openDevice(options, seed),
    say,
    onDecoded: (done, total) => line.decoded(done, total),
    stoppable: (work) => stoppable(stop, work),
    ...{ callbacks: [line, soFar], signal: stopping.signal },
  }).finally(() => line.close());
  if (options.json) printJson(outcome.document);
  else print(outcome.lines);
  if (!outcome.isDone) process.exitCode = 1;
}

/** What there is of a run that is being stopped, in a few words. */
class SoFar {
  text = 'before the end of the first epoch';

  onEpoch(_row: EpochMetrics, { history, epochs }: Pick<FitRun, 'history' | 'epochs'>): void {
    const best = Math.max(...history.map(({ accuracy, valAccuracy }) => valAccuracy ?? accuracy));
    const percent = (100 * best).toFixed(2);
    this.text = `${history.length} of ${epochs} epochs done, the best at ${percent} %`;
  }
}

/** The settings among the options, those that were given. */
function chosen(options: TrainOptions): Partial<Settings> {
  const given = settings.filter(({ key }) => options[key] !== undefined);
  return Object.fromEntries(given.map(({ key }) => [key, options[key]]));
}
