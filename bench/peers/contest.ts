/* Peers that are here, started, checked against our f64 values on the same parameters, and ready to take turns. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeNpz } from '../../src/formats/index.js';
import { relativeError } from '../../test/twin/reference.js';
import type { Case } from '../cases.js';
import type { Skipped } from '../measurement.js';
import type { Contender, Seconds } from '../rounds.js';
import { exportCase, type Reference } from './export.js';
import type { Peer, Task } from './registry.js';
import type { PeerSession } from './session.js';

/** What max|Δ|/max|reference| may be: f32 throughout, and gradients that pass eighty stages. */
const BOUND = { x: 1e-4, logQ: 1e-4, loss: 1e-4, gradient: 1e-3 } as const;

/** Seconds after which a call of a peer is long enough. */
const TURN = 0.5;

/** Peers' processes for a number of threads, and the cases that they were handed. */
export class Contest {
  readonly skipped: Skipped[] = [];
  /** Largest errors of the peers' checks, for the record. */
  readonly checks: { readonly name: string; readonly error: number; readonly bound: number }[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'equiflow-bench-'));
  readonly #references = new Map<string, Reference>();
  readonly #sessions = new Map<string, PeerSession>();

  constructor(private readonly peers: readonly Peer[]) {}

  /** Peers that can do `task` on `c` and do it right, as contenders; the others are noted with the reason. */
  async contenders(task: Task, c: Case, threads = 1): Promise<Contender[]> {
    this.#hand(c);
    const found: Contender[] = [];
    for (const peer of this.peers.filter(({ tasks }) => tasks.includes(task))) {
      const what = `${peer.title}, ${threads === 1 ? '1 thread' : `${threads} threads`}`;
      const missing = peer.missing();
      if (missing !== undefined) {
        this.#skip(peer.title, missing);
        continue;
      }
      const session = this.#session(peer, threads);
      try {
        const { file } = await session.ask<{ file: string }>({ do: 'check', task, case: c.label });
        this.#check(`${what}: ${c.label} ${task}`, file, task, this.#references.get(c.label)!);
      } catch (error) {
        this.#skip(`${what}: ${c.label} ${task}`, (error as Error).message);
        continue;
      }
      const time = (steps?: number) => session.ask<Seconds>({ do: 'time', task, case: c.label, steps });
      if (task === 'train') found.push({ name: what, units: 1, call: () => time(), peer: true });
      else {
        const all = c.flow.integrator.steps;
        // All steps cost the same: of a path that takes many seconds, some stand for all.
        await time(1);
        const { cpu } = await time(1);
        const steps = Math.max(1, Math.min(all, Math.round(TURN / cpu)));
        found.push({ name: what, units: (c.batch * steps) / all, call: () => time(steps), peer: true });
      }
    }
    return found;
  }

  close(): void {
    for (const session of this.#sessions.values()) session.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #session(peer: Peer, threads: number): PeerSession {
    const key = `${peer.name} ${threads}`;
    const session = this.#sessions.get(key) ?? peer.start(threads, this.#folder);
    this.#sessions.set(key, session);
    return session;
  }

  #hand(c: Case): void {
    if (this.#references.has(c.label)) return;
    const { bytes, reference } = exportCase(c);
    writeFileSync(join(this.#folder, `${c.label}.npz`), bytes);
    this.#references.set(c.label, reference);
  }

  /** @throws Error that says which result is wrong by how much. */
  #check(name: string, file: string, task: Task, { x, logQ, training }: Reference): void {
    const { arrays } = decodeNpz(readFileSync(join(this.#folder, file)), file);
    const against = (key: string, expected: ArrayLike<number>, bound: number) => {
      const error = relativeError(arrays.get(key)?.data ?? [Number.NaN], expected);
      this.checks.push({ name: `${name}, ${key}`, error, bound });
      if (!(error <= bound)) throw new Error(`wrong ${key}: error ${error.toExponential(1)}, bound ${bound}`);
    };
    if (task === 'sample') {
      against('x', x, BOUND.x);
      against('logQ', logQ, BOUND.logQ);
    } else if (training !== undefined) {
      against('loss', [training.loss], BOUND.loss);
      for (const [key, expected] of Object.entries(training.gradient)) {
        // Zero by definition, and not a parameter of the peers
        if (key !== 'importance') against(key, expected, BOUND.gradient);
      }
    }
  }

  #skip(what: string, why: string): void {
    if (!this.skipped.some((entry) => entry.what === what)) this.skipped.push({ what, why });
  }
}
