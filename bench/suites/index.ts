import { engines } from './engines.js';
import { kernels } from './kernels.js';
import { mcmc } from './mcmc.js';
import { precision } from './precision.js';
import { reweighting } from './reweighting.js';
import { sampling } from './sampling.js';
import { scaling } from './scaling.js';
import type { Suite } from './suite.js';
import { training } from './training.js';

/** In the order in which they run. */
export const SUITES: readonly Suite[] = [kernels, sampling, training, engines, reweighting, mcmc, precision, scaling];
