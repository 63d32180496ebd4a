/* The native ceiling: the same kernels in C, compiled for this processor at several vector widths. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EnergyEvaluator, type System } from '../../src/systems/index.js';
import { type KernelFieldParameters, kernelField, radial } from '../../test/twin/kernel-field.js';
import { relativeError } from '../../test/twin/reference.js';
import type { Case } from '../cases.js';
import type { Skipped } from '../measurement.js';
import type { Contender, Seconds } from '../rounds.js';
import { SOURCES } from './environment.js';
import { PeerSession } from './session.js';

/** `-ffp-contract=off` keeps multiply and add apart, as WebAssembly has them. */
const BUILDS = [
  { title: 'C, 128-bit', flags: ['-DWIDTH=16', '-ffp-contract=off'] },
  { title: 'C, 128-bit, fused multiply-add', flags: ['-DWIDTH=16'] },
  { title: 'C, AVX2', flags: ['-DWIDTH=32'] },
  { title: 'C, AVX-512', flags: ['-DWIDTH=64'] },
];
const FLAGS = ['-std=gnu11', '-O3', '-march=native', '-Wno-psabi'];

/** Knots per narrowest width, as f32 tables have them by default. */
const RESOLUTION = 32;
/** Time of the stage that is measured. */
const TIME = 0.25;
const CHECKED = 4;
const BOUND = 1e-4;
/** Seconds of one turn. */
const TURN = 0.02;

export type NativeKernel = 'field' | 'energy';

/** The case file that kernel.c reads. */
function encodeCase({ field, system }: Case, x: Float64Array): Float64Array {
  const { particles, dimensions } = system;
  const p = field.parameters as unknown as KernelFieldParameters;
  const widths = p.logGamma.map(Math.exp);
  const maxDistance = p.mu.reduce((far, mu, k) => Math.max(far, mu + 6 * widths[k]), 0);
  const intervals = Math.ceil((maxDistance * RESOLUTION) / widths.reduce((a, b) => Math.min(a, b)));
  const spacing = maxDistance / intervals;
  const knots = Array.from({ length: intervals + 1 }, (_, j) => radial(p, TIME, j * spacing));
  const { scale, epsilon, rMin, stiffness } = lennardJones(system);
  return Float64Array.from([
    ...[
      particles,
      dimensions,
      x.length / (particles * dimensions),
      intervals,
      spacing,
      scale,
      epsilon,
      rMin,
      stiffness,
    ],
    ...knots.map(({ value }) => value),
    ...knots.map(({ slope }) => slope * spacing),
    ...x,
  ]);
}

/** Zero where a system has no such term; its energy is not measured then. */
function lennardJones({ terms }: System) {
  const bond = terms.find((term) => term.kind === 'lennard-jones');
  const trap = terms.find((term) => term.kind === 'trap');
  return {
    scale: bond?.scale ?? 0,
    epsilon: bond?.epsilon ?? 0,
    rMin: bond?.rMin ?? 0,
    stiffness: trap === undefined ? 0 : trap.scale * trap.stiffness,
  };
}

/** What the first samples' results must be: velocities and divergences of the twin, or gradients and energies in f64. */
function reference(c: Case, kernel: NativeKernel, x: Float64Array): { vectors: Float64Array; sums: Float64Array } {
  const { particles, dimensions } = c.system;
  const C = particles * dimensions;
  if (kernel === 'energy') {
    const { energy, gradient } = new EnergyEvaluator(c.system, 'f64').energyAndGradient(
      x.subarray(0, CHECKED * C),
      CHECKED,
    );
    return { vectors: Float64Array.from(gradient), sums: Float64Array.from(energy) };
  }
  const p = c.field.parameters as unknown as KernelFieldParameters;
  const rates = Array.from({ length: CHECKED }, (_, s) =>
    kernelField(p, TIME, x.slice(s * C, (s + 1) * C), particles, dimensions),
  );
  return {
    vectors: Float64Array.from(rates.flatMap(({ velocity }) => [...velocity])),
    sums: Float64Array.from(rates, ({ divergence }) => divergence),
  };
}

/** C programs for all widths of this processor, compiled into a folder that goes with `close`. */
export class NativeKernels {
  readonly skipped: Skipped[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'equiflow-native-'));
  readonly #programs: { title: string; path: string }[] = [];
  readonly #sessions: PeerSession[] = [];

  constructor(wanted: boolean) {
    for (const { title, flags } of wanted ? BUILDS : []) {
      const path = join(this.#folder, `kernel-${this.#programs.length}`);
      const source = join(SOURCES, 'c', 'kernel.c');
      try {
        execFileSync('gcc', [...FLAGS, ...flags, '-o', path, source, '-lm'], { stdio: ['ignore', 'ignore', 'pipe'] });
        this.#programs.push({ title, path });
      } catch (error) {
        const text = (error as { stderr?: Buffer }).stderr?.toString() ?? '';
        const why = text === '' ? 'no gcc' : (text.match(/#error (.*)/)?.[1] ?? text.split('\n')[0]);
        this.skipped.push({ what: title, why });
      }
    }
  }

  /** Contenders for `kernel` on the samples `x` [n, N, D], checked first; units are samples. */
  async contenders(c: Case, kernel: NativeKernel, x: Float64Array): Promise<Contender[]> {
    const C = c.system.particles * c.system.dimensions;
    // A whole number of the widest vectors
    const n = Math.floor(x.length / C / 16) * 16;
    const file = join(this.#folder, `${c.label}-${kernel}`);
    writeFileSync(file, encodeCase(c, x.subarray(0, n * C)));
    const expected = reference(c, kernel, x);
    const found: Contender[] = [];
    for (const { title, path } of this.#programs) {
      const session = new PeerSession(path, [file]);
      this.#sessions.push(session);
      try {
        await session.ask(`check ${kernel} ${file}.out`);
        const out = new Float64Array(Uint8Array.from(readFileSync(`${file}.out`)).buffer);
        requireEqual(out.subarray(0, CHECKED * C), expected.vectors);
        requireEqual(out.subarray(n * C, n * C + CHECKED), expected.sums);
        const { wall } = await session.ask<Seconds>(`time ${kernel} 3`);
        const calls = Math.max(1, Math.ceil(TURN / wall));
        found.push({ name: title, units: n, call: () => session.ask<Seconds>(`time ${kernel} ${calls}`), peer: true });
      } catch (error) {
        this.skipped.push({ what: `${title}, ${c.label} ${kernel}`, why: (error as Error).message });
      }
    }
    return found;
  }

  close(): void {
    for (const session of this.#sessions) session.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function requireEqual(actual: Float64Array, expected: Float64Array): void {
  const error = relativeError(actual, expected);
  if (!(error <= BOUND)) throw new Error(`wrong result: error ${error.toExponential(1)}, bound ${BOUND}`);
}
