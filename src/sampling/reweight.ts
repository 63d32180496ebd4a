import { UsageError } from '../errors.js';
import type { Progress } from '../progress.js';
import {
  combineReweighting,
  entropiesOf,
  isPerPair,
  needsConfigurations,
  type ProfileRequest,
  parseCoordinate,
  parseState,
  profileAxis,
  type ReweightingBlock,
  type ReweightingData,
  type ReweightingPlan,
} from '../reweighting/index.js';
import type { System } from '../systems/index.js';
import type { WorkerPool } from '../workers/index.js';
import { BadValues } from './reweight-faults.js';
import { openPieces } from './reweight-pieces.js';
import { type PieceInput, type PieceResult, reweightingData } from './reweight-tasks.js';
import { type Reweighting, reweightingResult } from './reweighting-result.js';
import type { ArraySource, VectorSource } from './vectors.js';
import { WeightStream } from './weight-stream.js';
import { WeightTrace } from './weight-trace.js';

const TASK = { module: new URL('./reweight-tasks.js', import.meta.url), name: 'reweightPiece' };

/** Samples of a flow, or of any density that is known: in files of any size, or in memory. */
export interface ReweightingSamples {
  /** U(x), [n], in units of energy (never U/kT); may be absent if a system is given. */
  readonly energy?: VectorSource;
  /** Normalised log q(x), [n], nats. */
  readonly logQ: VectorSource;
  /** Configurations [n, N, D] or, if a system is given, [n, N·D]. */
  readonly x?: ArraySource;
  /** Further numbers of each sample, [n], by name. */
  readonly arrays?: Readonly<Record<string, VectorSource>>;
}

/** What is found from weighted samples beside the verdict on the weights. */
export interface ReweightOptions {
  /** Temperature of the target in units of energy; default 1. */
  readonly kT?: number;
  /** What messages call the samples; default `samples`. */
  readonly source?: string;
  /** Target whose energies are evaluated from x, in f64, instead of `energy`. */
  readonly system?: System;
  /** Coordinates to average, as `parseCoordinate` reads them. */
  readonly averages?: readonly string[];
  readonly profiles?: readonly ProfileRequest[];
  /** States, as `parseState` reads them, that exclude each other. */
  readonly states?: readonly string[];
  readonly onProgress?: Progress;
  readonly signal?: AbortSignal;
}

/**
 * Weights, entropies, divergences, averages, histograms, free-energy profiles and differences of a set of any size, in one pass
 * on the pool and a fixed amount of memory. Blocks of 4096 samples are folded in global order: any number of workers gives
 * the same bits, and `importanceWeights`, `entropyAndKl` and `weightedMean` of vectors in memory give them too.
 *
 * Samples are taken as independent, as those of a flow are.
 *
 * @throws UsageError if kT is not positive, or for coordinates, ranges or states that make no sense; DataError if lengths differ, there are no
 *   samples, weights are NaN, +Inf or all zero, or an array is not finite where the weight is positive
 */
export async function reweight(
  samples: ReweightingSamples,
  options: ReweightOptions,
  pool: WorkerPool,
): Promise<Reweighting> {
  const { kT = 1, source = 'samples', system, onProgress, signal } = options;
  if (!(kT > 0 && kT < Number.POSITIVE_INFINITY)) throw new UsageError(`kT: ${kT}, expected a positive number`);
  const question = parsed(samples, options);
  const opened = openPieces(samples, {
    source,
    ...(system === undefined ? {} : { system }),
    positions: question.positions,
  });
  const { n } = opened;
  const weights = new WeightStream(n);
  const trace = new WeightTrace();
  const faults = new BadValues(source, n);
  let plan: ReweightingPlan | undefined;
  let total: ReweightingBlock | undefined;
  let done = 0;
  async function* inputs(): AsyncGenerator<PieceInput> {
    for await (const piece of opened.pieces()) {
      if (plan === undefined) {
        const first = reweightingData(piece, kT, system);
        plan = planOf(question, first);
        trace.begin(first.logWeight);
      }
      const common = { piece, kT, plan, keep: weights.keep, floor: weights.floor };
      yield system === undefined ? common : { ...common, system };
    }
  }
  for await (const result of pool.map<PieceInput, PieceResult>(TASK, inputs(), signal ? { signal } : {})) {
    faults.add(result.bad, done);
    if (!faults.found) {
      weights.add(
        result.largest,
        result.blocks.map((block) => block.weights),
      );
      for (const block of result.blocks) {
        total = total === undefined ? block : combineReweighting(total, block);
        trace.add(total.weights);
      }
    }
    done += result.n;
    // A set of one piece is done before a bar is of use.
    if (done < n) onProgress?.({ stage: 'reweighting', done, total: n });
  }
  faults.throwIfAny();
  const report = weights.report();
  return reweightingResult(total!, report, plan!, question, trace.points, entropiesOf(total!, report, { kT }));
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

function parsed(samples: ReweightingSamples, options: ReweightOptions): Question {
  const names = Object.keys(samples.arrays ?? {});
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
  const all = [
    ...coordinates.averages,
    ...coordinates.profiles,
    ...states.flatMap(({ bounds }) => bounds.map(({ coordinate }) => coordinate)),
  ];
  return { averages, profiles, coordinates, states, positions: all.some(needsConfigurations) };
}

function planOf(question: Question, first: ReweightingData): ReweightingPlan {
  return {
    averages: question.coordinates.averages,
    profiles: question.profiles.map((request, k) => {
      const coordinate = question.coordinates.profiles[k];
      return { coordinate, axis: profileAxis(request, coordinate, first) };
    }),
    states: question.states,
  };
}
