import { DataError } from '../errors.js';
import { isRecord } from '../formats/record.js';
import { VERSION } from '../version.js';
import { document } from './document.js';
import { axis, WEIGHTED } from './figures/band.js';
import { formatCount, formatNumber } from './format.js';
import { type Html, html, trusted } from './html.js';
import { COLORS } from './palette.js';
import { loadDrawing, type Spec } from './vega.js';

/** Numbers of a training against its step, one curve a name. */
export type TrainingCurves = ReadonlyMap<string, readonly { readonly step: number; readonly value: number }[]>;

/** What a page about a training shows. */
export interface TrainingReport {
  /** What the record or model is called. */
  readonly name: string;
  /** The command that makes the page. */
  readonly command: string;
  readonly curves: TrainingCurves;
}

const WIDTH = 452;
const HEIGHT = 190;
/** More points than pixels only thicken the page. */
const POINTS = 900;
/** The steep first steps run off the axis so that the rest can be read. */
const SHOWN = 0.97;

/** What the fields of our own records are called; others by their names. */
const TITLES: Readonly<Record<string, string>> = {
  loss: 'loss of each batch  (nats)',
  'terms.nll': 'NLL of each batch  (nats)',
  'terms.kl': 'reverse KL of each batch  (nats)',
  ms: 'milliseconds a step',
  'validation.trainingNll': 'training NLL since the last validation  (nats)',
  'validation.validationNll': 'validation NLL  (nats)',
  'validation.excess': 'validation NLL above the target’s own  (nats)',
  'validation.ess': 'ESS of samples of the flow, share of n',
  'validation.essSamples': 'n of that ESS',
  'validation.integratorError': 'integrator error of the validation NLL  (nats)',
  'validation.gradientError': 'error of gradients against finer tables',
  'validation.tableResolution': 'knots per width of the tables',
};

/** What validation measures stands out from what every step does. */
const VALIDATION = /validation|ess/i;

/**
 * Reads a training record: JSON lines, one object a step with `step` and any numbers, also in objects (`loss.nll`). Lines without a step
 * (a header) are left out.
 *
 * @throws DataError naming the line that is no JSON object, or if there are no steps
 */
export function parseTrainingRecord(text: string, source: string): TrainingCurves {
  const curves = new Map<string, { step: number; value: number }[]>();
  const add = (step: number, name: string, value: unknown): void => {
    if (typeof value === 'number' && Number.isFinite(value)) {
      if (!curves.has(name)) curves.set(name, []);
      curves.get(name)!.push({ step, value });
    } else if (isRecord(value)) {
      for (const [key, part] of Object.entries(value)) add(step, `${name}.${key}`, part);
    }
  };
  const lines = text.split('\n');
  for (const [i, line] of lines.entries()) {
    if (line.trim() === '') continue;
    let entry: Record<string, unknown>;
    try {
      entry = JSON.parse(line);
    } catch {
      // A run that was killed leaves its last line unfinished.
      if (i === lines.length - 1) continue;
      throw new DataError(`${source}: line ${i + 1} is not JSON, expected one object a line`);
    }
    if (typeof entry !== 'object' || entry === null) {
      throw new DataError(`${source}: line ${i + 1} is no object, expected one with a step`);
    }
    const { step, ...rest } = entry;
    if (typeof step !== 'number') continue;
    for (const [name, value] of Object.entries(rest)) add(step, name, value);
  }
  if (curves.size === 0) throw new DataError(`${source}: no numbers with a step, expected a training record`);
  return curves;
}

/**
 * The course of a training as one HTML page that needs nothing beside it: one panel for each number of the record.
 *
 * @throws UnavailableError if the optional packages vega and vega-lite are not installed
 */
export async function renderTrainingReport({ name, command, curves }: TrainingReport): Promise<string> {
  const draw = await loadDrawing();
  const last = [...curves.values()].reduce((step, points) => Math.max(step, points.at(-1)!.step), 1);
  const panels: Html[] = [];
  for (const [title, points] of curves) {
    // What never changes is told by the table.
    if (points.every(({ value }) => value === points[0].value)) continue;
    panels.push(trusted(await draw(panel(title, points, last), `p${panels.length + 1}`, `${title} against the step`)));
  }
  const rows: Html[] = [];
  for (let i = 0; i < panels.length; i += 2) rows.push(html`<div class="row">${panels.slice(i, i + 2)}</div>`);
  return document({
    title: `Training of ${name}`,
    body: html`<header>
<h1>Training of ${name}</h1>
<p class="subtitle">${formatCount(last)} steps.</p>
</header>
<section><h2>Curves</h2>
<figure id="figure-1">${rows}
<figcaption><b>Figure 1.</b> Every number of the record that changes, against the step; those of validation thick and blue. The ${formatNumber(100 * (1 - SHOWN), 0)} % of extreme values, mostly
of the first steps, may run off an axis.</figcaption></figure></section>
<section><h2>Last values</h2>
<table class="results"><thead><tr><th scope="col"></th><th scope="col">last</th><th scope="col">at step</th><th scope="col">lowest</th><th scope="col">highest</th><th scope="col">entries</th></tr></thead>
<tbody>${[...curves].map(([title, points]) => row(title, points))}</tbody></table></section>
<footer><h2>How this was made</h2><p>equiflow ${VERSION}, <code>${command}</code>.</p></footer>`,
  });
}

type Points = readonly { readonly step: number; readonly value: number }[];

function row(title: string, points: Points): Html {
  const values = points.map(({ value }) => value);
  const text = (value: number) => String(Number(value.toPrecision(6))).replace('-', '−');
  const [lowest, highest] = [Math.min, Math.max].map((least) => values.reduce((a, b) => least(a, b)));
  // Some figures are taken now and then only: the ESS of the first validation is that of an untrained flow.
  const cells = [text(values.at(-1)!), formatCount(points.at(-1)!.step), text(lowest), text(highest)];
  return html`<tr><th scope="row">${spaced(title)}</th>${cells.map((cell) => html`<td>${cell}</td>`)}<td>${formatCount(values.length)}</td></tr>
`;
}

function panel(title: string, points: Points, last: number): Spec {
  const stride = Math.max(1, Math.ceil(points.length / POINTS));
  const shown = points.filter((_, i) => i % stride === 0 || i === points.length - 1);
  const sorted = shown.map(({ value }) => value).sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))];
  const [low, high] = [at(1 - SHOWN), at(SHOWN)];
  const margin = 0.1 * (high - low) || 0.1 * Math.abs(high) || 1;
  const thick = VALIDATION.test(title);
  return {
    width: WIDTH,
    height: HEIGHT,
    title: { text: spaced(title) },
    data: { values: shown },
    mark: {
      type: 'line',
      clip: true,
      color: thick ? WEIGHTED : COLORS.muted,
      strokeWidth: thick ? 2.2 : 1,
    },
    encoding: {
      x: { field: 'step', ...axis('training step', [0, last]) },
      y: { field: 'value', ...axis('', [low - margin, high + margin], { axis: { tickCount: 5, format: '.3~g' } }) },
    },
  };
}

/** `gradientNorm` as `gradient norm`. */
function spaced(name: string): string {
  return TITLES[name] ?? name.replace(/([a-z])([A-Z])/g, (_, a, b) => `${a} ${b.toLowerCase()}`);
}
