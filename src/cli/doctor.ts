import type { Command } from 'commander';
import { print, printJson } from './output.js';
import { openDevice, withCommon, type CommonOptions } from './options.js';

export function doctorCommand(program: Command): void {
  withCommon(
    program
      .command('doctor')
      .description('adapter, driver, limits, features and a kernel self-test'),
  ).action(async (options: CommonOptions) => {
    const { selfTest } = await import('../train/self_test.js');
    const { choicesPlace } = await import('../tune/choice_cache.js');
    const device = await openDevice(options);
    try {
      const tests = await selfTest(device);
      const { info } = device;
      const place = await choicesPlace(device.runtime);
      const { size, isTuningOff } = device.runtime.choices;
      const tuned = { choices: size, isOff: isTuningOff, place };
      const advice = adviceFor(info);
      const isHealthy = tests.every((test) => test.passed);
      if (options.json) {
        const { node, platform, arch } = { node: process.version, ...process };
        printJson({
          adapter: info,
          node,
          platform,
          arch,
          tuned,
          selfTest: tests,
          isHealthy,
          advice,
        });
      } else {
        print([...describe(info), tunedLine(tuned), '', ...testLines(tests), ...advice]);
      }
      if (!isHealthy) process.exitCode = 1;
    } finally {
      device.destroy();
    }
  });
}

type Info = Awaited<ReturnType<typeof openDevice>>['info'];
type Tests = { name: string; passed: boolean; detail: string; ms: number }[];

/** Limits that decide how large a batch may be and which kernels fit. */
const SHOWN_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupsPerDimension',
];

function describe(info: Info): string[] {
  const limits = SHOWN_LIMITS.filter((name) => info.limits[name] !== undefined);
  return [
    `adapter   ${info.description}`,
    `vendor    ${info.vendor}, ${info.architecture || 'architecture not told'}`,
    `backend   ${info.backend}${info.isSoftware ? ', a software adapter: right, not fast' : ''}`,
    `node      ${process.version} on ${process.platform} ${process.arch}`,
    `features  ${info.features.join(', ')}`,
    ...limits.map((name, i) => {
      const value = info.limits[name].toLocaleString('en-US');
      return `${i === 0 ? 'limits' : ''}`.padEnd(10) + `${name} ${value}`;
    }),
  ];
}

function tunedLine({
  choices,
  isOff,
  place,
}: {
  choices: number;
  isOff: boolean;
  place: string | null;
}): string {
  if (isOff) return 'tuned     off: TILEGRAD_AUTOTUNE=off, kernels are chosen by rule';
  if (place === null) return 'tuned     nothing is kept: TILEGRAD_CACHE is empty';
  return choices === 0
    ? `tuned     no kernels yet for this adapter; choices would be kept in ${place}`
    : `tuned     ${choices} kernels for this adapter, in ${place}`;
}

function testLines(tests: Tests): string[] {
  return tests.map(
    ({ name, passed, detail, ms }) =>
      `${passed ? 'ok  ' : 'FAIL'}  ${name.padEnd(28)} ${detail} (${ms.toFixed(0)} ms)`,
  );
}

/** What could be better here, and how to get it. */
function adviceFor(info: Info): string[] {
  const advice: string[] = [];
  if (info.isSoftware) {
    advice.push(
      'A software adapter computes on the processor. To train faster, run on a GPU with a Vulkan, Metal or D3D12 driver.',
    );
  }
  if (!info.features.includes('timestamp-query')) {
    advice.push('No timestamp queries: benches time whole submissions instead of kernels.');
  }
  if (!info.features.includes('shader-f16')) {
    advice.push('No shader-f16: --dtype f16 is not available.');
  }
  return advice;
}
