import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/* The package as npm publishes it, installed into an empty folder. */

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tilegrad-package-'));
afterAll(() => rmSync(folder, { recursive: true }));
const installed = join(folder, 'node_modules', 'tilegrad');

interface PackedFile {
  path: string;
  size: number;
}
let packed: { filename: string; size: number; files: PackedFile[] };

/** npm as this machine has it: by the path that `npm test` passes on, else from the PATH. */
function npm(args: string[], cwd: string): string {
  const { npm_execpath: path } = process.env;
  const isScript = path !== undefined && /npm-cli\.c?js$/.test(path);
  const [program, first] = isScript ? [process.execPath, [path]] : ['npm', []];
  return execFileSync(program, [...first, ...args], {
    ...{ cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    shell: !isScript && process.platform === 'win32',
  });
}

beforeAll(() => {
  const report = npm(['pack', '--json', '--silent', '--pack-destination', folder], root);
  [packed] = JSON.parse(report.slice(report.indexOf('['))) as [typeof packed];
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "private": true }');
  const flags = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund'];
  npm(['install', ...flags, join(folder, packed.filename)], folder);
}, 300_000);

describe('the package', () => {
  it('holds the build, its declarations, shaders, pages and examples, below 1 MB', () => {
    expect(packed.size).toBeLessThan(1_000_000);
    const tops = new Set(packed.files.map(({ path }) => path.split('/')[0]));
    const others = ['LICENSE', 'README.md', 'package.json'];
    expect([...tops].sort()).toEqual([...others, 'dist', 'docs', 'examples', 'shaders'].sort());
    const paths = packed.files.map(({ path }) => path);
    expect(
      paths.filter((path) => /\.map$|dist\/reference|\.tsbuildinfo|\.png$/.test(path)),
    ).toEqual([]);
    expect(
      paths.filter((path) => path.endsWith('.d.ts') && !path.startsWith('dist/types/')),
    ).toEqual([]);
  });

  it('declares nothing of WebGPU and nothing internal', () => {
    const types = join(installed, 'dist', 'types');
    for (const name of readdirSync(types)) {
      const text = readFileSync(join(types, name), 'utf8').replace(/\/\*[^]*?\*\//g, '');
      expect(
        text.match(/\bGPU[A-Z]\w*|\bclass (Runtime|GpuArray|ArrayHandle)\b/g) ?? [],
        name,
      ).toEqual([]);
    }
  });

  it('gives Tensor and Device their public members alone', () => {
    const types = readdirSync(join(installed, 'dist', 'types'));
    const texts = types.map((name) =>
      readFileSync(join(installed, 'dist', 'types', name), 'utf8').replace(/\/\*[^]*?\*\//g, ''),
    );
    for (const name of ['Tensor', 'Device']) {
      const body = texts
        .join('\n')
        .match(new RegExp(`^declare class ${name} \\{[^]*?^\\}`, 'm'))![0];
      expect(body).toContain(name === 'Tensor' ? 'backward(' : 'capture<');
      expect(body).not.toMatch(/\b(runtime|handle|node|leaf|gpuArray|constructor)\b/);
    }
  });

  it('compiles in strict programs without the DOM, and runs', () => {
    writeFileSync(
      join(folder, 'main.ts'),
      `import { createDevice, DataError, models, nn, noGrad, ops, optim, type Tensor } from 'tilegrad';
import { arrays, batches, builtin, split } from 'tilegrad/data';
import { load, save } from 'tilegrad/io';
import { Callback, checkpoint, earlyStopping, evaluate, fit, predict, progress, reduceOnPlateau, tensorBoard } from 'tilegrad/train';
import type { FitOptions, StepMetrics } from 'tilegrad/train';
import type { ReportSubject } from 'tilegrad/report';

export type Subject = ReportSubject;
const device = await createDevice({ seed: 1 });
const model = new nn.Sequential(
  new nn.Conv2d(device, { inChannels: 1, outChannels: 4, kernelSize: 3, activation: 'relu' }),
  new nn.Flatten(),
  new nn.Dense(device, { inFeatures: 4 * 26 * 26, outFeatures: 10 }),
);
const optimizer: optim.Optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
const { train } = await builtin('digits', { size: 60 });
for await (const batch of batches(split(train, { fraction: 0.2, seed: 1 }).train, { batchSize: 16 })) {
  const images: Tensor = ops.cast(device.tensor(batch.images, [batch.size, 28, 28, 1]), 'f32').div(255);
  const loss = ops.softmaxCrossEntropy(model.call(images), device.tensor(batch.labels));
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
}
class Losses extends Callback {
  readonly values: number[] = [];
  override onStep({ loss }: StepMetrics): void {
    this.values.push(loss);
  }
}
const losses = new Losses();
const stream = { write: () => undefined };
const options: FitOptions = { optimizer, epochs: 1, batchSize: 20, out: 'run', signal: { aborted: false } };
const callbacks = [losses, progress({ stream }), earlyStopping({ patience: 1 }), reduceOnPlateau(), tensorBoard({ folder: 'events' }), checkpoint()];
const history = await fit(model, train, { ...options, callbacks });
const { count } = await evaluate(model, train);
const [first] = await predict(model, await train.read([0]), { input: [28, 28, 1] });
if (history.end !== 'done' || losses.values.length !== 3 || count !== 60 || first?.top.length !== 5) throw new Error('fit');
await save(model, 'net.safetensors');
const same = await load('net.safetensors', device);
const x = device.uniform([2, 28, 28, 1]);
const [a, b] = [await noGrad(() => model.call(x)).data(), await noGrad(() => same.call(x)).data()];
if (a.join() !== b.join()) throw new Error('another network came back');
const own = arrays(new Uint8Array(32), [0, 1], { imageShape: [4, 4, 1] });
const { parameters } = models.mnistCnn(device, { input: [8, 8, 1], classes: 2 }).summary([8, 8, 1]);
const { size } = own;
await load('package.json', device).catch((error: unknown) => {
  if (!(error instanceof DataError)) throw error;
});
console.log('trained', parameters.total, size);
device.destroy();
`,
    );
    const compilerOptions = {
      ...{ module: 'nodenext', target: 'es2023', lib: ['ES2023', 'ESNext.Disposable'], types: [] },
      ...{ strict: true, skipLibCheck: false, exactOptionalPropertyTypes: true },
      noUncheckedIndexedAccess: true,
    };
    mkdirSync(join(folder, 'types'), { recursive: true });
    writeFileSync(
      join(folder, 'types', 'console.d.ts'),
      'declare const console: { log(...values: unknown[]): void };\n',
    );
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, include: ['main.ts', 'types'] }),
    );
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const compiled = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
    expect(compiled.stdout).toBe('');
    const ran = spawnSync(process.execPath, ['main.js'], { cwd: folder, encoding: 'utf8' });
    expect(ran.stderr.replace(/^Warning: max.*\n/gm, '')).toBe('');
    expect(ran.stdout).toMatch(/^trained \d+ 2\n$/);
  }, 120_000);

  it('has no other subpaths, and loads sharp only where a picture is decoded', () => {
    const source = `
      await import('tilegrad'); await import('tilegrad/data'); await import('tilegrad/io'); await import('tilegrad/train');
      const loaded = process.moduleLoadList.filter((name) => /sharp/.test(name));
      const other = await import('tilegrad/dist/device.js').catch((error) => error.code);
      console.log(JSON.stringify([loaded, other]));
      process.exit(0);`;
    const ran = spawnSync(process.execPath, ['--input-type=module', '-e', source], {
      ...{ cwd: folder, encoding: 'utf8' },
    });
    expect(JSON.parse(ran.stdout)).toEqual([[], 'ERR_PACKAGE_PATH_NOT_EXPORTED']);
    expect(Object.keys(process.versions)).not.toContain('sharp');
  });
});
