import type { HistogramAxis } from '../analysis/histogram.js';
import { UsageError } from '../errors.js';
import {
  coordinatesOf,
  isPerPair,
  needsConfigurations,
  type ProfileRequest,
  parseCoordinate,
  parseState,
  profileAxis,
  type ReweightingData,
  type ReweightingPlan,
} from '../reweighting/index.js';

/** What may be asked of weighted samples beside the verdict on the weights. */
export interface Asked {
  /** Coordinates to average, as `parseCoordinate` reads them. */
  readonly averages?: readonly string[];
  readonly profiles?: readonly ProfileRequest[];
  /** States, as `parseState` reads them, that exclude each other. */
  readonly states?: readonly string[];
}

/** What was asked for, read and checked before any sample is. */
export interface Question {
  readonly averages: readonly string[];
  readonly profiles: readonly ProfileRequest[];
  readonly coordinates: {
    readonly averages: ReweightingPlan['averages'];
    readonly profiles: ReweightingPlan['averages'];
  };
  readonly states: ReweightingPlan['states'];
  /** Whether something is made of positions. */
  readonly positions: boolean;
}

/**
 * Reads what is asked for.
 * @param names of the arrays there are beside energies and positions
 * @throws UsageError for coordinates, references or states that make no sense
 */
export function questionOf(names: readonly string[], options: Asked): Question {
  const { averages = [], profiles = [], states: stateTexts = [] } = options;
  const coordinates = {
    averages: averages.map((text) => parseCoordinate(text, names)),
    profiles: profiles.map(({ coordinate }) => parseCoordinate(coordinate, names)),
  };
  for (const [k, { coordinate, reference }] of profiles.entries()) {
    if (reference !== undefined && isPerPair(coordinates.profiles[k])) {
      throw new UsageError(`profile ${coordinate}: a reference needs one value per sample, such as d0-1`);
    }
  }
  const states = stateTexts.map((text) => parseState(text, names));
  if (states.length === 1) throw new UsageError(`states: only '${states[0].name}', expected two or more`);
  const all = coordinatesOf({
    averages: coordinates.averages,
    profiles: coordinates.profiles.map((coordinate) => ({ coordinate })),
    states,
  });
  return { averages, profiles, coordinates, states, positions: all.some(needsConfigurations) };
}

/** The axes of the profiles; where no range was given as the first samples suggest them. @throws as `profileAxis` */
export function axesOf({ profiles, coordinates }: Question, first: ReweightingData): HistogramAxis[] {
  return profiles.map((request, k) => profileAxis(request, coordinates.profiles[k], first));
}

/** All that decides the blocks of a reweighting. */
export function planOf({ coordinates, states }: Question, axes: readonly HistogramAxis[]): ReweightingPlan {
  return {
    averages: coordinates.averages,
    profiles: coordinates.profiles.map((coordinate, k) => ({ coordinate, axis: axes[k] })),
    states,
  };
}
