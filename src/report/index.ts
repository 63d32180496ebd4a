export { recordJson, renderReport } from './report.js';
export { renderSampleReport, reportProfiles } from './sample-report.js';
export { parseTrainingRecord, renderTrainingReport, type TrainingCurves } from './training-report.js';
