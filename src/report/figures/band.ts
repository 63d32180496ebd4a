import { COLORS } from '../palette.js';
import type { Spec } from '../vega.js';

/** Drawn and weighted, in every figure of a sample report. */
export const DRAWN = COLORS.trainingArea;
export const WEIGHTED = COLORS.eqBG;
const BAND = 0.25;

/** A point of a curve with its band of one standard error. */
export interface BandPoint {
  readonly x: number;
  readonly y: number;
  readonly low: number;
  readonly high: number;
}

/** Points of a staircase over bins, the last one closing it. */
export function staircase(
  edges: Float64Array,
  value: (bin: number) => number,
  error: (bin: number) => number,
): BandPoint[] {
  return Array.from(edges, (x, i) => {
    const bin = Math.min(i, edges.length - 2);
    const [y, e] = [value(bin), error(bin)];
    return { x, y, low: Math.max(0, y - e), high: y + e };
  });
}

/** Curve and band as two layers. */
export function bandLayers(points: readonly BandPoint[], color: string, interpolate: 'step-after' | 'linear'): Spec[] {
  return [
    {
      data: { values: points },
      mark: { type: 'area', interpolate, color, opacity: BAND, clip: true },
      encoding: { y: { field: 'low', type: 'quantitative' }, y2: { field: 'high' } },
    },
    {
      data: { values: points },
      mark: { type: 'line', interpolate, color, strokeWidth: 2, clip: true },
      encoding: { y: { field: 'y', type: 'quantitative' } },
    },
  ];
}

/** A quantitative axis over exactly a domain. */
export function axis(title: string, domain: readonly [number, number], more: Spec = {}): Spec {
  const { scale, ...rest } = more as { scale?: Spec };
  return {
    type: 'quantitative',
    title,
    scale: { domain, nice: false, zero: false, ...scale },
    axis: { tickCount: 6 },
    ...rest,
  };
}
