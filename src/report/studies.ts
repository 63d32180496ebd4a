import { DataError } from '../errors.js';
import type { ExperimentRecord, GeneratorRun, TrainingSet } from '../experiment/record.js';

/** A training set with the two generators trained on it that the figures show, and those of further seeds. */
export interface Study {
  readonly trainingSet: TrainingSet;
  readonly nBG: GeneratorRun;
  readonly eqBG: GeneratorRun;
  readonly furtherSeeds: readonly GeneratorRun[];
}

/**
 * Puts the runs of a record with their training sets, in the order of the record.
 *
 * @throws DataError if a training set lacks one of the two generators
 */
export function studies(record: ExperimentRecord): Study[] {
  return record.trainingSets.map((trainingSet) => {
    const runs = record.runs.filter((run) => run.trainingSet === trainingSet.id);
    const first = (label: GeneratorRun['label']) => {
      const run = runs.find((candidate) => candidate.label === label);
      if (run === undefined) {
        throw new DataError(
          `report: record.runs has no ${label} for training set ${trainingSet.id}, expected at least one`,
        );
      }
      return run;
    };
    const [nBG, eqBG] = [first('nBG'), first('eqBG')];
    return { trainingSet, nBG, eqBG, furtherSeeds: runs.filter((run) => run !== nBG && run !== eqBG) };
  });
}
