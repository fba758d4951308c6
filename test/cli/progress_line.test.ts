import { expect, it } from 'vitest';
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
