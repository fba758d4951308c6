import { expect, test } from 'vitest';
import { summarise } from '../../scripts/test_summary.mjs';

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
  expect(summarise(report(12, 0, 0), 0)).toMatchObject({ line: '12 passed, 0 failed', ok: true });
});

test('skipped tests are counted', () => {
  expect(summarise(report(12, 0, 3), 0).line).toBe('12 passed, 0 failed, 3 skipped');
});

test('a failed test fails the run whatever the exit code says', () => {
  const failing = { status: 'failed', assertionResults: [{ status: 'failed' }] };
  const summary = summarise(report(12, 1, 0, [passing, failing]), 0);
  expect(summary).toMatchObject({ line: '12 passed, 1 failed', ok: false });
});

test('a file that does not load counts as a failure', () => {
  const broken = { status: 'failed', assertionResults: [] };
  const summary = summarise(report(12, 0, 0, [passing, broken]), 1);
  expect(summary).toMatchObject({ line: '12 passed, 1 failed', ok: false });
});

test('an error outside every test counts as a failure', () => {
  const summary = summarise(report(12, 0, 0), 1);
  expect(summary).toMatchObject({ line: '12 passed, 1 failed', ok: false });
  expect(summary.remark).toContain('exit code 1');
});

test('a run without tests, or without a report, does not pass', () => {
  expect(summarise(report(0, 0, 0, []), 0)).toMatchObject({
    line: '0 passed, 0 failed',
    ok: false,
  });
  expect(summarise(report(0, 0, 4, []), 0).ok).toBe(false);
  expect(summarise(null, 1)).toMatchObject({ line: '0 passed, 1 failed', ok: false });
});
