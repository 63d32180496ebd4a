/* A run as it is kept: everything that was measured, and where. */
import { readFileSync } from 'node:fs';
import type { Check } from './checks.js';
import type { Machine } from './machine.js';
import type { SuiteResult } from './measurement.js';
import type { Peak } from './peak.js';

export interface BenchRecord {
  readonly version: 1;
  readonly machine: Machine;
  readonly date: string;
  readonly quick: boolean;
  readonly peak: Peak;
  readonly checks: readonly Check[];
  readonly suites: Readonly<Record<string, SuiteResult>>;
}

/** @throws Error naming the file and what is wrong with it */
export function readRecord(path: string): BenchRecord {
  let record: Partial<BenchRecord>;
  try {
    record = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new Error(`${path}: ${(cause as Error).message}`, { cause });
  }
  if (record?.version !== 1 || typeof record.suites !== 'object' || !(Number(record.peak?.f32) > 0)) {
    throw new Error(`${path}: not a record of 'npm run bench -- --json', version 1`);
  }
  return record as BenchRecord;
}
