import { describe, expect, it } from 'vitest';
import { performancePage } from '../../scripts/performance_table.mjs';

describe('the page of measurements', () => {
  const saved = {
    ...{ adapter: 'A', isSoftware: false, timing: 'wall clock', peak: { gflops: 50, gbps: 5 } },
    ...{ driver: 'D', node: 'v22', commit: null, date: '2026-01-02T03:04:05Z' },
  };
  const row = (changes: object) => ({
    ...{ op: 'conv2d', shape: '1,2', direction: 'forward', variant: 'naive', dtype: 'f32' },
    ...{ engine: 'tilegrad', isChosen: false, ms: 4, gflops: 1, gbps: 1, percentOfPeak: 2 },
    ...changes,
  });

  it('compares the chosen kernel with the best other engine, those of fewer bits apart', () => {
    const results = [
      row({}),
      row({ variant: 'tiled', isChosen: true, ms: 2, gflops: 2 }),
      row({ engine: 'other', variant: '–', ms: 6 }),
      row({ engine: 'reduced', variant: '–', ms: 1, isReduced: true }),
      row({ direction: 'grad-input', isChosen: true, ms: 4 }),
      row({ direction: 'grad-input', engine: 'other', variant: '–', ms: 1, gflops: 123.4 }),
    ];
    const page = performancePage([{ name: 'a.json', saved: { ...saved, results } }]);
    expect(page).toContain('## a: A, beside other and reduced\n');
    const lines = page.split('\n').filter((line) => line.startsWith('| 1,2'));
    const cells = lines.map((line) => line.split('|').map((cell) => cell.trim()));
    expect(cells[0].slice(2, -1)).toEqual(['forward', 'tiled', '2.00', '1.00', '1.00', '3.00']);
    expect(cells[1].slice(2, -1)).toEqual(['grad-input', 'naive', '1.00', '123', '–', '0.25']);
    // √(3 · ¼)
    expect(page).toContain(
      'Geometric mean over the best of them: 0.87 in 2 places; another engine is faster in 1.',
    );
  });

  it('sums up the files that hold other engines', () => {
    const place = (mine: number, other: number) => [
      row({ isChosen: true, ms: mine }),
      row({ engine: 'other', variant: '–', ms: other }),
      row({ op: 'train', direction: 'step', isChosen: true, ms: 1 }),
      row({ op: 'train', direction: 'step', engine: 'other', ms: 9 }),
    ];
    const alone = [row({ isChosen: true })];
    const files = [place(1, 2), alone, place(2, 1)].map((results, i) => ({
      ...{ name: `${i}.json`, saved: { ...saved, results } },
    }));
    const lines = performancePage(files).split('\n');
    const cells = lines
      .slice(lines.indexOf('## Kernels beside other engines'))
      .filter((line) => /^\| (\d.json|all)/.test(line))
      .map((line) =>
        line
          .split('|')
          .map((cell) => cell.trim())
          .slice(1, -1),
      );
    expect(cells).toEqual([
      ['0.json', '1', '2.00', '2.00', '0'],
      ['2.json', '1', '0.50', '0.50', '1'],
      ['all', '2', '1.00', '0.50', '1'],
    ]);
    expect(performancePage(files.slice(0, 2))).not.toContain('## Kernels beside other engines');
  });

  it('sums up what choices by rule cost beside tuned ones', () => {
    const kernel = (label: string, beforeMs: number | null, afterMs: number) => ({
      ...{ label, beforeMs, afterMs, builtIn: 'rule', chosen: beforeMs === 1 ? 'rule' : 'tuned' },
    });
    const tunings = [
      { ms: 2000, kernels: [kernel('one', 1, 1), kernel('two', 4, 1)] },
      { ms: 3000, kernels: [kernel('three', null, 1), kernel('four', 1.1, 1)] },
    ];
    const files = tunings.map((tuning, i) => ({
      ...{ name: `${i}.json`, saved: { ...saved, tuning, results: [row({})] } },
    }));
    const page = performancePage(files);
    expect(page).toMatch(/\| 0\.json \| +2 \| +1 \| +2\.000 \| +4\.00 \| +1 \| +2 \|/);
    expect(page).toMatch(/\| 1\.json \| +2 \| +2 \| +1\.100 \| +1\.10 \| +0 \| +3 \|/);
    // ∛(1 · 4 · 1.1)
    expect(page).toMatch(/\| all +\| +4 \| +3 \| +1\.639 \| +4\.00 \| +1 \| +5 \|/);
    expect(page).toContain('\n- two: rule 4.00 ms, tuned 1.00 ms\n');
    const untuned = { name: 'a.json', saved: { ...saved, results: [row({})] } };
    expect(performancePage([untuned])).not.toContain('Choices by rule');
  });

  it('tells of an adapter alone what is chosen and how far it is from the fastest', () => {
    const results = [
      row({ ms: 4, isChosen: true }),
      row({ variant: 'tiled', ms: 1 }),
      row({ variant: 'wrong', ms: null }),
    ];
    const page = performancePage([{ name: 'a.json', saved: { ...saved, results } }]);
    expect(page).toMatch(/\| 1,2 .* naive .* 4\.00 .* tiled \|\s+25\.0 \|/);
    expect(page).toContain('2026-01-02, commit unknown, Node v22');
  });

  it('shows whole training steps, a line for each engine', () => {
    const step = { op: 'train', shape: '64,28,28,1,10', direction: 'step', variant: 'mnist-cnn' };
    const training = (imagesPerSecond: number | null, memoryOf: string, loss: number) => ({
      ...{ imagesPerSecond, firstStepMs: 2500, peakBytes: 2 ** 21, memoryOf, losses: [9, loss] },
    });
    const results = [
      row({ ...step, ms: 640, isChosen: true, training: training(100, 'arrays', 5.5) }),
      row({
        ...{ ...step, ms: 160, engine: 'other', relativeError: 2e-4 },
        training: training(400, 'the process', 5.501),
      }),
      row({
        ...{ ...step, ms: null, engine: 'wrong', relativeError: 0.2, problem: 'disagrees' },
        training: training(null, '', 6.6),
      }),
    ];
    const losses = { optimizer: 'adam', lr: 5e-5, usualLr: 5e-4, allowed: [1e-3, 4e-3] };
    const page = performancePage([
      { name: 'a.json', saved: { ...saved, results, comparison: { losses } } },
    ]);
    const lines = page.split('\n').filter((line) => line.startsWith('| mnist-cnn'));
    const cells = lines.map((line) => line.split('|').map((cell) => cell.trim()));
    expect(cells.map((line) => line.slice(3, -1))).toEqual([
      ['tilegrad', '100', '640', '4.00', '2.50', '2.00', '5.50000', '–'],
      ['other', '400', '160', '1.00', '2.50', '2.00', '5.50100', '2.0e-4'],
      ['wrong', '–', '–', '–', '2.50', '2.00', '6.60000', '2.0e-1'],
    ]);
    expect(page).toContain(
      'Losses after 1 updates by adam at a rate of 0.00005 (usually 0.0005), dropout off',
    );
    expect(page).toContain('up to 4.0e-3 is allowed');
    expect(page).toContain('Memory: tilegrad: arrays; other: the process.');
    expect(page).toContain('\nwrong: disagrees.\n');
  });
});
