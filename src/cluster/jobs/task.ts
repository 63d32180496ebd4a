import { join } from 'node:path';
import { DataError, EquiflowError } from '../../errors.js';
import { isRecord } from '../../formats/record.js';
import { brief } from '../../formats/text.js';
import type { Job } from '../job.js';
import { PLAN, type Run } from '../plan.js';

/* Tasks of plans whose hash is right come from planning as a rule, and from any program that can compute a hash. */

/** What a field may hold. */
interface Kind {
  /** As messages call it. */
  readonly name: string;
  holds(value: unknown): boolean;
}

type Fields = Readonly<Record<string, Kind>>;

export const TEXT: Kind = { name: 'a text', holds: (value) => typeof value === 'string' };
export const NUMBER: Kind = { name: 'a number', holds: (value) => typeof value === 'number' };
export const FLAG: Kind = { name: 'true or false', holds: (value) => typeof value === 'boolean' };
export const RECORD: Kind = { name: 'an object', holds: isRecord };

export const oneOf = (...values: readonly (string | null)[]): Kind => ({
  name: values.map((value) => JSON.stringify(value)).join(' or '),
  holds: (value) => values.includes(value as string),
});

export const either = (...kinds: readonly Kind[]): Kind => ({
  name: kinds.map(({ name }) => name).join(' or '),
  holds: (value) => kinds.some((kind) => kind.holds(value)),
});

export const optional = (kind: Kind): Kind => ({
  name: `${kind.name} or nothing`,
  holds: (value) => value === undefined || kind.holds(value),
});

export const listOf = (kind: Kind): Kind => ({
  name: `a list, each ${kind.name}`,
  holds: (value) => Array.isArray(value) && value.every((entry) => kind.holds(entry)),
});

export const recordOf = (fields: Fields): Kind => ({
  name: `an object with ${Object.keys(fields).join(', ')}`,
  holds: (value) => isRecord(value) && Object.entries(fields).every(([name, kind]) => kind.holds(value[name])),
});

export const everyValue = (kind: Kind): Kind => ({
  name: `an object, each value ${kind.name}`,
  holds: (value) => isRecord(value) && Object.values(value).every((entry) => kind.holds(entry)),
});

/**
 * The task of a plan: first its fields are looked at, then what they say.
 *
 * @param check throws an `EquiflowError` for a task that makes no sense
 * @throws DataError naming the plan, the field, its value and what was expected
 */
export function readTask<Task, Checked>(
  { folder, plan }: Run,
  fields: Fields,
  check: (task: Task) => Checked,
): Checked {
  const source = `${join(folder, PLAN)}: task`;
  requireFields(plan.task, fields, source);
  try {
    return check(plan.task as Task);
  } catch (error) {
    if (error instanceof EquiflowError) throw new DataError(`${source}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** @throws DataError naming the first field that holds something else */
export function requireFields(value: unknown, fields: Fields, source: string): void {
  if (!isRecord(value)) throw new DataError(`${source} is ${brief(value)}, expected ${RECORD.name}`);
  for (const [name, kind] of Object.entries(fields)) {
    if (!kind.holds(value[name])) {
      throw new DataError(`${source}.${name} is ${brief(value[name])}, expected ${kind.name}`);
    }
  }
}

/** The job, if the plan cuts it as it can be cut. @throws DataError naming the field, its value and what was expected */
export function cutAsPlanned<J extends Job>({ folder, plan: { block, boundaries } }: Run, job: J): J {
  const wrong = (what: string) => new DataError(`${join(folder, PLAN)}: ${what}`);
  if (block !== job.block) throw wrong(`block is ${block}, expected ${job.block}`);
  const end = boundaries[boundaries.length - 1];
  if (end !== job.units) throw wrong(`boundaries end at ${end}, expected the ${job.units} ${job.unit} of the task`);
  const astray = boundaries.slice(0, -1).find((boundary) => boundary % job.grain !== 0);
  if (astray !== undefined) throw wrong(`a shard begins at ${astray}, expected multiples of ${job.grain}`);
  return job;
}
