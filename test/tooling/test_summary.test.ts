import { expect, test } from 'vitest';
import { countTests, summarise } from '../../scripts/test_summary.mjs';

type Report = Parameters<typeof countTests>[0];

/** Line and verdict of one run of vitest. */
function verdict(report: Report, exitCode: number) {
  const counts = countTests(report, exitCode);
  return { ...summarise(counts), remark: counts.remark };
}

const passing = { status: 'passed', assertionResults: [{ status: 'passed' }] };

function report(passed: number, failed: number, pending: number, testResults = [passing]) {
  return {
    numPassedTests: passed,
    numFailedTests: failed,
    numPendingTests: pending,
    numTodoTests: 0,
    testResults,
  };
}

test('a clean run passes', () => {
  expect(verdict(report(12, 0, 0), 0)).toMatchObject({ line: '12 passed, 0 failed', ok: true });
});

test('skipped tests are counted', () => {
  expect(verdict(report(12, 0, 3), 0).line).toBe('12 passed, 0 failed, 3 skipped');
});

test('a failed test fails the run whatever the exit code says', () => {
  const failing = { status: 'failed', assertionResults: [{ status: 'failed' }] };
  const summary = verdict(report(12, 1, 0, [passing, failing]), 0);
  expect(summary).toMatchObject({ line: '12 passed, 1 failed', ok: false });
});

test('a file that does not load counts as a failure', () => {
  const broken = { status: 'failed', assertionResults: [] };
  const summary = verdict(report(12, 0, 0, [passing, broken]), 1);
  expect(summary).toMatchObject({ line: '12 passed, 1 failed', ok: false });
});

test('an error outside every test counts as a failure', () => {
  const summary = verdict(report(12, 0, 0), 1);
  expect(summary).toMatchObject({ line: '12 passed, 1 failed', ok: false });
  expect(summary.remark).toContain('exit code 1');
});

test('a run without tests, or without a report, does not pass', () => {
  expect(verdict(report(0, 0, 0, []), 0)).toMatchObject({
    line: '0 passed, 0 failed',
    ok: false,
  });
  expect(verdict(report(0, 0, 4, []), 0).ok).toBe(false);
  expect(verdict(null, 1)).toMatchObject({ line: '0 passed, 1 failed', ok: false });
});

test('several runs are summed, and one that failed fails them all', () => {
  const [good, bad] = [countTests(report(12, 0, 3), 0), countTests(null, 1)];
  expect(summarise(good, good)).toEqual({ line: '24 passed, 0 failed, 6 skipped', ok: true });
  expect(summarise(good, bad)).toEqual({ line: '12 passed, 1 failed, 3 skipped', ok: false });
});
