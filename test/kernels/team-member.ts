/* A member of a team on its own thread: see team.test.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { type KernelJob, type Kernels, serve, TeamKernels, type TeamMemory } from '../../src/kernels/index.js';

export interface MemberData {
  readonly team: TeamMemory;
  /** 0 leads. */
  readonly member: number;
  readonly rounds: number;
}

const JOBS = 12;
const ROWS = 400;
const ROW = 64;

/** Jobs that clear a row of numbers and then add another to it many times: wrong if done twice at once or not at all. */
export function rounds(kernels: Kernels, count: number): number {
  const bytes = ROWS * ROW;
  const from = kernels.allocate(bytes);
  const to = kernels.allocate(JOBS * bytes);
  kernels.f64View(from, bytes / 8).fill(1);
  const jobs: KernelJob[] = Array.from({ length: JOBS }, (_, job) => [
    ['clearRows', 1, to + job * bytes, 0, bytes],
    ...Array.from({ length: job + 1 }, () => ['addRows64', ROWS, ROW, ROW, to + job * bytes, from] as const),
  ]);
  let wrong = 0;
  for (let round = 0; round < count; round++) {
    kernels.f64View(to, (JOBS * bytes) / 8).fill(-1);
    kernels.parallel(jobs);
    for (let job = 0; job < JOBS; job++) {
      if (kernels.f64View(to + job * bytes, bytes / 8).some((value) => value !== job + 1)) wrong++;
    }
  }
  return wrong;
}

// AVA's own workers import this module too.
const data = workerData as MemberData | undefined;
if (data?.team !== undefined) {
  if (data.member > 0) serve(data.team, data.member);
  else parentPort!.postMessage(rounds(new TeamKernels(data.team), data.rounds));
}
