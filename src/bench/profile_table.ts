import { mebibytes, number, tableLines, WIDTH, wrap, type Column } from './columns.js';
import type { ModuleRow, ProfileRow, StepAccount } from './profile.js';
import type { HostTime, StepReport } from './profile_step.js';

/* How the profile of a training step is shown. */

const MOST_MODULES = 16;

const dash = (value: number): string => (value > 0 ? number(value) : '–');

const phaseColumn: Column<ProfileRow> = ['phase', phaseOf, true];

const kernelColumns: readonly Column<ProfileRow>[] = [
  ['op', (row) => row.op, true],
  ['shader', (row) => row.shader, true],
  ['count', (row) => number(row.count)],
  ['ms', (row) => number(row.ms)],
  ['% step', (row) => number(row.percentOfStep)],
  ['GFLOP/s', (row) => dash(row.gflops)],
  ['GB/s', (row) => dash(row.gbps)],
];

const moduleColumns: readonly Column<ModuleRow>[] = [
  ['module', (row) => row.module ?? 'outside modules', true],
  ['forward ms', (row) => dash(row.forwardMs)],
  ['backward ms', (row) => dash(row.backwardMs)],
  ['other ms', (row) => dash(row.otherMs)],
  ['% step', (row) => number(row.percentOfStep)],
];

interface PartRow {
  part: string;
  ms: number;
  percent: number;
  what: string;
}

const partColumns: readonly Column<PartRow>[] = [
  ['part', (row) => row.part, true],
  ['ms', (row) => number(row.ms)],
  ['% step', (row) => number(row.percent)],
  ['', (row) => row.what, true],
];

/**
 * The kernels of a step by phase, op and shader; with `step` also its modules, where the wall clock
 * went, the host's time and the memory.
 */
export function profileLines(
  profile: readonly ProfileRow[] | undefined,
  step: StepReport | undefined,
  isTerminal: boolean,
): string[] {
  const remark = (text: string): string => (isTerminal ? wrap(text) : `# ${text}`);
  const lines: string[] = [];
  const say = (text: string): void => {
    lines.push(...(isTerminal ? [''] : []), remark(text));
  };
  if (profile) {
    const total = sumOf(profile);
    say(`one step by kernel, ${number(total)} ms on the GPU; % step is of this`);
    if (!isTerminal) lines.push(...tableLines([phaseColumn, ...kernelColumns], profile, false));
    for (const phase of isTerminal ? ['forward', 'backward', 'other'] : []) {
      const rows = profile.filter((row) => phaseOf(row) === phase);
      if (rows.length === 0) continue;
      say(`${phase}, ${number(sumOf(rows))} ms`);
      // The blank line of the table is that before its title.
      lines.push(...fitting(rows).slice(1));
    }
  }
  if (!step) return lines;
  if (step.modules.length > 0) {
    say('one step by module');
    const rows = isTerminal ? largest(step.modules) : step.modules;
    lines.push(...tableLines(moduleColumns, rows, isTerminal));
  }
  if (step.account) {
    const { account } = step;
    say(
      `one step by the wall clock, ${number(account.wallMs)} ms: the mean of ${account.steps} in a row ` +
        'with every kernel timed',
    );
    lines.push(...tableLines(partColumns, partsOf(account), isTerminal));
  }
  if (isTerminal) lines.push('');
  lines.push(...[...hostLines(step.host), ...memoryLines(step), ...step.notes].map(remark));
  return lines;
}

function phaseOf({ phase }: ProfileRow): string {
  return phase ?? 'other';
}

function sumOf(rows: readonly ProfileRow[]): number {
  return rows.reduce((sum, { ms }) => sum + ms, 0);
}

/** The table in a hundred columns: where names are long, without its last numbers. */
function fitting(rows: readonly ProfileRow[]): string[] {
  for (let count = kernelColumns.length; ; count--) {
    const lines = tableLines(kernelColumns.slice(0, count), rows, true);
    if (count <= 4 || lines.every((line) => line.length <= WIDTH)) return lines;
  }
}

/** The most expensive modules, and the others as one. */
function largest(modules: readonly ModuleRow[]): ModuleRow[] {
  const rest = modules.slice(MOST_MODULES);
  if (rest.length < 2) return [...modules];
  const sum = (value: (row: ModuleRow) => number): number =>
    rest.reduce((total, row) => total + value(row), 0);
  return [
    ...modules.slice(0, MOST_MODULES),
    {
      module: `${rest.length} others`,
      ...{ forwardMs: sum((row) => row.forwardMs), backwardMs: sum((row) => row.backwardMs) },
      ...{ otherMs: sum((row) => row.otherMs), percentOfStep: sum((row) => row.percentOfStep) },
    },
  ];
}

function partsOf(account: StepAccount): PartRow[] {
  const { wallMs, kernelMs, copyMs, copiedBytes, gapMs, longestGapMs, waitMs } = account;
  const { dispatches, submissions, percentExplained } = account;
  const part = (name: string, ms: number, what: string): PartRow => ({
    ...{ part: name, ms, percent: (100 * ms) / wallMs, what },
  });
  const explained = kernelMs + copyMs + gapMs + waitMs;
  return [
    part('kernels', kernelMs, `${number(dispatches)} dispatches`),
    part('gaps between kernels', gapMs, `the longest ${number(longestGapMs)} ms`),
    part('copies', copyMs, `${mebibytes(copiedBytes)}, with the gaps round them`),
    part('waits for the host', waitMs, `between ${number(submissions)} submissions a step`),
    { part: 'explained', ms: explained, percent: percentExplained, what: 'all of these' },
  ];
}

function hostLines({ replayMs, submitMs, recordMs, dispatches, copies }: HostTime): string[] {
  const commands = `${dispatches} dispatches and ${copies} copies`;
  return [
    ...(replayMs === null
      ? []
      : [`host     ${number(replayMs)} ms to replay a captured step without a GPU, ${commands}`]),
    `host     ${number(submitMs)} ms to hand one to this adapter's driver; it overlaps with the GPU's work`,
    `host     ${number(recordMs)} ms to run the step's program anew`,
  ];
}

function memoryLines({ memory }: StepReport): string[] {
  const { peakBytes, heldBytes, boundBytes, lastingBytes } = memory;
  const times = (bytes: number): string => `${(bytes / boundBytes).toFixed(2)} times the bound`;
  return [
    `memory   ${mebibytes(boundBytes)} at least: the largest sum of arrays alive at once`,
    `memory   ${mebibytes(lastingBytes)} of it parameters and other state that stays`,
    `memory   ${mebibytes(peakBytes)} live at the peak, ${times(peakBytes)}`,
    `memory   ${mebibytes(heldBytes)} held with buffers that wait for reuse, ${times(heldBytes)}`,
  ];
}
