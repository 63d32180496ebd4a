/* The measurements that have contenders as one drawing: times on a logarithmic axis, a panel per group and subject. */
import { loadDrawing } from '../src/report/vega.js';
import { type Measurement, withBaseline } from './measurement.js';

const PANEL_WIDTH = 420;
const BAR = 18;
const OURS = '#1f6f8b';
const PEER = '#b8b8b8';

/** Vega-Lite specification. */
export function chartSpec(measurements: readonly Measurement[]): Readonly<Record<string, unknown>> {
  const panels = new Map<string, Measurement[]>();
  for (const { own } of withBaseline(measurements)) {
    const key = `${own.subject}: ${own.group}`;
    panels.set(key, [...(panels.get(key) ?? []), own]);
  }
  const contests = [...panels].filter(([, rows]) => rows.length > 1);
  return {
    vconcat: contests.map(([title, rows]) => ({
      title: { text: title.split(': ')[0], subtitle: rows[0].group },
      width: PANEL_WIDTH,
      height: { step: BAR },
      data: {
        values: rows.map(({ contender, seconds, unit, peer }) => ({
          contender,
          microseconds: seconds.median * 1e6,
          lower: seconds.lower * 1e6,
          upper: seconds.upper * 1e6,
          unit,
          who: peer ? 'peer' : 'equiflow',
        })),
      },
      encoding: { y: { field: 'contender', type: 'nominal', sort: null, title: null } },
      layer: [
        {
          mark: { type: 'point', filled: true, size: 60 },
          encoding: {
            x: {
              field: 'microseconds',
              type: 'quantitative',
              scale: { type: 'log', zero: false },
              title: `µs per ${rows[0].unit}`,
            },
            color: {
              field: 'who',
              type: 'nominal',
              scale: { domain: ['equiflow', 'peer'], range: [OURS, PEER] },
              legend: null,
            },
          },
        },
        {
          mark: 'rule',
          encoding: { x: { field: 'lower', type: 'quantitative' }, x2: { field: 'upper' } },
        },
      ],
    })),
  };
}

/**
 * A stand-alone SVG document.
 * @throws UnavailableError without Vega, which is optional
 */
export async function chart(measurements: readonly Measurement[]): Promise<string> {
  const draw = await loadDrawing();
  const svg = await draw(chartSpec(measurements), 'bench', 'Times per unit of work by contender');
  return svg.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ');
}
