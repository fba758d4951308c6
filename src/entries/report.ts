/** `tilegrad/report`: a page of curves, confusion matrices and pictures for a run. */
export {
  writeReport,
  writeReportFiles,
  type ReportFacts,
  type ReportSubject,
} from '../train/report/index.js';
