import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { folder, run } from './helpers.js';

interface Row {
  loss: number;
  accuracy: number;
  valLoss: number;
  valAccuracy: number;
  inputSeconds: number;
}

interface Outcome {
  model: string;
  parameters: number;
  end: string;
  epochs: Row[];
  memory: { peakBytes: number };
}

const tiny = ['--data', 'builtin:digits', '--limit', '96', '--batch-size', '32', '--no-report'];
const plain = ['--model', 'mlp', '--tensorboard', 'off'];

const outcome = (stdout: string): Outcome => JSON.parse(stdout) as Outcome;
const losses = ({ epochs }: Outcome): number[] =>
  epochs.flatMap(({ loss, valLoss }) => [loss, valLoss]);

describe('tilegrad train, any model on any data', () => {
  let out: string;
  let first: Outcome;
  beforeAll(async () => {
    out = join(folder(), 'run');
    const settings = ['--input', '14,14,3', '--classes', '12', '--augment', 'flip,shift=0.1'];
    const schedule = ['--optimizer', 'sgd', '--lr', '0.05', '--schedule', 'cosine'];
    const args = [...settings, ...schedule, '--epochs', '2', '--out', out, '--json'];
    const { code, stdout, stderr } = await run('train', 'mnist', ...tiny, ...plain, ...args);
    expect(stderr).toContain('images of 14×14×3, 12 classes');
    expect(code).toBe(0);
    first = outcome(stdout);
  }, 60_000);

  it('builds the network for the size and classes that were asked for', () => {
    const [hidden, classes] = [[256, 128], 12];
    const sizes = [14 * 14 * 3, ...hidden, classes];
    const parameters = sizes.slice(1).reduce((sum, size, i) => sum + size * (sizes[i] + 1), 0);
    expect(first).toMatchObject({ model: 'mlp', parameters, end: 'done' });
    expect(first.memory.peakBytes).toBeGreaterThan(4 * parameters);
    expect(first.epochs[0].inputSeconds).toBeGreaterThan(0);
  });

  it('repeats a run from its config.json, where options come first', async () => {
    const again = ['train', '--config', join(out, 'config.json'), '--no-report', '--json'];
    const same = await run(...again, '--out', join(folder(), 'same'));
    expect(same.stderr).not.toContain('error');
    expect(losses(outcome(same.stdout))).toEqual(losses(first));
    const other = await run(...again, '--out', join(folder(), 'other'), '--seed', '9');
    expect(losses(outcome(other.stdout))).not.toEqual(losses(first));
  }, 60_000);

  it('--resume with another model or other settings is refused, and harms nothing', async () => {
    const before = readFileSync(join(out, 'last.safetensors'));
    const model = await run('train', '--resume', out, '--model', 'mnist-cnn');
    expect(model.code).toBe(2);
    expect(model.stderr).toContain(`${out} is a run of the model mlp, not mnist-cnn`);
    const other = await run('train', '--resume', out, '--batch-size', '8', '--augment', 'none');
    expect(other.code).toBe(2);
    expect(other.stderr).toContain("the run's own settings, got --batch-size, --augment");
    expect(readFileSync(join(out, 'last.safetensors')).equals(before)).toBe(true);
  });

  it('prolongs a run', async () => {
    const { code, stdout } = await run(
      ...['train', '--resume', out, '--epochs', '3', '--no-report', '--json'],
    );
    expect(code).toBe(0);
    expect(outcome(stdout).epochs).toHaveLength(3);
    expect(losses(outcome(stdout)).slice(0, 4)).toEqual(losses(first));
  }, 60_000);

  it('begins with the weights of another run', async () => {
    const args = ['--input', '14,14,3', '--classes', '12', '--lr', '1e-30', '--epochs', '1'];
    const { stdout, stderr } = await run(
      ...['train', 'mnist', ...tiny, ...plain, ...args, '--init-from', out, '--json'],
      ...['--out', join(folder(), 'transfer')],
    );
    const [epoch] = outcome(stdout).epochs;
    expect(epoch.valLoss).toBeLessThan(first.epochs[0].loss);
    expect(stderr).toContain('6 of 6');
  }, 60_000);
});

it('--overfit learns a few images by heart, or fails', async () => {
  const learned = await run(
    ...['train', 'mnist', '--data', 'builtin:digits', '--overfit', '--no-report', '--json'],
    ...['--tensorboard', 'off'],
    ...['--out', join(folder(), 'learned')],
  );
  expect(learned.code).toBe(0);
  expect(outcome(learned.stdout).end).toBe('learned');
  const { accuracy, valAccuracy } = outcome(learned.stdout).epochs.at(-1)!;
  expect(Math.max(accuracy, valAccuracy)).toBe(1);
  const failed = await run(
    ...['train', 'mnist', '--data', 'builtin:digits', '--overfit', '--no-report', '--lr', '1e-30'],
    ...['--epochs', '2', '--model', 'mlp', '--out', join(folder(), 'failed')],
  );
  expect(failed.code).toBe(1);
  expect(failed.stdout).toMatch(/of the training images by heart in 2 epochs, not all/);
}, 90_000);

describe('wrong settings get one clear error', () => {
  const cases: [string, string[], RegExp][] = [
    [
      'no schedule',
      ['--schedule', 'cosin'],
      /no schedule named "cosin"\nfix: did you mean "cosine"\?/,
    ],
    ['no augmentation', ['--augment', 'flipp'], /augment: there is no "flipp"/],
    ['a share of 1', ['--dropout', '1'], /expected a number from 0 to less than 1/],
    ['no shape', ['--input', '28,x'], /expected one number, or H,W,C, such as 64,64,3/],
    ['channels no image has', ['--input', '28,28,2'], /images have 1 channel \(grey\) or 3, not 2/],
    ['too few classes', ['--classes', '5'], /--classes 5, but builtin:digits.* has 10 classes/],
    [
      'momentum for adam',
      ['--momentum', '0.5'],
      /optimizer: adam has no --momentum; it takes --lr, --weight-decay, --beta1/,
    ],
    ['a frozen nobody', ['--freeze', 'fc'], /--freeze fc: no parameter has such a name/],
    ['everything frozen', ['--freeze', '*'], /leaves no parameter to train/],
    ['dropout without layers', ['--model', 'mlp', '--dropout', '0.5'], /mlp has no dropout layer/],
    ['colour for grey', ['--normalize', 'imagenet'], /is for 3 channels, the images have 1/],
    [
      'a shortcut for none',
      ['--model', 'mlp', '--shortcut', 'pad'],
      /mlp has no shortcuts to choose/,
    ],
    ['a missing config', ['--config', 'none.json'], /--config none.json: no such file/],
    ['weights that are not there', ['--init-from', 'none.h5'], /none\.h5/],
    [
      'weights of no f32',
      ['--l2', '2e38'],
      /--l2 2e\+38 with --weight-decay 0 makes 4e\+38, which f32/,
    ],
    [
      'a rate that grows beyond f32',
      ['--schedule', 'exponential:1e10', '--epochs', '9'],
      /takes the learning rate to \S+ within 9 epochs, which f32 cannot hold\nfix: choose a factor/,
    ],
    ['a value twice', ['--lr', '1', '--lr', '2'], /--lr was given twice/],
    ['a number of two words twice', ['--l2', '1', '--l2', '2'], /--l2 was given twice/],
    [
      'a factor that raises the rate',
      ['--schedule', 'plateau:2,1'],
      /schedule: expected plateau:FACTOR,PATIENCE .*, got "plateau:2,1": factor=2, which is out of range/,
    ],
    [
      'images too small for the network',
      ['--model', 'mnist-cnn', '--input', '2,2,1'],
      /smaller than the network can take\nfix: use --input with at least 4,4, to which images are scaled/,
    ],
    ['no file as an option', ['--config', ''], /train: --config: expected a value, got ""/],
  ];
  it.each(cases)('%s', async (_title, args, message) => {
    const out = join(folder(), 'r');
    const { code, stderr, stdout } = await run('train', 'mnist', ...tiny, ...args, '--out', out);
    expect(stderr).toMatch(message);
    expect(code).toBeGreaterThan(0);
    expect(stdout).toBe('');
    expect(stderr).not.toContain('    at ');
    // Names of the library mean nothing on the command line; Dawn's warnings are its own.
    expect(stderr.replace(/^Warning: .*$/gm, '')).not.toMatch(/\b[a-z]+[A-Z]\w*/);
    expect(existsSync(out)).toBe(false);
  });

  it.each([
    ['train', '--resume', ''],
    ['train', 'mnist', '--out', ''],
    ['evaluate', '', '--data', 'builtin:digits'],
    ['predict', 'nowhere', 'a.png', ''],
    ['export', 'nowhere', '--out', ''],
    ['summary', 'mlp', '--plot', ''],
    ['data', 'preview', ''],
  ])('%s %s %s %s: an empty name is none', async (...args) => {
    const { code, stderr } = await run(...args);
    expect(stderr).toMatch(/: expected a value, got ""$/m);
    expect(code).toBe(2);
  });

  it('a device is no data', async () => {
    const { code, stderr } = await run('train', 'images', '--data', '/dev/null', '--out', folder());
    expect(code).toBe(1);
    expect(stderr).toContain('/dev/null: neither a file nor a folder, but a device');
  });

  it('a pickle of weights is refused before any image is looked for', async () => {
    const where = folder();
    const path = join(where, 'resnet20.th');
    writeFileSync(path, Buffer.from('80028a0a6cfc9c46f9206aa850192e8002', 'hex'));
    const { code, stderr } = await run('train', 'images', '--data', where, '--init-from', path);
    expect(code).toBe(1);
    expect(stderr).toContain(
      `${path}: expected weights as safetensors or Keras' .h5, got a pickle`,
    );
    expect(stderr).toContain('st.save_file(');
  });

  it('an unknown key in a config file names the nearest one', async () => {
    const path = join(folder(), 'c.json');
    writeFileSync(path, '{"recipe": "mnist", "batchsize": 4}');
    const { code, stderr } = await run('train', '--config', path);
    expect(code).toBe(2);
    expect(stderr).toContain('no setting named "batchsize"\nfix: did you mean "batchSize"?');
  });
});

it('a run keeps its kind of shortcuts: evaluated, exported and summed up with them', async () => {
  const out = join(folder(), 'run');
  const { code, stderr } = await run(
    ...[
      'train',
      'mnist',
      '--data',
      'builtin:digits',
      '--model',
      'cifar-resnet20',
      '--input',
      '8,8,1',
    ],
    ...['--shortcut', 'projection', '--limit', '16', '--batch-size', '16', '--epochs', '1'],
    ...['--no-report', '--out', out],
  );
  expect([code, stderr]).toEqual([0, stderr]);
  expect(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'))).toMatchObject({
    shortcut: 'projection',
  });
  const judged = await run('evaluate', out, '--data', 'builtin:digits', '--limit', '16', '--json');
  expect([judged.code, judged.stderr]).toEqual([0, judged.stderr]);
  const file = join(out, 'net.safetensors');
  const exported = await run('export', out, '--format', 'tilegrad', '--out', file, '--json');
  expect(exported.code).toBe(0);
  const again = await run('evaluate', file, '--data', 'builtin:digits', '--limit', '16', '--json');
  const before = JSON.parse(judged.stdout) as object;
  expect(JSON.parse(again.stdout)).toEqual({ ...before, weights: file });
  const summary = await run('summary', 'cifar-resnet20', '--shortcut', 'projection');
  expect(summary.stdout).toContain('layer2.0.downsample.0');
}, 180_000);

it('a bad image is named, skipped and counted at the end', async () => {
  const where = folder();
  for (const [k, name] of ['dark', 'light'].entries()) {
    mkdirSync(join(where, 'data', name), { recursive: true });
    for (let n = 0; n < 20; n++) {
      const raw = { width: 8, height: 8, channels: 3 as const };
      const pixels = Buffer.alloc(192, 40 + 150 * k + n);
      await sharp(pixels, { raw })
        .png()
        .toFile(join(where, 'data', name, `${n}.png`));
    }
  }
  writeFileSync(join(where, 'data', 'dark', 'broken.png'), 'no picture');
  const { code, stdout, stderr } = await run(
    ...['train', 'images', '--data', join(where, 'data'), '--input', '8,8,3', '--model', 'mlp'],
    ...['--epochs', '1', '--batch-size', '8', '--no-report', '--out', join(where, 'run')],
  );
  expect(code).toBe(0);
  expect(stderr).toMatch(/broken\.png/);
  expect(stdout).toMatch(/skipped 1 /);
}, 60_000);
