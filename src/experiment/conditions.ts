import type { Progress } from '../progress.js';
import type { System } from '../systems/index.js';
import type { WorkerPool } from '../workers/index.js';
import type { ExperimentSettings } from './settings.js';

/** What all parts of the experiment share. */
export interface Conditions {
  readonly system: System;
  readonly settings: ExperimentSettings;
  readonly pool: WorkerPool;
  readonly onProgress?: Progress;
  readonly interruption: { readonly signal?: AbortSignal };
}

/** The clock of the experiment, in seconds. */
export function seconds(): number {
  return performance.now() / 1000;
}
