import { Worker } from 'node:worker_threads';
import test from 'ava';
import { dismiss, Kernels, reportLoss, type TeamMemory, teamMemory } from '../../src/kernels/index.js';
import { type MemberData, rounds } from './team-member.js';

const MEMBER = new URL('./team-member.js', import.meta.url);
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function start(team: TeamMemory, member: number, count = 0): Worker {
  return new Worker(MEMBER, { workerData: { team, member, rounds: count } satisfies MemberData });
}

/** How many results of a leader's rounds were wrong. */
function answer(leader: Worker): Promise<number> {
  return new Promise((resolve, reject) => {
    leader.once('message', resolve);
    leader.once('error', reject);
  });
}

const ended = (worker: Worker) => new Promise<void>((resolve) => worker.once('exit', () => resolve()));

for (const helpers of [0, 1, 3]) {
  test(`every job of every round is done once: ${helpers} helpers`, async (t) => {
    t.is(rounds(new Kernels(), 2), 0);
    const team = teamMemory();
    const workers = Array.from({ length: helpers }, (_, i) => start(team, i + 1));
    t.is(await answer(start(team, 0, 300)), 0);
    const homes = workers.map(ended);
    dismiss(team);
    await Promise.all(homes);
  });
}

test('helpers that are killed at any moment leave no round unfinished and no job undone', async (t) => {
  const team = teamMemory();
  const leader = start(team, 0, 3000);
  let working = true;
  const result = answer(leader).finally(() => {
    working = false;
  });
  let deaths = 0;
  for (; working && deaths < 40; deaths++) {
    const helper = start(team, 1);
    await pause(3 + 7 * (deaths % 5));
    await helper.terminate();
    // As when a pool gives up on a task that killed its worker; a successor says the same by turning up.
    if (deaths % 2 === 0) reportLoss(team, 1);
  }
  reportLoss(team, 1);
  t.is(await result, 0);
  t.true(deaths >= 2);
});

test('a leader that is killed has a successor on the same memory, with the same helpers', async (t) => {
  const team = teamMemory();
  const helper = start(team, 1);
  for (let death = 0; death < 5; death++) {
    const leader = start(team, 0, 1e6);
    await pause(60 + 20 * death);
    await leader.terminate();
  }
  t.is(await answer(start(team, 0, 300)), 0);
  const home = ended(helper);
  dismiss(team);
  await home;
});
