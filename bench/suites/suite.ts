import type { Case } from '../cases.js';
import type { Measurement, SuiteResult } from '../measurement.js';
import type { Peak } from '../peak.js';
import type { Peer } from '../peers/registry.js';

/** What a suite works with. */
export interface Bench {
  readonly cases: readonly Case[];
  readonly peak: Peak;
  readonly cores: number;
  /** Whether the relaxed build is measured as well. */
  readonly relaxed: boolean;
  /** For a look, not for numbers to quote. */
  readonly quick: boolean;
  /** Those that were asked for. */
  readonly peers: readonly Peer[];
  /** Hears of every measurement as it comes. */
  readonly onMeasurement: (measurement: Measurement) => void;
}

export interface Suite {
  readonly name: string;
  readonly about: string;
  /** Takes minutes, so that it runs only when it is named. */
  readonly onRequest?: true;
  readonly run: (bench: Bench) => Promise<SuiteResult>;
}
