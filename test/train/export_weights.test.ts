import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { DataError, UsageError } from '../../src/errors.js';
import { readSafetensors } from '../../src/io/safetensors.js';
import { readWeights } from '../../src/io/weights/index.js';
import { createModel } from '../../src/models/index.js';
import { readModelFile, writeModelFile } from '../../src/train/checkpoint.js';
import { exportWeights } from '../../src/train/export_weights.js';
import { initFrom } from '../../src/train/init_from.js';
import { testDevice } from '../helpers/device.js';
import { folder, run as tilegrad } from '../cli/helpers.js';
import { savedState, scatter, valuesOf } from '../io/weights/helpers.js';

const below = folder();
const run = join(below, 'run.safetensors');
const shape = { input: [16, 16, 3], classes: 3 } as const;
let values: Map<string, number[]>;

beforeAll(async () => {
  const model = createModel(await testDevice(), 'simpsons-tf', shape);
  scatter(model);
  values = await valuesOf(model);
  const config = {
    ...{ model: 'simpsons-tf', imageShape: shape.input, classNames: ['a', 'b', 'c'] },
    data: 'a folder of this machine',
  };
  writeModelFile(run, config, await savedState(model));
});

describe('exportWeights', () => {
  for (const [format, name] of [
    ['keras', 'out.h5'],
    ['pytorch', 'torch.safetensors'],
    ['tilegrad', 'own.safetensors'],
  ] as const) {
    it(`${format}: what it writes starts another network with the same weights`, async () => {
      const out = join(below, name);
      const document = await exportWeights(run, { format, out });
      const parameters = [...values.values()].reduce((sum, { length }) => sum + length, 0);
      expect(document).toEqual({
        ...{
          from: run,
          weights: run,
          out,
          format,
          model: 'simpsons-tf',
          tensors: values.size,
          parameters,
        },
      });
      expect((await readWeights(out)).format).toBe(format);
      const other = createModel(await testDevice(), 'simpsons-tf', shape);
      await initFrom(other, out, shape);
      expect(await valuesOf(other)).toEqual(values);
    });
  }

  it('a run folder starts a network from its best checkpoint', async () => {
    const best = join(below, 'a-run');
    mkdirSync(best);
    await exportWeights(run, { format: 'tilegrad', out: join(best, 'best.safetensors') });
    const other = createModel(await testDevice(), 'simpsons-tf', shape);
    const report = await initFrom(other, best, shape);
    expect(report.path).toBe(join(best, 'best.safetensors'));
    expect(await valuesOf(other)).toEqual(values);
  });

  it('its own format is a model for evaluation and prediction, and tells no more than it needs', async () => {
    const out = join(below, 'model.safetensors');
    await exportWeights(run, { format: 'tilegrad', out });
    const { config, weights } = readModelFile(out);
    expect(config).toEqual({
      ...{ model: 'simpsons-tf', imageShape: [16, 16, 3], classNames: ['a', 'b', 'c'] },
    });
    expect([...weights.keys()]).toEqual([...values.keys()]);
    expect(readSafetensors(out).metadata.config).not.toContain('this machine');
  });

  it('refuses names that do not go with the format, and a file that is there', async () => {
    const refusal = async (options: Parameters<typeof exportWeights>[1]): Promise<Error> => {
      const error = await exportWeights(run, options).catch((cause: unknown) => cause);
      return error as Error;
    };
    const unclear = await refusal({ out: 'x.safetensors' });
    expect(unclear).toBeInstanceOf(UsageError);
    expect(unclear.message).toMatch(/cannot tell from x\.safetensors.*\nfix: add --format keras/);
    for (const out of ['x.safetensors', 'x.keras', 'x.weights.h5']) {
      const error = await refusal({ format: 'keras', out });
      expect(error.message).toContain(`the HDF5 file of Keras 2, got --out ${out}`);
    }
    const odd = await refusal({ format: 'pytorch', out: 'x.pt' });
    expect(odd.message).toContain('the format pytorch is a safetensors file, got --out x.pt');
    const there = join(below, 'there.h5');
    writeFileSync(there, 'precious');
    const taken = await refusal({ out: there });
    expect(taken).toBeInstanceOf(DataError);
    expect(taken.message).toMatch(/there\.h5 is there already\nfix: choose another --out/);
    expect(readFileSync(there, 'utf8')).toBe('precious');
    await exportWeights(run, { out: there, force: true });
    expect((await readWeights(there)).format).toBe('keras');
  });
});

describe('tilegrad export', () => {
  it('writes the file and says what it holds; --json is one document', async () => {
    const out = join(below, 'cli.h5');
    const first = await tilegrad('export', run, '--out', out);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(
      /cli\.h5: simpsons-tf, 16 tensors, [\d,]+ numbers, for keras, from .*run\.safetensors\n$/,
    );
    const again = await tilegrad('export', run, '--out', out);
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(again.stderr).toMatch(/^tilegrad: export: .* is there already\nfix: /);
    const replaced = await tilegrad('export', run, '--out', out, '--force', '--json');
    expect(JSON.parse(replaced.stdout)).toMatchObject({ out, format: 'keras', tensors: 16 });
  });

  it('a wrong command ends with 2, a run that is not there with 1', async () => {
    const odd = join(below, 'odd.bin');
    expect(await tilegrad('export', run, '--out', odd)).toMatchObject({ code: 2, stdout: '' });
    const format = await tilegrad('export', run, '--out', odd, '--format', 'onnx');
    expect(format).toMatchObject({ code: 2 });
    expect(format.stderr).toContain('expected one of keras, pytorch, tilegrad');
    const none = await tilegrad('export', join(below, 'none'), '--out', join(below, 'none.h5'));
    expect(none).toMatchObject({ code: 1 });
    expect(none.stderr).toContain('no such file or folder');
    expect(existsSync(odd)).toBe(false);
  });
});
