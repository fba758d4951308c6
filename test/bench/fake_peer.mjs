// An engine for the tests of the bench: it computes convolutions by plain loops. The first argument says how it behaves:
// agree, wrong (its results are off by a hundredth), dies (at every second job), missing (it cannot run at all).

import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const behaviour = process.argv[2];
if (behaviour === 'missing') {
  process.stderr.write('missing: its package cannot be found\nfix: install it\n');
  process.exit(3);
}

let jobs = 0;
for await (const line of createInterface({ input: process.stdin })) {
  if (behaviour === 'dies' && ++jobs === 2) {
    process.stderr.write('out of luck\n');
    process.exit(1);
  }
  const job = JSON.parse(line);
  const result = compute(job, {
    x: floatsOf(job.files.x),
    filter: floatsOf(job.files.filter),
    dy: job.direction === 'forward' ? null : floatsOf(job.files.dy),
  });
  writeFileSync(job.output, behaviour === 'wrong' ? result.map((v) => v + 0.01) : result);
  process.stdout.write('a line of some library\n');
  const answer = { engine: 'fake 1.0', adapter: 'paper', ms: 1e6, runs: 5, output: job.output };
  process.stdout.write(`${JSON.stringify(answer)}\n{"done":true}\n`);
}

/** @param {string} path */
function floatsOf(path) {
  const { buffer, byteOffset, byteLength } = readFileSync(path);
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

/**
 * @param {any} job
 * @param {{ x: Float32Array, filter: Float32Array, dy: Float32Array | null }} operands
 */
function compute({ n, h, w, c, k, r, stride, p, q, padding, isDepthwise, direction }, operands) {
  const { x, filter, dy } = operands;
  const before = (/** @type {number} */ out, /** @type {number} */ size) =>
    padding === 'same'
      ? Math.floor(Math.max(0, (out - 1) * stride + r - size) / 2)
      : padding === 'valid'
        ? 0
        : padding;
  const [top, left] = [before(p, h), before(q, w)];
  const channels = isDepthwise ? 1 : c;
  const sizes = {
    forward: n * p * q * k,
    'grad-input': n * h * w * c,
    'grad-weight': r * r * channels * k,
  };
  const sums = new Float64Array(sizes[/** @type {keyof typeof sizes} */ (direction)]);
  const each = (/** @type {number} */ count, /** @type {(i: number) => void} */ fn) => {
    for (let i = 0; i < count; i++) fn(i);
  };
  each(n * p * q * k, (y) => {
    const [ik, iq] = [y % k, Math.floor(y / k) % q];
    const [ip, image] = [Math.floor(y / (k * q)) % p, Math.floor(y / (k * q * p))];
    each(r * r * channels, (tap) => {
      const ic = isDepthwise ? Math.floor(ik / (k / c)) : tap % channels;
      const row = ip * stride + Math.floor(tap / (r * channels)) - top;
      const column = iq * stride + (Math.floor(tap / channels) % r) - left;
      if (row < 0 || row >= h || column < 0 || column >= w) return;
      const at = ((image * h + row) * w + column) * c + ic;
      const weight = tap * k + ik;
      if (!dy) sums[y] += x[at] * filter[weight];
      else if (direction === 'grad-input') sums[at] += dy[y] * filter[weight];
      else sums[weight] += x[at] * dy[y];
    });
  });
  return new Float32Array(sums);
}
