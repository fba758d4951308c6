// The last line of `npm test`, from vitest's JSON report.

/**
 * @typedef {object} Report
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {number} numPendingTests
 * @property {number} numTodoTests
 * @property {{ status: string, assertionResults: { status: string }[] }[]} testResults
 */

/**
 * @param {Report | null} report null when vitest wrote none
 * @param {number} exitCode of vitest
 * @returns {{ line: string, ok: boolean, remark?: string }}
 */
export function summarise(report, exitCode) {
  if (!report) {
    return { line: '0 passed, 1 failed', ok: false, remark: 'vitest ended without a report' };
  }
  // A file that does not load holds no test that could fail: it counts as one.
  const brokenFiles = report.testResults.filter(
    (file) =>
      file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed'),
  ).length;
  const passed = report.numPassedTests;
  const skipped = report.numPendingTests + report.numTodoTests;
  let failed = report.numFailedTests + brokenFiles;
  let remark;
  if (failed === 0 && exitCode !== 0) {
    failed = 1;
    remark = `vitest ended with exit code ${exitCode} though no test failed: see the errors above`;
  } else if (passed + failed === 0) {
    remark = 'no test ran';
  }
  const line = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
  return { line, ok: failed === 0 && passed > 0, remark };
}
