import type { DeviceInfo } from '../gpu/adapter.js';
import type { DispatchCommand } from '../gpu/dispatch.js';
import type { Command } from '../gpu/commands.js';
import { holderOf } from './occupancy.js';
import { shaderFigures } from './shader_figures.js';
import type { DispatchExplanation, Explanation, Peak } from './types.js';

/** Below this share of a limit something else than the counted work takes the time. */
const NEAR_LIMIT_PERCENT = 60;
/** A kernel of several dispatches whose own limit is this much above the op's. */
const EXTRA_WORK = 1.5;

export interface Measured {
  /** The whole kernel, as its row has it. */
  ms: number;
  /** Each dispatch; none without timestamps. */
  dispatchMs: readonly number[];
}

/**
 * What bounds a kernel by the roofline model (Williams, Waterman, Patterson, CACM 52(4), 2009): work
 * and bytes are counted, and a kernel cannot be faster than the larger of the times they take at the
 * peaks measured on this adapter.
 */
export function explainKernel(
  info: Pick<DeviceInfo, 'isSoftware' | 'description'>,
  commands: readonly Command[],
  cost: { flops: number; bytes: number },
  peak: Peak,
  { ms, dispatchMs }: Measured,
): Explanation {
  const launches = commands.filter((command) => command.kind === 'dispatch');
  const isTimed = dispatchMs.length === launches.length;
  const dispatches = launches.map((command, i) =>
    explainDispatch(info, command, peak, isTimed ? dispatchMs[i] : null),
  );
  const { flops, bytes } = cost;
  const computeMs = flops / peak.gflops / 1e6;
  const memoryMs = bytes / peak.gbps / 1e6;
  const limitMs = Math.max(computeMs, memoryMs);
  const counts = {
    ...{ flops, bytes, intensity: flops / bytes, ridge: peak.gflops / peak.gbps },
    ...{ computeMs, memoryMs, limitMs },
    bound: computeMs >= memoryMs ? ('compute' as const) : ('memory' as const),
    percentOfLimit: (100 * limitMs) / ms,
    kernelLimitMs: dispatches.reduce((sum, dispatch) => sum + dispatch.limitMs, 0),
    dispatches,
  };
  return { ...counts, finding: findingOf(counts, ms) };
}

function explainDispatch(
  info: Pick<DeviceInfo, 'isSoftware' | 'description'>,
  { request, pipeline, groups }: DispatchCommand,
  peak: Peak,
  ms: number | null,
): DispatchExplanation {
  const { op, shader, flops = 0, bytes = 0 } = request;
  const figures = shaderFigures(pipeline.shader.code, request.constants);
  const workgroups = groups[0] * groups[1] * groups[2];
  const resident = holderOf(info).resident(figures);
  const limitMs = Math.max(flops / peak.gflops, bytes / peak.gbps) / 1e6;
  return {
    ...{ op, shader, ms, flops, bytes, limitMs, workgroups, ...figures, resident },
    rounds: resident === null ? null : Math.ceil(workgroups / resident),
  };
}

/** What keeps the kernel from its limit, as far as counting can tell. */
function findingOf(counts: Omit<Explanation, 'finding'>, ms: number): string {
  const { bound, percentOfLimit, limitMs, kernelLimitMs, dispatches } = counts;
  const what = bound === 'compute' ? 'arithmetic' : 'memory bandwidth';
  if (percentOfLimit > 100) {
    return bound === 'memory'
      ? 'faster than main memory allows: its arrays stay in a cache'
      : 'faster than the FLOP counted for the op allow: it does fewer';
  }
  if (percentOfLimit >= NEAR_LIMIT_PERCENT) return `bound by ${what}`;
  const [longest] = [...dispatches].sort((a, b) => (b.ms ?? b.limitMs) - (a.ms ?? a.limitMs));
  const idle = longest && longest.resident !== null && longest.workgroups < longest.resident;
  const reasons: string[] = [];
  if (idle) {
    reasons.push(
      `${longest.shader} has ${longest.workgroups} workgroups where ${longest.resident} fit: part of the adapter is idle`,
    );
  }
  if (kernelLimitMs > EXTRA_WORK * limitMs) {
    const share = Math.min(100, (100 * kernelLimitMs) / ms);
    reasons.push(
      `its dispatches move and compute more than the op must: ${share.toFixed(0)} % of the time is accounted for by their own limits`,
    );
  }
  if (reasons.length === 0) {
    reasons.push(
      `neither peak binds, and there are workgroups enough: instructions that are not counted (addresses, loads, shuffles), latency, or loads repeated past the caches`,
    );
  }
  return reasons.join('; ');
}

/** The explanation in lines for people. */
export function explanationLines(
  title: string,
  { explain, ms, peak }: { explain: Explanation; ms: number; peak: Peak },
): string[] {
  const { flops, bytes, intensity, ridge, computeMs, memoryMs, limitMs, bound } = explain;
  const lines = [
    title,
    `  counts    ${giga(flops)} GFLOP and ${mega(bytes)} MB at the least: ${digits(intensity)} FLOP/byte, the peaks meet at ${digits(ridge)}`,
    `  limit     ${digits(limitMs)} ms by ${bound}: ${digits(computeMs)} ms at ${digits(peak.gflops)} GFLOP/s, ${digits(memoryMs)} ms at ${digits(peak.gbps)} GB/s`,
    `  measured  ${digits(ms)} ms, ${digits(explain.percentOfLimit)} % of that limit: ${explain.finding}`,
  ];
  for (const dispatch of explain.dispatches) {
    const { shader, workgroups, workgroupSize, workgroupBytes, resident, rounds } = dispatch;
    const held = resident === null ? '' : `, ${plural(rounds!, 'round')} of ${resident}`;
    const time = dispatch.ms === null ? '' : `, ${digits(dispatch.ms)} ms`;
    lines.push(
      `  ${shader}: ${plural(workgroups, 'workgroup')} of ${workgroupSize} with ${workgroupBytes} B${held}${time}, limit ${digits(dispatch.limitMs)} ms`,
    );
  }
  return lines;
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
const giga = (value: number): string => digits(value / 1e9);
const mega = (value: number): string => digits(value / 1e6);

function digits(value: number): string {
  if (value >= 100) return value.toFixed(0);
  if (value >= 1) return value.toPrecision(3);
  return value >= 0.001 ? value.toFixed(3) : value.toExponential(1);
}
