import { kernels } from './kernels.js';
import { sampling } from './sampling.js';
import type { Suite } from './suite.js';
import { training } from './training.js';

/** In the order in which they run. */
export const SUITES: readonly Suite[] = [kernels, sampling, training];
