export { recordJson, renderReport } from './report.js';
export { renderSampleReport, reportProfiles } from './sample-report.js';
export {
  parseTrainingRecord,
  renderTrainingReport,
  type TrainingCurves,
  type TrainingReport,
} from './training-report.js';
