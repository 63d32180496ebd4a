import { UsageError } from '../errors.js';
import { type Coordinate, type CoordinateData, coordinateValues, isPerPair, parseCoordinate } from './coordinate.js';

/** One bound on a coordinate. */
export interface Bound {
  readonly coordinate: Coordinate;
  readonly comparison: '<' | '<=' | '>' | '>=' | '=';
  readonly value: number;
}

/** A state: the samples for which all bounds hold. */
export interface State {
  /** As it was written. */
  readonly name: string;
  readonly bounds: readonly Bound[];
}

const NUMBER = String.raw`[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?`;
const BELOW = new RegExp(`^(${NUMBER})(<=?)(.+)$`, 'i');
const ABOVE = new RegExp(`^(.+?)(<=|>=|<|>|=)(${NUMBER})$`, 'i');
const MIRRORED = { '<': '>', '<=': '>=' } as const;

/**
 * Reads a state as it is written on the command line: bounds on coordinates, joined by `&`, as in `rg<2.1`, `2.1<=rg<3`, `short@4=2`
 * or `rg<2.1 & energy<-20`.
 *
 * @param arrays names of the arrays there are
 * @throws UsageError if it is none
 */
export function parseState(text: string, arrays: readonly string[] = []): State {
  return { name: text, bounds: text.split('&').flatMap((part) => bounds(part.replace(/\s+/g, ''), text, arrays)) };
}

function bounds(part: string, text: string, arrays: readonly string[]): Bound[] {
  const below = BELOW.exec(part);
  const rest = below ? below[3] : part;
  const above = ABOVE.exec(rest);
  if (below === null && above === null) {
    throw new UsageError(`state '${text}', expected bounds such as rg<2.1, 2.1<=rg<3 or short@4=2, joined by &`);
  }
  const coordinate = parseCoordinate(above ? above[1] : rest, arrays);
  if (isPerPair(coordinate)) {
    throw new UsageError(`state '${text}': d has a value for every pair, expected one pair such as d0-1, or short@4`);
  }
  return [
    ...(below ? [{ coordinate, comparison: MIRRORED[below[2] as '<' | '<='], value: Number(below[1]) }] : []),
    ...(above ? [{ coordinate, comparison: above[2] as Bound['comparison'], value: Number(above[3]) }] : []),
  ];
}

/** 1 for the samples in a state, shape [n]. */
export function membersOf({ bounds: all }: State, data: CoordinateData): Uint8Array {
  const members = new Uint8Array(data.n).fill(1);
  for (const { coordinate, comparison, value } of all) {
    const values = coordinateValues(coordinate, data);
    for (let i = 0; i < members.length; i++) if (!holds(values[i], comparison, value)) members[i] = 0;
  }
  return members;
}

function holds(a: number, comparison: Bound['comparison'], b: number): boolean {
  switch (comparison) {
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
    case '=':
      return a === b;
  }
}
