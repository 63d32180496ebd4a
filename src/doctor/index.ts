export { type Examination, examine } from './examination.js';
