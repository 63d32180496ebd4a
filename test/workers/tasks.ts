/* Tasks for pool.test.ts. */

import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { threadId } from 'node:worker_threads';
import { DataError, NumericalError } from '../../src/errors.js';
import { moved, type TaskContext } from '../../src/workers/index.js';

export const notAFunction = 1;

export function double(x: number): number {
  return 2 * x;
}

export async function waitAndReturn({ milliseconds, value }: { milliseconds: number; value: number }): Promise<number> {
  await delay(milliseconds);
  return value;
}

export function spin(milliseconds: number): number {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
  return threadId;
}

export function failNumerically(sample: number): never {
  throw new NumericalError(`sample ${sample}: log q is NaN`, { cause: new DataError('x.npy: row 3') });
}

export function failUnexpectedly(): never {
  throw new RangeError('index out of range');
}

export function throwString(): never {
  throw 'a string';
}

/** Dies on its first run only: the file remembers. */
export function dieOnce(file: string): string {
  if (existsSync(file)) return 'survived';
  writeFileSync(file, '');
  process.exit(3);
}

export function die(): never {
  process.exit(3);
}

export async function dieUncaught(): Promise<void> {
  setTimeout(() => {
    throw new Error('thrown from a timer');
  });
  await delay(10_000);
}

export function count(n: number, context: TaskContext): number {
  for (let i = 0; i < n; i++) context.report(i);
  return n;
}

/** Ends only when it is ended. */
export function reportAndStay(n: number, context: TaskContext): Promise<never> {
  context.report(n);
  return new Promise(() => {});
}

export function sumOf(x: Float64Array): number {
  return x.reduce((a, b) => a + b, 0);
}

let kept: Float64Array | undefined;

export function giveAway(n: number) {
  kept = new Float64Array(n).fill(1);
  return moved(kept, [kept.buffer]);
}

export function bytesKept(): number {
  return kept!.buffer.byteLength;
}

export function unclonable(): unknown {
  return () => {};
}

/** Whether `preloaded.js` was loaded in this worker. */
export function isPreloaded(): boolean {
  return 'preloaded' in globalThis;
}
