import { COLORS } from '../palette.js';
import type { Spec } from '../vega.js';

export interface KeyEntry {
  readonly label: string;
  readonly color: string;
  /** How the thing is drawn: a filled area, a line, a dashed line. */
  readonly as: 'area' | 'line' | 'dashed';
  /** Edge of an area. */
  readonly stroke?: string;
}

/** Axis labels of fractions in per cent, with the space that units take. */
export const PERCENT_LABEL = "format(100 * datum.value, '~g') + ' %'";

interface Place {
  /** Upper left corner in pixels of the panel. */
  readonly x: number;
  readonly y: number;
  /** Entries below each other, the default, or side by side. */
  readonly direction?: 'column' | 'row';
}

const ROW_HEIGHT = 17;
const SWATCH = 18;
const GAP = 6;
/** Mean width of a 12 px character: without a canvas nothing can measure text, and Vega's own guess is too wide. */
const CHARACTER = 6.1;

/**
 * A key inside or above a panel: layers of their own without data, so that each panel names only what it shows, at places
 * that do not depend on measured text. The ground is paper, for curves may pass below.
 */
export function key(entries: readonly KeyEntry[], { x, y, direction = 'column' }: Place): Spec[] {
  const widths = entries.map(({ label }) => SWATCH + GAP + CHARACTER * label.length);
  const ground = fixed(
    { type: 'rect', color: COLORS.paper, opacity: 0.85 },
    { x: x - 4, x2: x + Math.max(...widths) + 4, y: y - 9, y2: y - 9 + entries.length * ROW_HEIGHT },
  );
  let left = x;
  const rows = entries.flatMap(({ label, color, as, stroke }, i) => {
    const middle = direction === 'column' ? y + i * ROW_HEIGHT : y;
    const start = left;
    if (direction === 'row') left += widths[i] + 20;
    const across = { x: start, x2: start + SWATCH };
    return [
      as === 'area'
        ? fixed({ type: 'rect', color, ...(stroke ? { stroke } : {}) }, { ...across, y: middle - 5, y2: middle + 5 })
        : fixed(
            { type: 'rule', strokeWidth: 2, color, ...(as === 'dashed' ? { strokeDash: [5, 3] } : {}) },
            { ...across, y: middle },
          ),
      fixed({ type: 'text', align: 'left', baseline: 'middle', text: label }, { x: start + SWATCH + GAP, y: middle }),
    ];
  });
  return direction === 'column' ? [ground, ...rows] : rows;
}

/** One mark at given pixels. */
function fixed(mark: Spec, at: Readonly<Record<string, number>>): Spec {
  const encoding = Object.fromEntries(Object.entries(at).map(([channel, value]) => [channel, { value }]));
  return { data: { values: [{}] }, mark, encoding };
}
