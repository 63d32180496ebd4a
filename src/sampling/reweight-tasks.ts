/* What the workers run for a reweighting: the blocks of one piece of samples. */

import {
  type ConfigurationShape,
  coordinatesOf,
  coordinateValues,
  encodeBlock,
  largestLogWeights,
  type ReweightingBlock,
  type ReweightingData,
  type ReweightingPlan,
  reweightingBlock,
  WEIGHT_BLOCK_SIZE,
} from '../reweighting/index.js';
import type { System } from '../systems/index.js';
import { evaluatorOf } from './ensemble-tasks.js';

/** Consecutive samples as they travel to a worker. */
export interface Piece {
  /** Absent where the energies of `system` are to be evaluated. */
  readonly energy?: Float64Array;
  readonly logQ: Float64Array;
  readonly x?: Float32Array | Float64Array;
  readonly shape?: ConfigurationShape;
  readonly arrays: Readonly<Record<string, Float64Array>>;
}

export interface EncodedPieceInput {
  readonly piece: Piece;
  readonly kT: number;
  readonly system?: System;
  readonly plan: ReweightingPlan;
}

export interface PieceInput extends EncodedPieceInput {
  /** Of the largest log-weights at most so many are wanted, and only those above `floor`. */
  readonly keep: number;
  readonly floor: number;
}

/** A number that no estimator may see: how many there are in the piece, and the first. */
export interface BadValue {
  readonly name: string;
  readonly count: number;
  readonly index: number;
  readonly value: number;
}

export interface PieceResult {
  readonly n: number;
  /** No blocks if there are any. */
  readonly bad: readonly BadValue[];
  readonly blocks: readonly ReweightingBlock[];
  readonly largest: Float64Array;
}

/** The same for a file. */
export interface EncodedPiece {
  readonly n: number;
  /** Nothing else if there are any. */
  readonly bad: readonly BadValue[];
  readonly logWeight: Float64Array;
  /** As of `encodeBlock`. */
  readonly blocks: readonly Float64Array[];
}

/** Name of the log-weights among the bad values. */
export const LOG_WEIGHTS = '';

export function reweightPiece({ piece, kT, system, plan, keep, floor }: PieceInput): PieceResult {
  const data = reweightingData(piece, kT, system);
  const bad = badValues(data, plan);
  if (bad.length > 0) return { n: data.n, bad, blocks: [], largest: new Float64Array() };
  const blocks = blocksOf(data, plan);
  // Zero weights count where there are not enough others.
  const candidates = floor === Number.NEGATIVE_INFINITY ? data.logWeight : data.logWeight.filter((l) => l > floor);
  return { n: data.n, bad, blocks, largest: largestLogWeights(candidates, keep) };
}

/** The same with all log-weights, for a file. */
export function encodedPiece({ piece, kT, system, plan }: EncodedPieceInput): EncodedPiece {
  const data = reweightingData(piece, kT, system);
  const bad = badValues(data, plan);
  const blocks = bad.length > 0 ? [] : blocksOf(data, plan).map(encodeBlock);
  return { n: data.n, bad, logWeight: data.logWeight, blocks };
}

function blocksOf(data: ReweightingData, plan: ReweightingPlan): ReweightingBlock[] {
  const blocks: ReweightingBlock[] = [];
  for (let start = 0; start < data.n; start += WEIGHT_BLOCK_SIZE) {
    blocks.push(reweightingBlock(slice(data, start, Math.min(data.n, start + WEIGHT_BLOCK_SIZE)), plan));
  }
  return blocks;
}

/** Energies, from the configurations if a system is given, and log-weights. */
export function reweightingData(piece: Piece, kT: number, system?: System): ReweightingData {
  const { logQ } = piece;
  const n = logQ.length;
  let { energy } = piece;
  if (system !== undefined) {
    energy = evaluatorOf(system).energy(piece.x!, n);
  }
  const u = energy!;
  return { ...piece, n, energy: u, logWeight: u.map((value, i) => -value / kT - logQ[i]) };
}

function badValues(data: ReweightingData, plan: ReweightingPlan): BadValue[] {
  const weights = firstBad(LOG_WEIGHTS, data.logWeight, (l) => !(l < Number.POSITIVE_INFINITY));
  if (weights.length > 0) return weights;
  const names = new Set(
    coordinatesOf(plan).flatMap((coordinate) => (coordinate.kind === 'array' ? [coordinate.name] : [])),
  );
  return [...names].flatMap((name) =>
    firstBad(
      name,
      coordinateValues({ kind: 'array', name }, data),
      (value, i) => !Number.isFinite(value) && data.logWeight[i] > Number.NEGATIVE_INFINITY,
    ),
  );
}

function firstBad(name: string, values: Float64Array, isBad: (value: number, i: number) => boolean): BadValue[] {
  let count = 0;
  let index = -1;
  for (let i = 0; i < values.length; i++) {
    if (!isBad(values[i], i)) continue;
    if (count++ === 0) index = i;
  }
  return count === 0 ? [] : [{ name, count, index, value: values[index] }];
}

function slice(data: ReweightingData, start: number, end: number): ReweightingData {
  const width = data.x === undefined ? 0 : data.x.length / data.n;
  const arrays = Object.fromEntries(
    Object.entries(data.arrays ?? {}).map(([name, values]) => [name, values.subarray(start, end)]),
  );
  return {
    ...data,
    n: end - start,
    energy: data.energy.subarray(start, end),
    logQ: data.logQ.subarray(start, end),
    logWeight: data.logWeight.subarray(start, end),
    arrays,
    ...(data.x === undefined ? {} : { x: data.x.subarray(start * width, end * width) }),
  };
}
