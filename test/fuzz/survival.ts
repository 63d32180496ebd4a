import type { ExecutionContext } from 'ava';
import fc from 'fast-check';
import { EquiflowError } from '../../src/errors.js';

/** Inputs per parser; the seed is fixed, so that every run sees the same. */
export const RUNS = 10_000;
const SEED = 20260728;

/**
 * Feeds `RUNS` inputs to a parser: each is read, or refused by an `EquiflowError` whose message is one line of bearable
 * length. (One on which a parser hangs meets the test runner's own limit.) Where almost all are read or almost all
 * refused, the inputs prove little: both must be met at least a hundred times.
 */
export function survives<T>(t: ExecutionContext, inputs: fc.Arbitrary<T>, parse: (input: T) => unknown): void {
  const met = { read: 0, refused: 0 };
  const property = fc.property(inputs, (input) => {
    met[outcome(() => parse(input))]++;
  });
  const { failed, counterexample, errorInstance } = fc.check(property, { numRuns: RUNS, seed: SEED });
  const input = counterexample?.[0];
  const shown = input instanceof Uint8Array ? Buffer.from(input).toString('latin1') : input;
  t.false(
    failed,
    `${errorInstance instanceof Error ? errorInstance.stack : errorInstance} for ${JSON.stringify(shown)?.slice(0, 3000)}`,
  );
  t.log(`${met.read} read, ${met.refused} refused`);
  t.true(met.read >= 100 && met.refused >= 100, `${met.read} read, ${met.refused} refused`);
}

function outcome(parse: () => unknown): 'read' | 'refused' {
  try {
    parse();
    return 'read';
  } catch (error) {
    if (!(error instanceof EquiflowError)) throw error;
    if (!/^[^\n\r]{1,1000}$/.test(error.message)) throw new Error(`message: ${JSON.stringify(error.message)}`);
    return 'refused';
  }
}

/** The first `count` inputs that a parser refuses, without shrinking or checking. */
export function refusedInputs<T>(inputs: fc.Arbitrary<T>, count: number, parse: (input: T) => unknown): T[] {
  const refused = fc.sample(inputs, { numRuns: 20 * count, seed: SEED }).filter((input) => {
    try {
      parse(input);
      return false;
    } catch {
      return true;
    }
  });
  return refused.slice(0, count);
}
