import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { create, globals } from 'webgpu';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bundleForBrowser } from '../../scripts/bundle_lib.mjs';
import type * as library from '../../src/index.js';

/*
 * These tests look at the build in dist/, which `npm test` brings up to date first; after an edit
 * of src/ or shaders/ run `npm run build` before vitest itself.
 */
const root = new URL('../../', import.meta.url);
type Library = typeof library;

/** The code of a shader, however it is laid out. */
function tokens(wgsl: string): string {
  return wgsl.replace(/\/\/.*$/gm, '').replace(/\s+/g, '');
}

let bundle: Awaited<ReturnType<typeof bundleForBrowser>>;
beforeAll(async () => {
  bundle = await bundleForBrowser();
});

describe('the browser bundle', () => {
  it('holds the engine alone: no command line, no bench, no files, no packages', () => {
    const folders = new Set(bundle.inputs.map((path) => path.split('/').slice(0, 2).join('/')));
    expect([...folders].sort()).toEqual([
      'dist/autograd',
      'dist/capture.js',
      'dist/device.js',
      'dist/errors.js',
      'dist/gpu',
      'dist/index.js',
      'dist/kernels',
      'dist/models',
      'dist/nn',
      'dist/ops',
      'dist/optim',
      'dist/tensor.js',
      'dist/tune',
      'dist/visible.js',
    ]);
    expect(bundle.inputs).toContain('dist/gpu/platform/browser.js');
    expect(bundle.inputs).not.toContain('dist/gpu/platform/node.js');
  });

  it('imports nothing: not of Node, not of a package', () => {
    expect(bundle.text).not.toMatch(/^\s*import\b/m);
    expect(bundle.text).not.toMatch(/\bimport\(|\brequire\(|['"]node:/);
    expect(bundle.text).not.toMatch(/from ['"](webgpu|sharp|h5wasm|commander)['"]/);
  });

  it('embeds the files of shaders/ without comments and indentation', async () => {
    const module = new URL('dist/gpu/platform/shaders.generated.js', root);
    const { shaders } = (await import(module.href)) as { shaders: Record<string, string> };
    const folder = new URL('shaders/', root);
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((name) => name.replaceAll('\\', '/'))
      .filter((name) => name.endsWith('.wgsl'));
    expect(Object.keys(shaders).sort(), 'run `npm run build`').toEqual(names.sort());
    for (const name of names) {
      const text = readFileSync(new URL(name, folder), 'utf8');
      expect(tokens(shaders[name]), `${name}: run \`npm run build\``).toBe(tokens(text));
      const marked = (wgsl: string): string[] => wgsl.match(/\/\/.*@(tune|use \S+)/g) ?? [];
      expect(marked(shaders[name])).toHaveLength(marked(text).length);
    }
  });

  it('is below 130 kB, gzipped', async () => {
    const { text } = await bundleForBrowser({ minify: true });
    expect(gzipSync(text, { level: 9 }).length).toBeLessThan(130_000);
  });
});

describe('the bundle, where navigator.gpu is the way to a GPU', () => {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  afterEach(() => {
    if (before) Object.defineProperty(globalThis, 'navigator', before);
    else Reflect.deleteProperty(globalThis, 'navigator');
  });

  const load = async (): Promise<Library> => {
    const text = Buffer.from(bundle.text).toString('base64');
    return (await import(`data:text/javascript;base64,${text}`)) as Library;
  };
  // Held here, since Dawn crashes when its entry is collected before its devices.
  let gpu: GPU;
  const setNavigator = (value: object): void => {
    Object.defineProperty(globalThis, 'navigator', { value, configurable: true });
  };

  it('computes a convolution and its gradients there', async () => {
    // Without the toggles that the library sets in Node.
    gpu = create([]);
    Object.assign(globalThis, globals);
    setNavigator({ gpu });
    const { createDevice, ops } = await load();
    using device = await createDevice();
    const x = device.tensor([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1], { requiresGrad: true });
    const w = device.tensor([1, 0, 0, -1], [2, 2, 1, 1], { requiresGrad: true });
    const y = ops.conv2d(x, w);
    expect(await y.array()).toEqual([
      [
        [[-4], [-4]],
        [[-4], [-4]],
      ],
    ]);
    y.sum().backward();
    expect(Array.from(await x.grad!.data())).toEqual([1, 1, 0, 1, 0, -1, 0, -1, -1]);
    expect(Array.from(await w.grad!.data())).toEqual([12, 16, 24, 28]);
  });

  it('says what to use where a browser has no WebGPU, or none that pretends', async () => {
    setNavigator({});
    const { createDevice } = await load();
    await expect(createDevice()).rejects.toThrow(
      'device: this browser has no WebGPU\nfix: use a browser with WebGPU (Chrome, Edge, Safari 26, ' +
        'Firefox 141) on a page served over https',
    );
    await expect(createDevice({ isNull: true })).rejects.toThrow(
      'device: a browser has no null backend',
    );
  });
});
