/** DW4 in plain TypeScript, just good enough to make pictures of: a Metropolis walker and steepest descent. */

export const N = 4;
const D0 = 4;

export type Points = number[][];

/** Mulberry32: 32 bits of state are plenty for pictures. */
export function randomSource(seed: number) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}

export const pair = (d: number) => 0.9 * (d - D0) ** 4 - 4 * (d - D0) ** 2;
const pairSlope = (d: number) => 3.6 * (d - D0) ** 3 - 8 * (d - D0);

export function energyOf(x: Points): number {
  let energy = 0;
  for (let i = 0; i < N; i++) {
    for (let j = 0; j < i; j++) energy += pair(Math.hypot(x[i][0] - x[j][0], x[i][1] - x[j][1]));
  }
  return energy;
}

export function centred(x: Points): Points {
  const [cx, cy] = [0, 1].map((axis) => x.reduce((sum, p) => sum + p[axis] / N, 0));
  return x.map(([a, b]) => [a - cx, b - cy]);
}

/** Steepest descent, good enough to see where a configuration belongs. */
export function minimized(start: Points): { x: Points; energy: number } {
  let x = start.map((p) => [...p]);
  for (let step = 0; step < 4000; step++) {
    const force = x.map((p, i) => {
      const f = [0, 0];
      x.forEach((q, j) => {
        if (i === j) return;
        const d = Math.max(1e-6, Math.hypot(p[0] - q[0], p[1] - q[1]));
        const slope = pairSlope(d) / d;
        f[0] -= slope * (p[0] - q[0]);
        f[1] -= slope * (p[1] - q[1]);
      });
      return f;
    });
    const rate = Math.min(0.01, 0.1 / Math.max(...force.flat().map(Math.abs), 1e-12));
    x = x.map((p, i) => [p[0] + rate * force[i][0], p[1] + rate * force[i][1]]);
  }
  return { x, energy: energyOf(x) };
}

export const MINIMA: readonly { energy: number; share: number; x: Points }[] = [
  {
    energy: -25.792201701571,
    share: 0.483,
    x: [
      [3.782995837156, 0],
      [-1.637941648163, 0],
      [-1.072527094496, -2.639094887979],
      [-1.072527094496, 2.639094887979],
    ],
  },
  {
    energy: -25.31244539286,
    share: 0.407,
    x: [
      [1.891433615211, 1.238476984257],
      [1.891433615211, -1.238476984257],
      [-0.466886213196, 0],
      [-3.315981017227, 0],
    ],
  },
  {
    energy: -24.352428341244,
    share: 0.062,
    x: [
      [2.580808753983, 1.206165428333],
      [2.580808753983, -1.206165428333],
      [-2.580808753983, -1.206165428333],
      [-2.580808753983, 1.206165428333],
    ],
  },
  {
    energy: -23.465431759315,
    share: 0.042,
    x: [
      [0, -1.192295074884],
      [2.429693144134, 0],
      [0, 1.192295074884],
      [-2.429693144134, 0],
    ],
  },
  {
    energy: -21.066478406493,
    share: 0.006,
    x: [
      [-1.526595820299, -2.64414152338],
      [3.053191640598, 0],
      [-1.526595820299, 2.64414152338],
      [0, 0],
    ],
  },
];

interface Walk {
  readonly steps: number;
  readonly every: number;
  readonly size: number;
  readonly kT: number;
  readonly start: Points;
}

export function walk({ steps, every, size, kT, start }: Walk, seed: number): Points[] {
  const { uniform, normal } = randomSource(seed);
  let x = start;
  let energy = energyOf(x);
  const out: Points[] = [];
  for (let step = 1; step <= steps; step++) {
    const trial = x.map((p) => p.map((c) => c + size * normal()));
    const next = energyOf(trial);
    if (uniform() < Math.exp((energy - next) / kT)) [x, energy] = [trial, next];
    if (step % every === 0) out.push(centred(x));
  }
  return out;
}

/** Starts in every minimum by its share, then rotates, reflects and exchanges particles at random. */
export function symmetrised(n: number, shares: readonly number[], kT: number, blur: number, seed: number): Points[] {
  const { uniform, normal } = randomSource(seed);
  return shares
    .flatMap((share, m) =>
      walk({ steps: Math.ceil(n * share) * 4, every: 4, size: 0.15, kT, start: centred(MINIMA[m].x) }, seed + m),
    )
    .map((x) => {
      const angle = 2 * Math.PI * uniform();
      const sign = uniform() < 0.5 ? 1 : -1;
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      const noise = blur * -Math.log(1 - uniform());
      const keys = x.map(() => uniform());
      const order = [0, 1, 2, 3].sort((a, b) => keys[a] - keys[b]);
      const moved = order.map((i) => [c * x[i][0] - s * x[i][1], sign * (s * x[i][0] + c * x[i][1])]);
      return { key: uniform(), x: centred(moved.map((p) => p.map((v) => v + noise * normal()))) };
    })
    .sort((a, b) => a.key - b.key)
    .map(({ x }) => x)
    .slice(0, n);
}
