import type { Device } from '../device.js';
import { reportOff, summaryLines, type TuneReport } from '../tune/report.js';
import { tuneKernels } from '../tune/tuner.js';
import type { BenchCase } from './case.js';

/** Tunes the shapes and directions that are going to be measured, before the first measurement. */
export async function tuneCases(
  device: Device,
  cases: readonly BenchCase[],
  say: (text: string) => void,
): Promise<TuneReport> {
  const { runtime } = device;
  if (runtime.choices.isTuningOff) return reportOff(say);
  const keys = new Set<string>();
  for (const benchCase of cases) {
    const runner = benchCase.open(device);
    try {
      const asked = await runtime.choices.observe(() => {
        for (const array of runner.run()) array.release();
      });
      for (const key of asked) keys.add(key);
    } finally {
      runner.close();
      await runtime.sync();
    }
  }
  const report = await tuneKernels(runtime, [...keys], { say });
  for (const line of summaryLines(report)) say(line);
  return report;
}
