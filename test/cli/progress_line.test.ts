import { expect, it, onTestFinished, vi } from 'vitest';
import type { Device } from '../../src/index.js';
import { liveText, ProgressLine } from '../../src/train/callbacks/progress_line.js';
import type { LiveProgress } from '../../src/train/callbacks/index.js';

const live: LiveProgress = {
  ...{ epoch: 3, epochs: 12, done: 30_000, total: 60_000, phase: 'train' },
  ...{ loss: 0.0431, accuracy: 0.98721, imagesPerSecond: 250 },
};

it('shows bar, speed, loss, accuracy and time left', () => {
  expect(liveText(live, 120)).toBe(
    'epoch 3/12 ━━━━━━━━━━━━──────────── 30000/60000 250 img/s loss 0.0431 acc 98.72 % left 2:00',
  );
});

it('gives up the bar first where there is little room, and never wraps', () => {
  expect(liveText(live, 80)).toBe(
    'epoch 3/12 ━━━━━━─────── 30000/60000 250 img/s loss 0.0431 acc 98.72 % left 2:00',
  );
  for (const room of [20, 40, 60, 79, 100]) {
    expect(liveText(live, room).length).toBeLessThanOrEqual(room);
  }
});

/** A terminal that keeps what is written. */
function terminal(columns: number, isTTY = true) {
  const written: string[] = [];
  const stream = { isTTY, columns, write: (text: string) => written.push(text) };
  return { written, stream: stream as unknown as NodeJS.WriteStream };
}

it('draws over itself on a terminal and clears what it drew', () => {
  const { written, stream } = terminal(60);
  const line = new ProgressLine(stream);
  line.show(live);
  line.clear();
  expect(written[0].startsWith('\repoch 3/12 ')).toBe(true);
  expect(written[1]).toBe(`\r${' '.repeat(59)}\r`);
});

it('writes nothing but epochs where the output is no terminal', () => {
  const { written, stream } = terminal(0, false);
  const line = new ProgressLine(stream);
  line.show(live);
  const row = {
    ...{ ...live, valLoss: 0.03, valAccuracy: 0.99, learningRate: 0.00049999999 },
    ...{ seconds: 61, inputSeconds: 0.1 },
  };
  line.finish(row, 12);
  expect(written).toEqual([
    'epoch  3/12  loss 0.0431  acc 98.72 %  val loss 0.0300  val acc 99.00 %  lr 0.0005  1:01  250 img/s\n',
  ]);
});

it('counts images that are made ready, once in a line where there is no terminal', () => {
  const pipe = terminal(0, false);
  const plain = new ProgressLine(pipe.stream);
  for (const done of [0, 500, 1000]) plain.decoded(done, 1000);
  expect(pipe.written).toEqual(['reading 1,000 images\n']);
  const tty = terminal(60);
  const drawn = new ProgressLine(tty.stream);
  drawn.decoded(500, 1000);
  drawn.decoded(1000, 1000);
  expect(tty.written[0]).toMatch(/^\rreading 1,000 images ━{12}─{12} 50\.00 %/);
  expect(tty.written).toHaveLength(2);
});

/** A line on a terminal, with a clock that is set by hand. */
function atTime(columns = 100) {
  const { written, stream } = terminal(columns);
  let now = 0;
  const line = new ProgressLine(stream, () => now);
  const report = (seconds: number, done: number, imagesPerSecond = 0): string => {
    now = seconds * 1000;
    line.show({ ...live, done, total: 1000, imagesPerSecond });
    return written.at(-1)!;
  };
  return { line, written, report, set: (seconds: number) => (now = seconds * 1000) };
}

it('tells the time left by the speed since the first report, which holds the compiling', () => {
  const { report } = atTime();
  // 20 s went by with compiling; from then on 10 images a second.
  report(20, 10, 0.5);
  expect(report(25, 60, 10)).toContain('left 1:34');
  // A tenth of the epoch is done. One slow report changes little: 95 images in 10.5 s.
  expect(report(30.5, 105, 8)).toMatch(/left 1:39/);
});

it('moves between reports, by no more than there was between the last two, and never back', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { line, written, report, set } = atTime();
  const device = { runtime: { pipelines: { compiledCount: 0, watch: () => undefined } } };
  line.onBegin({ device: device as unknown as Device, epoch: 2, epochs: 12 });
  set(3);
  vi.advanceTimersByTime(250);
  expect(written.at(-1)).toMatch(/^\repoch 3\/12 first step 0:03/);
  report(10, 100, 10);
  report(20, 200, 10);
  set(25);
  vi.advanceTimersByTime(250);
  expect(written.at(-1)).toMatch(/ 250\/1000 10 img\/s/);
  set(60);
  vi.advanceTimersByTime(250);
  expect(written.at(-1)).toMatch(/ 300\/1000 /);
  expect(report(61, 260)).toMatch(/ 300\/1000 /);
  line.close();
  const drawn = written.length;
  set(90);
  vi.advanceTimersByTime(5000);
  expect(written).toHaveLength(drawn);
});

it('counts the kernels that are compiled before the first step', () => {
  const { written, stream } = terminal(60);
  const line = new ProgressLine(stream);
  let tell: ((compiled: number, all: number) => void) | null = null;
  const pipelines = { compiledCount: 3, watch: (told: typeof tell) => (tell = told) };
  const device = { runtime: { pipelines } } as unknown as Device;
  line.onBegin({ device, epoch: 0, epochs: 1 });
  tell!(15, 43);
  expect(written.at(-1)).toBe('\rcompiling kernels 12/40');
  tell!(43, 43);
  expect(written.at(-1)).toMatch(/^\r +\r$/);
  line.close();
  expect(tell).toBeNull();
});

it('fits 60 columns: the live line, and an epoch in two lines', () => {
  const fits = liveText({ ...live, epoch: 100, epochs: 250 }, 59);
  expect(fits).toMatch(/^epoch 100\/250 ━+─+ .*loss 0\.0431 acc 98\.72 % left 2:00$/);
  expect(fits.length).toBeLessThanOrEqual(59);
  const { written, stream } = terminal(60);
  const row = {
    ...{ ...live, valLoss: 0.03, valAccuracy: 0.99, learningRate: 5e-4, seconds: 61 },
    inputSeconds: 0.1,
  };
  new ProgressLine(stream).finish(row, 12);
  expect(written.join('').split('\n')).toEqual([
    'epoch  3/12  loss 0.0431  acc 98.72 %  val loss 0.0300',
    '  val acc 99.00 %  lr 0.0005  1:01  250 img/s',
    '',
  ]);
});

it('draws nothing over itself where the terminal is dumb', () => {
  vi.stubEnv('TERM', 'dumb');
  onTestFinished(() => void vi.unstubAllEnvs());
  const { written, stream } = terminal(60);
  const line = new ProgressLine(stream);
  line.show(live);
  line.decoded(1, 10);
  expect(written).toEqual(['reading 10 images\n']);
});
