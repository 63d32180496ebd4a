import { DataError } from '../errors.js';
import type { ExperimentRecord } from '../experiment/record.js';
import { page } from './page.js';
import { studies } from './studies.js';
import { loadDrawing } from './vega.js';

/**
 * The report of the paper's experiment as one HTML page that needs nothing beside it: style and SVG figures are inside.
 * Numbers that are not finite appear as dashes.
 *
 * @throws DataError if configurations are not planar or a training set lacks one of its generators
 * @throws UnavailableError if the optional packages vega and vega-lite are not installed
 */
export async function renderReport(record: ExperimentRecord): Promise<string> {
  const { dimensions } = record.system;
  if (dimensions !== 2) {
    throw new DataError(
      `report: record.system.dimensions is ${dimensions}, expected 2: the figures draw particles in the plane`,
    );
  }
  const shown = studies(record);
  if (shown.length === 0)
    throw new DataError('report: record.trainingSets is empty, expected at least one training set');
  return page(record, shown, await loadDrawing());
}

/** The record as one line of JSON; numbers that are not finite become null. */
export function recordJson(record: ExperimentRecord): string {
  return `${JSON.stringify(record)}\n`;
}
