/*
 * Kernels on several threads at once. All threads have an instance of the module on one shared memory, so that a job is a
 * few numbers: which exports to call, with which arguments. Who does a job does not show in its result.
 *
 * A round of jobs: the leader writes the jobs, then the ticket word (round, next job), then wakes the helpers; whoever
 * draws a ticket of this round does that job; the leader draws tickets as well and waits until all jobs are done. Short
 * rounds follow one another within microseconds, so everybody spins for a while before going to sleep.
 *
 * A helper that dies in the midst of a job leaves it unfinished. It is missed by its incarnation, which its successor or
 * the main thread changes, and the leader does the job again: jobs first write what they add to.
 */
import { type KernelJob, Kernels } from './module.js';

/** Most members of a team, the leader among them. */
export const MAX_MEMBERS = 64;
const MAX_JOBS = 1024;
/** Numbers in all the calls of a round. */
const MAX_WORDS = 65536;
/** Tickets: the round in the high bits, the job in the low ones. */
const JOB_BITS = 12;
const JOB_MASK = (1 << JOB_BITS) - 1;
/** Milliseconds that a member looks on before it goes to sleep: what lies between two rounds, and less than a wake-up costs twice. */
const PATIENCE = 0.2;
/** Milliseconds after which a sleeper looks for himself, should a wake-up ever be missed. */
const NAP = 20;

/** Words of the control block before the per-member and per-job ones. */
const TICKET = 0;
const COUNT = 1;
const DONE = 2;
const ROUND = 3;
const SLEEPERS = 4;
const QUIT = 5;
const FAILED = 6;
const INCARNATION = 16;
const BUSY = INCARNATION + MAX_MEMBERS;
const OWNER = BUSY + MAX_MEMBERS;
const FINISHED = OWNER + MAX_JOBS;
const JOB_START = FINISHED + MAX_JOBS;
const CONTROL_WORDS = JOB_START + MAX_JOBS + 1;

/** What the members of a team share; can be posted to another thread. */
export interface TeamMemory {
  readonly memory: WebAssembly.Memory;
  readonly control: Int32Array;
  /** Jobs of the round: name index, number of arguments, arguments, … */
  readonly words: Float64Array;
}

/** Memory for a team. 2 GiB are reserved at most, and used as needed. */
export function teamMemory(): TeamMemory {
  return {
    memory: new WebAssembly.Memory({ initial: 1, maximum: 32768, shared: true }),
    control: new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * 4)),
    words: new Float64Array(new SharedArrayBuffer(MAX_WORDS * 8)),
  };
}

/** Sends the helpers home. */
export function dismiss({ control }: TeamMemory): void {
  Atomics.store(control, QUIT, 1);
  Atomics.add(control, ROUND, 1);
  Atomics.notify(control, ROUND);
}

/** Tells the leader that a helper is gone for good. */
export function reportLoss({ control }: TeamMemory, member: number): void {
  Atomics.add(control, INCARNATION + member, 1);
  Atomics.store(control, BUSY + member, 0);
}

/** The exports' names in an order that all threads agree on. */
function exportNames(kernels: Kernels): readonly string[] {
  return Object.keys(kernels.common).sort();
}

/** Whoever draws tickets and does the jobs of a round as they stand in `words`. */
class Member {
  readonly #names: readonly string[];
  /** What this member signs jobs with: itself and its incarnation. */
  readonly #signature: number;

  constructor(
    readonly kernels: Kernels,
    readonly shared: TeamMemory,
    readonly index: number,
    incarnation: number,
  ) {
    this.#names = exportNames(kernels);
    this.#signature = signature(index, incarnation);
  }

  /** Does jobs until none is left of the present round. */
  work(): void {
    const { control } = this.shared;
    for (;;) {
      const ticket = Atomics.add(control, TICKET, 1);
      const count = Atomics.load(control, COUNT);
      const job = ticket & JOB_MASK;
      // A ticket of an earlier round, drawn while the leader was preparing this one, is worth nothing.
      if (ticket >>> JOB_BITS !== count >>> JOB_BITS || job >= (count & JOB_MASK)) return;
      Atomics.store(control, OWNER + job, this.#signature);
      this.finish(job);
    }
  }

  /** Does a job and marks it as done. */
  finish(job: number): void {
    const { control, words } = this.shared;
    const end = control[JOB_START + job + 1];
    try {
      for (let at = control[JOB_START + job]; at < end; ) {
        const next = at + 2 + words[at + 1];
        this.kernels.perform([[this.#names[words[at]], ...words.subarray(at + 2, next)]]);
        at = next;
      }
    } catch {
      Atomics.store(control, FAILED, 1);
    }
    Atomics.store(control, FINISHED + job, 1);
    if (Atomics.add(control, DONE, 1) + 1 === (Atomics.load(control, COUNT) & JOB_MASK)) Atomics.notify(control, DONE);
  }
}

/** Looks until `seen` or out of patience; whether it was seen. */
function spin(seen: () => boolean): boolean {
  for (const start = performance.now(); performance.now() - start < PATIENCE; ) {
    for (let look = 0; look < 50; look++) if (seen()) return true;
  }
  return seen();
}

function signature(member: number, incarnation: number): number {
  return (incarnation << 8) | (member + 1);
}

/** Serves a team as its member `index` (from 1) until it is dismissed. Blocks the thread. */
export function serve(shared: TeamMemory, index: number): void {
  const { control } = shared;
  const incarnation = Atomics.add(control, INCARNATION + index, 1) + 1;
  Atomics.store(control, BUSY + index, 0);
  const member = new Member(new Kernels(shared.memory), shared, index, incarnation);
  let round = Atomics.load(control, ROUND);
  while (Atomics.load(control, QUIT) === 0) {
    Atomics.store(control, BUSY + index, 1);
    member.work();
    Atomics.store(control, BUSY + index, 0);
    Atomics.notify(control, BUSY + index);
    if (!spin(() => Atomics.load(control, ROUND) !== round)) {
      Atomics.add(control, SLEEPERS, 1);
      Atomics.wait(control, ROUND, round, 50 * NAP);
      Atomics.sub(control, SLEEPERS, 1);
    }
    round = Atomics.load(control, ROUND);
  }
}

/** The leader's kernels: `parallel` shares jobs out among the team. */
export class TeamKernels extends Kernels {
  readonly #member: Member;
  readonly #indices: ReadonlyMap<string, number>;

  constructor(private readonly shared: TeamMemory) {
    super(shared.memory);
    this.#member = new Member(this, shared, 0, 0);
    this.#indices = new Map(exportNames(this).map((name, index) => [name, index]));
    // After a leader's death his helpers may still be at work on his jobs, and on his memory.
    const { control } = shared;
    Atomics.store(control, COUNT, Atomics.load(control, COUNT) & ~JOB_MASK);
    while (this.#busy()) Atomics.wait(control, DONE, Atomics.load(control, DONE), 1);
  }

  /** @throws Error if a kernel trapped, on whichever thread. */
  override parallel(jobs: readonly KernelJob[]): void {
    if (jobs.length < 2) {
      for (const job of jobs) this.perform(job);
      return;
    }
    const { control } = this.shared;
    this.#publish(jobs);
    this.#member.work();
    spin(() => Atomics.load(control, DONE) === jobs.length);
    for (let done = Atomics.load(control, DONE); done < jobs.length; done = Atomics.load(control, DONE)) {
      if (Atomics.wait(control, DONE, done, NAP) === 'timed-out') this.#takeOver(jobs.length);
    }
    if (Atomics.load(control, FAILED) !== 0) throw new Error('kernels: a job of a team trapped');
  }

  #publish(jobs: readonly KernelJob[]): void {
    const { control, words } = this.shared;
    if (jobs.length > MAX_JOBS) throw new RangeError(`kernels: ${jobs.length} jobs in a round, at most ${MAX_JOBS}`);
    let at = 0;
    for (let job = 0; job < jobs.length; job++) {
      control[JOB_START + job] = at;
      for (const call of jobs[job]) {
        if (at + call.length + 1 > MAX_WORDS) throw new RangeError('kernels: too many calls in a round');
        words[at++] = this.#indices.get(call[0])!;
        words[at++] = call.length - 1;
        for (let i = 1; i < call.length; i++) words[at++] = call[i] as number;
      }
      control[OWNER + job] = 0;
      control[FINISHED + job] = 0;
    }
    control[JOB_START + jobs.length] = at;
    const round = (Atomics.load(control, COUNT) >>> JOB_BITS) + 1;
    Atomics.store(control, DONE, 0);
    Atomics.store(control, COUNT, (round << JOB_BITS) | jobs.length);
    Atomics.store(control, TICKET, round << JOB_BITS);
    Atomics.add(control, ROUND, 1);
    if (Atomics.load(control, SLEEPERS) > 0) Atomics.notify(control, ROUND);
  }

  /** Does the jobs that dead helpers left behind. */
  #takeOver(count: number): void {
    const { control } = this.shared;
    for (let job = 0; job < count; job++) {
      if (Atomics.load(control, FINISHED + job) !== 0) continue;
      const owner = Atomics.load(control, OWNER + job);
      const member = (owner & 0xff) - 1;
      // Drawn but not signed for, and nobody is about to sign: its owner died in between.
      const lost =
        owner === 0 ? !this.#busy() : owner !== signature(member, Atomics.load(control, INCARNATION + member));
      if (lost) this.#member.finish(job);
    }
  }

  #busy(): boolean {
    for (let member = 1; member < MAX_MEMBERS; member++) {
      if (Atomics.load(this.shared.control, BUSY + member) !== 0) return true;
    }
    return false;
  }
}
