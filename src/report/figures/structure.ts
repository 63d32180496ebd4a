import { COLORS, PARTICLE_COLORS } from '../palette.js';
import type { Spec } from '../vega.js';

/** One arrangement of particles, placed in the pixels of a drawing (y downwards). */
export interface Placed {
  readonly x: readonly (readonly number[])[];
  readonly centerX: number;
  readonly centerY: number;
  /** Pixels per unit of length. */
  readonly scale: number;
}

/** Half the side of the smallest square, parallel to the axes, that holds an arrangement. */
export function extent(x: readonly (readonly number[])[]): number {
  const { width, height } = box(x);
  return Math.max(width, height) / 2;
}

/** The bounding box; drawings are centred by it rather than by the centroid, which would waste room on lopsided ones. */
function box(x: readonly (readonly number[])[]) {
  const range = (axis: number) => {
    const values = x.map((particle) => particle[axis]);
    return [Math.min(...values), Math.max(...values)];
  };
  const [[left, right], [bottom, top]] = [range(0), range(1)];
  return { centerX: (left + right) / 2, centerY: (bottom + top) / 2, width: right - left, height: top - bottom };
}

/** An encoding of pixels as they are: the drawing's own width and height are the domains. */
export function pixels(width: number, height: number): { x: Spec; y: Spec } {
  return {
    x: { field: 'x', type: 'quantitative', scale: { domain: [0, width], nice: false, zero: false }, axis: null },
    y: { field: 'y', type: 'quantitative', scale: { domain: [height, 0], nice: false, zero: false }, axis: null },
  };
}

/**
 * Particles as discs, pairs below the barrier as solid lines, the others as faint dashes. Goes under an encoding made by
 * `pixels`.
 *
 * @param labelled particles are told apart by colour and digit; otherwise all alike
 */
export function structureLayers(
  placed: readonly Placed[],
  { barrier, radius, labelled }: { barrier: number; radius: number; labelled: boolean },
): Spec[] {
  const particles: object[] = [];
  const short: object[] = [];
  const long: object[] = [];
  for (const { x, centerX, centerY, scale } of placed) {
    const middle = box(x);
    const at = x.map(([px, py]) => [centerX + scale * (px - middle.centerX), centerY - scale * (py - middle.centerY)]);
    for (let i = 0; i < x.length; i++) {
      particles.push({
        x: at[i][0],
        y: at[i][1],
        label: String(i + 1),
        color: PARTICLE_COLORS[i % PARTICLE_COLORS.length],
      });
      for (let j = 0; j < i; j++) {
        const distance = Math.hypot(x[i][0] - x[j][0], x[i][1] - x[j][1]);
        (distance < barrier ? short : long).push({ x: at[i][0], y: at[i][1], x2: at[j][0], y2: at[j][1] });
      }
    }
  }
  const bonds = (values: object[], style: Spec): Spec => ({
    data: { values },
    mark: { type: 'rule', ...style },
    encoding: { x2: { field: 'x2' }, y2: { field: 'y2' } },
  });
  return [
    bonds(long, { color: '#b4bbc4', strokeWidth: 1, strokeDash: [2, 3] }),
    bonds(short, { color: '#7a828c', strokeWidth: 2 }),
    {
      data: { values: particles },
      mark: {
        type: 'circle',
        size: Math.PI * radius ** 2,
        opacity: 1,
        stroke: COLORS.ink,
        strokeWidth: 1,
        ...(labelled ? {} : { color: '#aab4bf' }),
      },
      ...(labelled ? { encoding: { color: { field: 'color', type: 'nominal', scale: null, legend: null } } } : {}),
    },
    ...(labelled
      ? [
          {
            data: { values: particles },
            mark: { type: 'text', baseline: 'middle', fontSize: 12, fontWeight: 'bold', dy: 0.5 },
            encoding: { text: { field: 'label', type: 'nominal' } },
          },
        ]
      : []),
  ];
}
