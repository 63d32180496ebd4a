export { recordJson, renderReport } from './report.js';
