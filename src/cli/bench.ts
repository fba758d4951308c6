import { Argument, InvalidArgumentError, Option, type Command } from 'commander';
import { benchOps, directions, peerNames, scales, type BenchRequest } from '../bench/types.js';
import { currentVariant } from '../gpu/variant_choices.js';
import { openDevice, withCommon, type CommonOptions } from './options.js';
import { isTerminal, note, noteLines, printJson, printStyled } from './output.js';

type BenchOptions = CommonOptions & Omit<BenchRequest, 'op'> & { save?: string };

export function benchCommand(program: Command): void {
  withCommon(
    program
      .command('bench')
      .description('measure kernels, or whole training steps, on this adapter')
      .addArgument(new Argument('<op>', 'what to measure').choices([...benchOps]))
      .option('--suite <name>', 'list of shapes; for train the name of a model')
      .option(
        '--shape <numbers>',
        'one shape of your own; for conv2d N,H,W,C,K,R,stride[,valid|,pad1][,depthwise]',
      )
      .addOption(
        new Option(
          '--scale <size>',
          'shrink the batches of a suite for a software adapter',
        ).choices([...scales]),
      )
      .addOption(
        new Option('--direction <name>', 'which computation').choices([...directions, 'all']),
      )
      .option(
        '--variant <name>',
        'one kernel, chosen, or all that fit (default all)',
        // Older names go on working.
        (name) => currentVariant(name),
      )
      .addOption(new Option('--dtype <type>', 'element type').choices(['f32', 'f16']))
      .option('--against <engines>', `also measure ${peerNames.join(', ')}`, peerList)
      .option(
        '--tune',
        'first find the fastest kernels for these shapes and keep the choices (conv2d, matmul, train)',
      )
      .option('--explain', 'say of each kernel what bounds it')
      .option(
        '--recompute',
        'for train: less memory, run segments of the network again in backward',
      )
      .option('--profile', 'for train: account for the whole time and memory of a step')
      .option('--trace-file <file>', 'for train: write the timed kernels as a Chrome trace')
      .option('--save <file>', 'write the measurements as JSON'),
  ).action(async (op: BenchRequest['op'], options: BenchOptions) => {
    const { checkRequest } = await import('../bench/request.js');
    const { runBench } = await import('../bench/run.js');
    const { suite, shape, scale, direction, variant, dtype, against, tune, explain } = options;
    const { recompute, profile, traceFile } = options;
    const request: BenchRequest = {
      ...{ op, suite, shape, scale, direction, variant, dtype, against, tune, explain },
      ...{ recompute, profile, traceFile },
    };
    checkRequest(request);
    const device = await openDevice(options);
    try {
      const report = await runBench(device, request, noteLines);
      if (options.save) {
        const { saveReport } = await import('../bench/save.js');
        saveReport(options.save, report.document, device.runtime);
        note(`saved ${options.save}`);
      }
      if (options.json) printJson(report.document);
      else {
        const { formatReport } = await import('../bench/table.js');
        printStyled(`${formatReport(report.document, isTerminal()).join('\n')}\n`);
      }
      if (!report.isRight) process.exitCode = 1;
    } finally {
      device.destroy();
    }
  });
}

function peerList(text: string): (typeof peerNames)[number][] {
  const names = text.split(',').map((name) => name.trim());
  const known: readonly string[] = peerNames;
  const strange = names.filter((name) => !known.includes(name));
  if (strange.length === 0) return [...new Set(names)] as (typeof peerNames)[number][];
  throw new InvalidArgumentError(
    `expected a list of ${peerNames.join(', ')}, got "${strange.join(', ')}".`,
  );
}
