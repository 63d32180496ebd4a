import type { Stage } from '../stage.js';

/** Something that happens on clusters, played on a real one. */
export interface Scenario {
  readonly name: string;
  /** @returns what was seen, in a few words; rejects if anything is not as it must be */
  readonly play: (stage: Stage) => Promise<string>;
}
