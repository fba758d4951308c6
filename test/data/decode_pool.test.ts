import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import sharp from 'sharp';
import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeEach, requireAll } from '../../src/data/decode/decode.js';
import { DecodePool } from '../../src/data/decode/decode_pool.js';
import { errorOf, temporaryFolder } from './helpers.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Compiles src/data and what it imports as the build does, into a package of its own. */
function buildPackage(folder: string): string {
  const imports = { '#platform': './dist/gpu/platform/node.js' };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', imports }));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const sources = ['data/index.ts', 'data/decode/decode_worker.ts', 'gpu/platform/node.ts'];
  // All that these import grows the list on the way.
  for (const source of sources) {
    const text = readFileSync(join(ROOT, 'src', source), 'utf8');
    for (const [, path] of text.matchAll(/ from '(\.{1,2}\/[^']+)\.js'/g)) {
      const imported = join(source, '..', `${path}.ts`);
      if (!sources.includes(imported)) sources.push(imported);
    }
    const compiled = ts.transpileModule(text, {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2023,
        verbatimModuleSyntax: true,
      },
    });
    const target = join(folder, 'dist', source.replace(/\.ts$/, '.js'));
    mkdirSync(join(target, '..'), { recursive: true });
    writeFileSync(target, compiled.outputText);
  }
  return join(folder, 'dist/data');
}

async function writeImages(folder: string, count: number): Promise<string[]> {
  const files = Array.from({ length: count }, (_, index) => join(folder, `${index}.png`));
  for (const [index, file] of files.entries()) {
    const background = { r: index, g: 255 - index, b: 7 };
    await sharp({ create: { width: 3, height: 2, channels: 3, background } }).toFile(file);
  }
  return files;
}

describe('DecodePool', () => {
  beforeAll(() => {
    // Under the test runner the sources run, and beside them lies no built program.
    expect(import.meta.url).toMatch(/\.ts$/);
  });

  it('decodes in this thread where its program is not built', async () => {
    const files = await writeImages(temporaryFolder(), 40);
    const pool = new DecodePool({ threadCount: 2 });
    const pixels = await pool.decode(files, [2, 3, 3]);
    expect(pool.liveThreads).toBe(0);
    expect([...pixels.subarray(39 * 18, 39 * 18 + 3)]).toEqual([39, 216, 7]);
    await pool.close();
  });

  it('decodes on threads with the built program, with the same result', async () => {
    const built = buildPackage(temporaryFolder());
    const files = await writeImages(temporaryFolder(), 40);
    const program = pathToFileURL(join(built, 'decode/decode_worker.js'));
    const pool = new DecodePool({ threadCount: 2, program });
    const pixels = await pool.decode(files, [2, 3, 3]);
    expect(pool.liveThreads).toBe(2);
    expect(pixels).toEqual(requireAll(await decodeEach(files, [2, 3, 3])));
    writeFileSync(files[20], 'no image');
    const error = await errorOf(pool.decode(files, [2, 3, 3]));
    expect(error.constructor.name).toBe('DataError');
    expect(error.message).toMatch(/20\.png: broken image: .*\nfix: replace or delete the file$/);
    await pool.close();
    expect(pool.liveThreads).toBe(0);
    // A pool that was closed starts again.
    expect(await pool.decode(files.slice(0, 2), [2, 3, 3])).toHaveLength(36);
    expect(pool.liveThreads).toBe(2);
    const late = pool.decode(files.slice(0, 2), [2, 3, 3]);
    const closing = errorOf(late);
    await pool.close();
    expect((await closing).message).toContain('the data set was closed while it was being read');
  });

  it('goes on in this thread when its threads do not start', async () => {
    const folder = temporaryFolder();
    const program = join(folder, 'broken.mjs');
    writeFileSync(program, "throw new Error('cannot start');");
    const files = await writeImages(folder, 40);
    const pool = new DecodePool({ threadCount: 2, program: pathToFileURL(program) });
    expect(await pool.decode(files, [2, 3, 3])).toEqual(
      requireAll(await decodeEach(files, [2, 3, 3])),
    );
    expect(await pool.decode(files.slice(3, 4), [2, 3, 3])).toHaveLength(18);
    expect(pool.liveThreads).toBe(0);
  });

  it('lets the process end, closed or not', async () => {
    const folder = temporaryFolder();
    const built = buildPackage(folder);
    for (const name of ['cat', 'dog']) mkdirSync(join(folder, 'images', name), { recursive: true });
    for (const name of ['cat', 'dog']) await writeImages(join(folder, 'images', name), 20);
    const script = join(folder, 'run.mjs');
    writeFileSync(
      script,
      `import { openDataset, batches } from ${JSON.stringify(pathToFileURL(join(built, 'index.js')))};
      const decoding = { threadCount: 2 };
      const { train } = await openDataset(process.argv[2], { decoding, decodeAt: 'read' });
      let sum = 0;
      for await (const batch of batches(train, { batchSize: 7 })) for (const v of batch.images) sum += v;
      console.log(train.size, sum, train.pool.liveThreads);`,
    );
    const output = execFileSync(process.execPath, [script, join(folder, 'images')], {
      encoding: 'utf8',
      timeout: 30_000,
    });
    // 2 · 20 images of 6 pixels, each of which adds up to 255 + 7.
    expect(output.trim()).toBe(`40 ${40 * 6 * 262} 2`);
  });
});
