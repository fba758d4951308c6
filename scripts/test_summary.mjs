// The last line of `npm test` and `npm run test:all`, from vitest's JSON reports.

/**
 * @typedef {object} Report
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {number} numPendingTests
 * @property {number} numTodoTests
 * @property {{ status: string, assertionResults: { status: string }[] }[]} testResults
 */

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/**
 * @param {Report | null} report null when vitest wrote none
 * @param {number} exitCode of vitest
 * @returns {Counts & { remark?: string }}
 */
export function countTests(report, exitCode) {
  if (!report) {
    return { passed: 0, failed: 1, skipped: 0, remark: 'vitest ended without a report' };
  }
  // A file that does not load holds no test that could fail: it counts as one.
  const brokenFiles = report.testResults.filter(
    (file) =>
      file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed'),
  ).length;
  const passed = report.numPassedTests;
  const skipped = report.numPendingTests + report.numTodoTests;
  const failed = report.numFailedTests + brokenFiles;
  if (failed === 0 && exitCode !== 0) {
    const remark = `vitest ended with exit code ${exitCode} though no test failed: see the errors above`;
    return { passed, failed: 1, skipped, remark };
  }
  return { passed, failed, skipped, ...(passed + failed === 0 ? { remark: 'no test ran' } : {}) };
}

/**
 * The closing line, and whether the run as a whole passed.
 *
 * @param {Counts[]} counts
 */
export function summarise(...counts) {
  const sum = (/** @type {keyof Counts} */ key) => counts.reduce((n, part) => n + part[key], 0);
  const [passed, failed, skipped] = [sum('passed'), sum('failed'), sum('skipped')];
  const line = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
  return { line, ok: failed === 0 && passed > 0 };
}
