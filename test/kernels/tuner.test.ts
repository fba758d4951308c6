import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createDevice, type Device } from '../../src/device.js';
import { loadShader } from '../../src/gpu/shader.js';
import {
  formatChoices,
  identityOf,
  parseChoices,
  shadersHash,
  tunedShaders,
} from '../../src/tune/choice_cache.js';
import { parseKey } from '../../src/tune/kernel_key.js';
import { tunableOf } from '../../src/tune/tunable.js';
import { summaryLines, tunedLine } from '../../src/tune/report.js';
import { fastestVariant } from '../../src/tune/tuner.js';
import { conv2d, depthwiseConv2d } from '../../src/ops/conv.js';
import { matmul } from '../../src/ops/linear.js';
import { multiply } from '../../src/kernels/matmul/matmul.js';
import { sum } from '../../src/ops/reduce.js';

describe('the choice among measured variants', () => {
  const pick = (times: Record<string, number>) =>
    fastestVariant('built-in', new Map(Object.entries(times)));

  it('is the fastest', () => {
    expect(pick({ 'built-in': 2, slow: 3, fast: 1, fastest: 0.5 })).toBe('fastest');
    expect(pick({ 'built-in': 2, fastest: 0.5, fast: 1 })).toBe('fastest');
  });

  it('is the built-in one where the others are not faster by more than noise', () => {
    expect(pick({ 'built-in': 1, other: 0.96 })).toBe('built-in');
    expect(pick({ 'built-in': 1, other: 0.95 })).toBe('other');
    expect(pick({ 'built-in': 1 })).toBe('built-in');
  });

  it('is the fastest of the others where the built-in one is wrong', () => {
    expect(pick({ slow: 3, fast: 1 })).toBe('fast');
  });
});

describe('what tuning came to', () => {
  const kernel = (builtIn: string, chosen: string, beforeMs: number | null, afterMs: number) => ({
    ...{ key: 'k', label: 'l', builtIn, chosen, beforeMs, afterMs, candidates: [] },
  });
  const report = { known: 2, place: null, problem: null, isOff: false };

  it('names how long it took and what the built-in choices cost', () => {
    const kernels = [
      kernel('a', 'a', 3, 3),
      kernel('a', 'b', 8, 1),
      kernel('wrong', 'b', null, 1),
      kernel('a', 'a', 1, 1),
    ];
    expect(summaryLines({ ...report, ms: 2345, kernels })).toEqual([
      'tuned 4 kernels in 2.3 s: 2 other than built in, 2 known from before',
      'built-in choices take 2.00 times as long (geometric mean), 8.00 at most',
    ]);
  });

  it('says nothing of a cost where nothing was tuned', () => {
    expect(summaryLines({ ...report, ms: 0, kernels: [] })).toEqual([
      'tuned 0 kernels in 0.0 s: 0 other than built in, 2 known from before',
    ]);
  });
});

describe('a file of choices', () => {
  const identity = { version: '1.2.3', adapter: 'one', shaders: 'abc' };
  const choices = { 'conv2d …': 'tiled' };

  it('is read as it was written', () => {
    expect(parseChoices(formatChoices(identity, choices), identity)).toEqual(choices);
  });

  it.each(['version', 'adapter', 'shaders'])('is ignored where the %s differs', (name) => {
    const text = formatChoices({ ...identity, [name]: 'another' }, choices);
    expect(parseChoices(text, identity)).toBeNull();
  });

  it.each(['', '{', 'null', '[]', '{"choices":{}}', JSON.stringify({ ...identity, choices: 3 })])(
    'is ignored where it is broken: %s',
    (text) => {
      expect(parseChoices(text, identity)).toBeNull();
    },
  );

  it('is ignored where a choice is no name', () => {
    const text = JSON.stringify({ ...identity, choices: { 'conv2d …': 7 } });
    expect(parseChoices(text, identity)).toBeNull();
  });

  it('depends on the text of every shader', async () => {
    const texts = new Map(tunedShaders.map((name) => [name, loadShader(name, {}).code]));
    const before = await shadersHash((name) => texts.get(name)!);
    for (const changed of tunedShaders) {
      const hash = await shadersHash((name) => texts.get(name)! + (name === changed ? ' ' : ''));
      expect(hash, changed).not.toBe(before);
    }
  });

  it('knows every shader of conv2d, depthwiseConv2d and matmul', () => {
    const files = readdirSync(new URL('../../shaders/', import.meta.url))
      .filter((file) => /^(conv2d|depthwise_conv2d|matmul)_.*\.wgsl$/.test(file))
      .map((file) => file.replace('.wgsl', ''))
      // Its own forward kernel is never a candidate.
      .filter((name) => name !== 'conv2d_transpose_forward_naive');
    expect([...tunedShaders].sort()).toEqual([...files, 'sum_slices'].sort());
  });
});

describe('tuning on this adapter', () => {
  let folder: string;
  const devices: Device[] = [];
  const open = async (): Promise<Device> => {
    const device = await createDevice({ seed: 11 });
    devices.push(device);
    return device;
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tilegrad-tune-'));
    vi.stubEnv('TILEGRAD_CACHE', folder);
  });
  afterEach(() => {
    for (const device of devices.splice(0)) device.destroy();
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  /** A convolution and a product with their gradients. */
  const work = (device: Device) => (): void => {
    const x = device.randn([2, 6, 6, 8]);
    const w = device.randn([3, 3, 8, 8], { requiresGrad: true });
    sum(conv2d(x, w, { padding: 'same' })).backward();
    matmul(device.randn([4, 8]), device.randn([8, 12]));
  };

  it('chooses for every shape seen a kernel that fits, and keeps it for later devices', async () => {
    const device = await open();
    const { position } = device.runtime.random;
    const before = device.memory.liveBuffers;
    const said: string[] = [];
    const report = await device.tune(work(device), { say: (text) => said.push(text) });
    const seen = report.kernels.map(({ key }) => key.split(' f32')[0]);
    // The image needs no gradient, so that direction was not run.
    // The first and third product are those inside Winograd's kernels, which must be at their best by then.
    const layer = ['matmul NN', 'conv2d forward', 'matmul TN', 'conv2d gradWeight'];
    expect(seen).toEqual([...layer, 'matmul NN']);
    for (const kernel of report.kernels) {
      const tunable = tunableOf(device.runtime, kernel.key)!;
      expect(tunable.variants).toContain(kernel.chosen);
      expect(kernel.candidates.map(({ variant }) => variant)).toEqual(tunable.variants);
      expect(kernel.candidates.filter(({ problem }) => problem)).toEqual([]);
      expect(kernel.builtIn).toBe(tunable.builtIn);
      expect(kernel.afterMs).toBeGreaterThan(0);
      expect(kernel.afterMs).toBeLessThanOrEqual(kernel.beforeMs!);
      expect(device.runtime.choices.get(kernel.key)).toBe(kernel.chosen);
    }
    expect(said).toEqual(report.kernels.map(tunedLine));
    expect(report.problem).toBeNull();
    expect(report.known).toBe(0);
    // The draws of the function itself count, those of the tuner do not.
    expect(device.runtime.random.position).toBe(position + 4);
    expect(device.memory.liveBuffers).toBe(before);

    const [file] = readdirSync(folder);
    expect(report.place).toBe(join(folder, file));
    const later = await open();
    expect(later.runtime.choices.entries()).toEqual(device.runtime.choices.entries());
    const again = await later.tune(work(later));
    expect(again).toMatchObject({ kernels: [], known: 3 });
    const product = () => matmul(later.randn([4, 8]), later.randn([8, 12]));
    const forced = await later.tune(product, { again: true });
    expect(forced).toMatchObject({ kernels: [{ key: report.kernels[4].key }], known: 0 });
  });

  it('compares and times the kernels of a depthwise convolution', async () => {
    const device = await open();
    const x = device.randn([1, 6, 6, 8], { requiresGrad: true });
    const w = device.randn([3, 3, 8, 1], { requiresGrad: true });
    const step = () => {
      sum(depthwiseConv2d(x, w, { padding: 'same' })).backward();
    };
    const { kernels } = await device.tune(step);
    expect(kernels.map(({ key }) => key.split(' f32')[0])).toEqual([
      ...['depthwiseConv2d forward', 'depthwiseConv2d gradInput', 'depthwiseConv2d gradWeight'],
    ]);
    const all = ['naive', 'vec4', 'tile'];
    for (const [i, variants] of [all, all, ['naive', 'vec4']].entries()) {
      expect(kernels[i].candidates.map(({ variant }) => variant)).toEqual(variants);
      expect(kernels[i].candidates.filter(({ problem }) => problem)).toEqual([]);
    }
    // The launchers take what was chosen, where it fits.
    const shaders = (): string[] => {
      const { captured } = device.runtime.captureCommands(() => device.scope(step));
      const found = captured.commands.map((command) =>
        command.kind === 'dispatch' ? command.request.shader : command.kind,
      );
      device.runtime.disposeCapture(captured);
      return found.filter((name) => name.startsWith('depthwise'));
    };
    for (const { key } of kernels) device.runtime.choices.set(key, 'tile');
    expect(shaders()).toEqual([
      ...['depthwise_conv2d_forward_tile', 'depthwise_conv2d_grad_input_tile'],
      'depthwise_conv2d_grad_weight_vec4',
    ]);
    for (const { key } of kernels) device.runtime.choices.set(key, 'naive');
    expect(shaders()).toEqual([
      ...['depthwise_conv2d_forward_naive', 'depthwise_conv2d_grad_input_naive'],
      'depthwise_conv2d_grad_weight_naive',
    ]);
  });

  it('leaves out kernels whose results are wrong, however fast they are', async () => {
    const device = await open();
    const { runtime } = device;
    const dispatch = runtime.dispatch.bind(runtime);
    // Half of the terms: half of the work.
    vi.spyOn(runtime, 'dispatch').mockImplementation((request) => {
      if (!/^matmul_forward_(tiled|subgroup8)/.test(request.shader)) return dispatch(request);
      const params = structuredClone(request.params!) as Record<string, number>;
      const product = (params.product ?? params) as unknown as Record<string, number>;
      product.k /= 2;
      dispatch({ ...request, params });
    });
    const report = await device.tune(() =>
      matmul(device.randn([16, 256]), device.randn([256, 32])),
    );
    const [{ key, chosen, candidates, beforeMs, afterMs }] = report.kernels;
    expect(chosen).toBe('naive');
    expect(runtime.choices.get(key)).toBe('naive');
    expect(beforeMs).toBeNull();
    expect(afterMs).toBeGreaterThan(0);
    const others = candidates.filter(({ variant }) => variant !== 'naive');
    expect(others.length).toBeGreaterThan(0);
    for (const { ms, problem } of others) {
      expect(ms).toBeNull();
      expect(problem).toMatch(/^wrong: element \d+ is .*, the naive kernel has /);
    }
    expect(summaryLines(report).filter((line) => line.includes('left out, wrong'))).toHaveLength(
      others.length,
    );
  });

  it('holds kernels to the bound of their sums', async () => {
    const { runtime } = await open();
    const key = (
      await runtime.choices.observe(() => {
        const [a, b] = [runtime.alloc([4, 256]), runtime.alloc([256, 8])];
        for (const array of [multiply(runtime, a, b), a, b]) array.release();
      })
    )[0];
    const { variants, allowed } = tunableOf(runtime, key)!;
    // (8 + √256) · 2⁻²⁴ · Σ|a·b|, whose mean over 256 products of normal numbers is 163.
    for (const variant of variants) {
      expect(allowed(variant)).toBeGreaterThan(24 * 2 ** -24 * 163);
      expect(allowed(variant)).toBeLessThan(24 * 2 ** -24 * 2 * 163);
    }
  });

  it('ignores a broken file, and replaces it', async () => {
    const first = await open();
    await first.tune(() => matmul(first.randn([4, 8]), first.randn([8, 12])));
    const [file] = readdirSync(folder);
    writeFileSync(join(folder, file), '{"version":');
    expect(first.runtime.choices.problem).toBeNull();
    const second = await open();
    expect(second.runtime.choices.size).toBe(0);
    expect(second.runtime.choices.problem).toBe(
      `tuning: ${join(folder, file)} is broken and was passed over; kernels are chosen by rule until --tune writes it anew`,
    );
    await second.tune(() => matmul(second.randn([4, 8]), second.randn([8, 12])));
    const text = readFileSync(join(folder, file), 'utf8');
    expect(parseChoices(text, await identityOf(second.runtime))).toEqual(
      second.runtime.choices.entries(),
    );
    expect((await open()).runtime.choices.problem).toBeNull();
  });

  it('says nothing of a file that another version wrote', async () => {
    const first = await open();
    await first.tune(() => matmul(first.randn([4, 8]), first.randn([8, 12])));
    const [file] = readdirSync(folder);
    const identity = { ...(await identityOf(first.runtime)), version: '0.0.0' };
    writeFileSync(join(folder, file), formatChoices(identity, first.runtime.choices.entries()));
    const { choices } = (await open()).runtime;
    expect([choices.size, choices.problem]).toEqual([0, null]);
  });

  it('goes on where nothing can be kept, and says so once', async () => {
    writeFileSync(join(folder, 'file'), '');
    vi.stubEnv('TILEGRAD_CACHE', join(folder, 'file'));
    const device = await open();
    const report = await device.tune(() => matmul(device.randn([4, 8]), device.randn([8, 12])));
    expect(device.runtime.choices.size).toBe(1);
    expect(report.problem).toMatch(/EEXIST|ENOTDIR/);
    expect(summaryLines(report)).toContain(
      `the choices serve this run but are not kept: ${report.problem}`,
    );
  });

  it('does not run in a captured function', async () => {
    const device = await open();
    let tuning: Promise<unknown> | undefined;
    device.capture(() => {
      tuning = device.tune(() => undefined);
      tuning.catch(() => undefined);
      return device.zeros([1]);
    })();
    await expect(tuning).rejects.toThrow('tune: a captured function cannot be timed');
  });
});

describe('launchers', () => {
  it('run the kernel that was chosen, and ignore a choice that does not fit', async () => {
    const device = await createDevice({ seed: 11 });
    const { runtime } = device;
    const shadersOf = async (fn: () => unknown): Promise<string[]> => {
      const { captured } = runtime.captureCommands(() => device.scope(() => void fn()));
      await runtime.sync();
      const shaders = captured.commands.map((command) =>
        command.kind === 'dispatch' ? command.request.shader : command.kind,
      );
      runtime.disposeCapture(captured);
      return shaders;
    };
    try {
      const x = device.randn([2, 6, 6, 8], { requiresGrad: true });
      const w = device.randn([3, 3, 8, 8], { requiresGrad: true });
      const a = device.randn([4, 8]);
      const b = device.randn([8, 12]);
      const step = (): void => {
        sum(conv2d(x, w, { padding: 'same' })).backward();
        matmul(a, b);
      };
      const keys = await runtime.choices.observe(() => device.scope(step));
      expect(keys.map((key) => key.split(' f32')[0])).toEqual([
        ...['conv2d forward', 'conv2d gradInput', 'conv2d gradWeight', 'matmul NN'],
      ]);
      const builtIn = await shadersOf(step);
      const naive = ['forward', 'grad_input', 'grad_weight'].map((d) => `conv2d_${d}_naive`);
      for (const key of keys) runtime.choices.set(key, 'naive');
      expect(await shadersOf(step)).toEqual(
        expect.arrayContaining([...naive, 'matmul_forward_naive']),
      );
      for (const key of keys) runtime.choices.set(key, 'tiled');
      const tiled = await shadersOf(step);
      expect(tiled).toEqual(
        expect.arrayContaining(['conv2d_forward_tiled_vec4', 'conv2d_grad_weight_tiled_vec4']),
      );
      expect(tiled).toContain('matmul_forward_tiled');
      for (const name of naive) expect(tiled).not.toContain(name);
      // 1×1 alone is a product; the others know no such variant at all.
      for (const key of keys)
        runtime.choices.set(key, parseKey(key)!.op === 'conv2d' ? 'matmul' : 'toString');
      expect(await shadersOf(step)).toEqual(builtIn);
      // What the caller names counts more than what was tuned.
      for (const key of keys) runtime.choices.set(key, 'tiled');
      expect(await shadersOf(() => conv2d(x, w, { padding: 'same', variant: 'naive' }))).toEqual([
        'conv2d_forward_naive',
      ]);
      expect(await shadersOf(() => matmul(a, b, { variant: 'naive' }))).toEqual([
        'matmul_forward_naive',
      ]);
    } finally {
      device.destroy();
    }
  });
});
