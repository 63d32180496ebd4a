import type { ExecutionContext } from 'ava';
import { DataError, EquiflowError } from '../../src/errors.js';

type Decode = (bytes: Uint8Array) => unknown;

/** Every proper beginning of a file, and the file with a byte more, must be refused as bad data. */
export function refusesEveryOtherLength(t: ExecutionContext, decode: Decode, whole: Uint8Array): void {
  t.notThrows(() => decode(whole));
  for (let length = 0; length < whole.length; length++) {
    const error = t.throws(() => decode(whole.slice(0, length)), { instanceOf: DataError }, `${length} bytes`);
    t.false(error?.message.includes('\n'));
  }
  t.throws(() => decode(Uint8Array.of(...whole, 0)), { instanceOf: DataError });
}

/**
 * Decodes `rounds` damaged copies: one to four bytes changed to random or extreme values, half of them among the
 * first `hot` bytes. Each decodes or throws an `EquiflowError`. @returns how many were refused
 */
export function survivesMutations(
  t: ExecutionContext,
  decode: Decode,
  whole: Uint8Array,
  { rounds, hot, seed }: { rounds: number; hot: number; seed: number },
): number {
  const random = generator(seed);
  let refused = 0;
  for (let round = 0; round < rounds; round++) {
    const bytes = whole.slice();
    const range = random() < 0.5 ? hot : bytes.length;
    for (let left = 1 + Math.floor(random() * 4); left > 0; left--) {
      const extreme = [0, 0xff, 0x7f, 0x80][Math.floor(random() * 8)];
      bytes[Math.floor(random() * range)] = extreme ?? Math.floor(random() * 256);
    }
    try {
      decode(bytes);
    } catch (error) {
      refused++;
      if (!(error instanceof EquiflowError)) t.fail(`round ${round}: ${error}`);
    }
  }
  t.pass();
  return refused;
}

/** Marsaglia's xorshift32, uniform on [0, 1). */
export function generator(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
