import type { ProfileRequest } from '../reweighting/index.js';
import type { Reweighting } from '../sampling/index.js';
import { VERSION } from '../version.js';
import { document } from './document.js';
import { essFigure, type Figure, freeEnergyFigure, histogramFigure, logZFigure } from './figures/reweighted.js';
import { formatCount, formatNumber, formatShare, formatUncertain } from './format.js';
import { type Html, html, subscripts, trusted } from './html.js';
import { type Draw, loadDrawing, type Spec } from './vega.js';

/** Samples to report on; the profiles of `reweighting` are those that `reportProfiles` asks for. */
export interface SampleReport {
  /** What the samples are called, for example the name of their file. */
  readonly name: string;
  /** The command that makes this page. */
  readonly command: string;
  /** Target and its convention. */
  readonly target: string;
  readonly kT: number;
  /** Dimensions of space; undefined where positions are not at hand. */
  readonly dimensions?: number;
  readonly reweighting: Reweighting;
  /** Profiles of free energy, further to those of energies, weights and distances, with the title of their axis. */
  readonly coordinates: readonly string[];
}

const X_TITLES: Readonly<Record<string, string>> = {
  energy: 'energy U',
  rg: 'radius of gyration',
  d: 'distance d of pairs',
};

/** Profiles that a report needs of `reweight`, in this order, before those of its coordinates. */
export function reportProfiles(positions: boolean): ProfileRequest[] {
  return [
    { coordinate: 'energy', bins: 60, asDrawn: true },
    { coordinate: 'log-weight', bins: 60, asDrawn: true },
    ...(positions ? [{ coordinate: 'd', bins: 80, asDrawn: true }] : []),
  ];
}

/**
 * The worth of a sample set and what it says of the target as one HTML page that needs nothing beside it.
 *
 * @throws UnavailableError if the optional packages vega and vega-lite are not installed
 */
export async function renderSampleReport(report: SampleReport): Promise<string> {
  const draw = await loadDrawing();
  const figures = figuresOf(report);
  const { status } = report.reweighting.report;
  const sections: Html[] = [];
  for (const [k, { heading, row }] of figures.entries()) sections.push(await section(heading, row, k + 1, draw));
  return document({
    title: `Samples of ${report.name}`,
    body: html`<header>
<h1>Samples of ${report.name}</h1>
<p class="subtitle">${subscripts(report.target)}. Weights at kT = ${report.kT}.</p>
<p class="verdict ${VERDICT[status.level]}">${status.text}</p>
${numbers(report.reweighting)}
</header>
${sections}
<section>
<h2>All numbers</h2>
${table(report.reweighting)}
</section>
<footer><h2>How this was made</h2>
<p>equiflow ${VERSION}, <code>${report.command}</code>. Samples count as independent. Errors are one standard error of the delta method,
raised where the tail of the weights holds more than was seen; docs/reweighting.md says what each figure assumes.</p></footer>`,
  });
}

const VERDICT = { trust: 'holds', care: '', 'do-not-trust': 'fails' } as const;

function figuresOf({ reweighting, dimensions, coordinates }: SampleReport): { heading: string; row: Figure[] }[] {
  const { profiles, trace } = reweighting;
  const [energy, weights] = profiles;
  const distances = dimensions === undefined ? undefined : profiles[2];
  const further = profiles.slice(profiles.length - coordinates.length);
  const shell = (edges: Float64Array) => (bin: number) => {
    const [a, b] = [edges[bin], edges[bin + 1]];
    const volume = dimensions === 2 ? Math.PI * (b ** 2 - a ** 2) : (4 / 3) * Math.PI * (b ** 3 - a ** 3);
    return volume / (b - a);
  };
  return [
    {
      heading: 'What the samples say of the target',
      row: [
        histogramFigure(energy, { title: 'Energies', x: 'energy U', y: 'density' }),
        ...(distances === undefined
          ? []
          : [
              histogramFigure(distances, {
                title: 'Pair distances, g(d)',
                x: 'distance d',
                y: 'probability per volume',
                measure: shell(distances.edges),
                note: 'g(d) is the probability of the vector between two particles per unit of volume; a cluster has no bulk density to divide by. ',
              }),
            ]),
      ],
    },
    {
      heading: 'What the weights are worth',
      row: [
        histogramFigure(weights, {
          title: 'Log-weights',
          x: 'log w = −U/kT − log q  (nats)',
          y: 'density  (1/nat)',
          note: 'Where the blue curve lies beyond the grey area, few samples carry the weight. ',
          keyAt: 'left',
        }),
        essFigure(trace),
      ],
    },
    {
      heading: 'Free energy',
      row: [
        ...further.map((profile) =>
          freeEnergyFigure(profile, `Along ${title(profile.coordinate)}`, title(profile.coordinate)),
        ),
        logZFigure(trace),
      ],
    },
  ];
}

function title(coordinate: string): string {
  return X_TITLES[coordinate] ?? coordinate;
}

async function section(heading: string, row: readonly Figure[], number: number, draw: Draw): Promise<Html> {
  const svg = async (spec: Spec, part: number) =>
    trusted(await draw(spec, `f${number}p${part}`, `Figure ${number}, ${heading}, panel ${part}`));
  const drawings: Html[] = [];
  for (const [part, { spec }] of row.entries()) drawings.push(await svg(spec, part + 1));
  const captions = [...new Set(row.map(({ caption }) => caption))].join(' ');
  return html`<section><h2>${heading}</h2>
<figure id="figure-${number}">
${pairs(drawings)}
<figcaption><b>Figure ${number}.</b> ${captions}</figcaption>
</figure></section>
`;
}

/** Two panels a row. */
function pairs(drawings: readonly Html[]): Html[] {
  return drawings.flatMap((_, i) => (i % 2 === 0 ? [html`<div class="row">${drawings.slice(i, i + 2)}</div>`] : []));
}

function numbers({ report, meanEnergy }: Reweighting): Html {
  const cell = (heading: string, value: string, note: string) =>
    html`<div><h3>${heading}</h3><p>${value}</p><p class="known">${note}</p></div>
`;
  return html`<div class="numbers">${[
    cell(
      'Effective samples',
      formatCount(report.ess),
      `${formatShare(report.essFraction)} of ${formatCount(report.n)}`,
    ),
    cell('Pareto k̂', formatNumber(report.khat, 2), `largest weight ${formatShare(report.largestShare)} of the sum`),
    cell('log Z', formatUncertain(report.logZ), 'nats'),
    cell('⟨U⟩', formatUncertain(meanEnergy), 'weighted, one standard error'),
  ]}</div>`;
}

function table({ report, averages, states, ...rest }: Reweighting): Html {
  const rows: [string, string, string][] = [
    ['Samples', formatCount(report.n), ''],
    ['Zero weights', formatCount(report.zeroWeights), ''],
    ['log Z', formatUncertain(report.logZ), ''],
    ['Entropy of the target', formatUncertain(rest.targetEntropy), ''],
    ['Entropy of the flow', '', formatUncertain(rest.flowEntropy)],
    ['KL(q‖p)', '', formatUncertain(rest.reverseKl)],
    ['KL(p‖q)', formatUncertain(rest.forwardKl), ''],
    ...averages.map((average): [string, string, string] => [
      `⟨${average.coordinate}⟩`,
      formatUncertain(average),
      formatUncertain(average.plain),
    ]),
    ...states.flatMap(({ state, population, plain, difference }): [string, string, string][] => [
      [`Population of ${state}`, formatUncertain(population), formatUncertain(plain)],
      [`F of ${state}`, `${formatUncertain(difference)} kT`, ''],
    ]),
  ];
  return html`<table class="results"><thead><tr><th scope="col"></th><th scope="col">weighted</th><th scope="col">as drawn</th></tr></thead>
<tbody>${rows.map(
    ([name, weighted, drawn]) => html`<tr><th scope="row">${name}</th><td>${weighted}</td><td>${drawn}</td></tr>
`,
  )}</tbody></table>`;
}
