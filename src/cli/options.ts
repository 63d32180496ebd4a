import { InvalidArgumentError, Option } from 'commander';
import { MAX_SEED } from '../kernels/random.js';

/** Parser for an integer option within bounds. */
export function integer(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isInteger(value) || value < low || value > high) {
      throw new InvalidArgumentError(`'${text}', expected an integer from ${low} to ${high}.`);
    }
    return value;
  };
}

/** A positive finite number. */
export function positive(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && Number.isFinite(value))) {
    throw new InvalidArgumentError(`'${text}', expected a positive number.`);
  }
  return value;
}

/** A finite number that is not negative. */
export function nonNegative(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && Number.isFinite(value))) {
    throw new InvalidArgumentError(`'${text}', expected 0 or a positive number.`);
  }
  return value;
}

export function fraction(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 1)) throw new InvalidArgumentError(`'${text}', expected a number between 0 and 1.`);
  return value;
}

/** A decay of a moving average: at least 0 and below 1. */
export function decay(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value < 1)) {
    throw new InvalidArgumentError(`'${text}', expected a number from 0 to below 1.`);
  }
  return value;
}

export function finite(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError(`'${text}', expected a number.`);
  return value;
}

/** Two shares between 0 and 1, as in `0,0.5`. */
export function shares(text: string): [number, number] {
  const values = text.split(',').map(Number);
  if (values.length !== 2 || !values.every((value) => value >= 0 && value <= 1)) {
    throw new InvalidArgumentError(`'${text}', expected two numbers from 0 to 1, as in 0,0.5.`);
  }
  return [values[0], values[1]];
}

/** The name of a file that ends so. */
export function named(suffix: string): (text: string) => string {
  return (text) => {
    if (!text.endsWith(suffix)) throw new InvalidArgumentError(`'${text}', expected a name that ends in ${suffix}.`);
    return text;
  };
}

/** Parser of an option that may be given several times: gathers what `parse` makes of each. */
export function gathered<T>(parse: (text: string) => T): (text: string, before?: T[]) => T[] {
  return (text, before = []) => [...before, parse(text)];
}

/* Options that several commands share. */
export const seedOption = () =>
  new Option('--seed <integer>', 'seed of all random numbers').default(1).argParser(integer(0, MAX_SEED));
export const countOption = (description: string, most = 1e9) =>
  new Option('-n, --count <integer>', description).argParser(integer(1, most)).makeOptionMandatory();
export const firstOption = () =>
  new Option('--first <index>', 'global index of the first sample').default(0).argParser(integer(0, 2 ** 52));
export const workersOption = () =>
  new Option('--workers <integer>', 'worker threads (default: all cores)').argParser(integer(1, 1024));
export const precisionOption = (fallback: 'f32' | 'f64') =>
  new Option('--precision <lanes>', 'lane type of positions and velocities').choices(['f32', 'f64']).default(fallback);
/** @param suffix that the name has to have, where programs tell the format by it */
export const outOption = (description: string, suffix = '') =>
  new Option('--out <path>', description).argParser(named(suffix)).makeOptionMandatory();
export const quietOption = () => new Option('--quiet', 'no progress');
export const jsonOption = () => new Option('--json', 'result as JSON on standard output');
