import type { EnsembleView, ExperimentRecord, GeneratorRun } from '../experiment/record.js';
import {
  deviation,
  formatCount,
  formatNumber,
  formatPercent,
  formatSeconds,
  formatShare,
  formatUncertain,
  NO_VALUE,
} from './format.js';
import { type Html, html } from './html.js';
import type { Study } from './studies.js';

/** What a column of the results table speaks of: an ensemble, and the generator that made it if one did. */
interface Column {
  readonly heading: string;
  readonly className: string;
  readonly view: EnsembleView | null;
  readonly run: GeneratorRun | null;
}

interface Row {
  readonly heading: string;
  readonly known?: string;
  readonly cell: (column: Column) => string;
}

const runCell =
  (show: (run: GeneratorRun) => string) =>
  ({ run }: Column) =>
    run ? show(run) : '';
const viewCell =
  (show: (view: EnsembleView) => string) =>
  ({ view }: Column) =>
    view ? show(view) : '';

function deviationText(run: GeneratorRun, known: ExperimentRecord['system']['logZ']): string {
  const sigmas = deviation(run.weights.logZ, known);
  return Number.isFinite(sigmas) ? `${sigmas > 0 ? '+' : ''}${formatNumber(sigmas, 1)} σ` : NO_VALUE;
}

function essText({ weights: { ess, n } }: GeneratorRun): string {
  return `${formatCount(ess)} (${formatShare(ess / n)})`;
}

/** Rows in groups; each group gets a heading of its own. */
function rowGroups({ system, energyCutoff, minima, equilibrium }: ExperimentRecord): { title: string; rows: Row[] }[] {
  const { entropy, logZ } = system;
  return [
    {
      title: 'Model',
      rows: [
        { heading: 'parameters', cell: runCell(({ parameters }) => formatCount(parameters)) },
        { heading: 'training steps', cell: runCell(({ steps }) => formatCount(steps)) },
        { heading: 'ended by', cell: runCell(({ stopped }) => inLines(stopped)) },
      ],
    },
    {
      title: 'Negative log-likelihood, normalised (nats)',
      rows: [
        { heading: 'training data', cell: runCell(({ trainingNll }) => formatUncertain(trainingNll)) },
        {
          heading: 'equilibrium test data',
          known: `≥ ${formatUncertain(entropy)}`,
          cell: runCell(({ testNll }) => formatUncertain(testNll)),
        },
        {
          heading: 'test data − entropy = KL(p‖q)',
          known: '≥ 0',
          cell: runCell(({ testNll }) =>
            formatUncertain({
              value: testNll.value - entropy.value,
              standardError: Math.hypot(testNll.standardError, entropy.standardError),
            }),
          ),
        },
      ],
    },
    {
      title: 'Importance weights',
      rows: [
        { heading: 'samples n', cell: runCell(({ weights }) => formatCount(weights.n)) },
        { heading: 'ESS (of n)', cell: runCell(essText) },
        { heading: 'Pareto k̂', known: '≤ 0.7', cell: runCell(({ weights }) => formatNumber(weights.khat, 2)) },
        { heading: 'largest weight’s share', cell: runCell(({ weights }) => formatShare(weights.largestShare)) },
        {
          heading: 'log Z',
          known: formatUncertain(logZ),
          cell: runCell(({ weights }) => formatUncertain(weights.logZ)),
        },
        { heading: 'log Z − known', cell: runCell((run) => deviationText(run, logZ)) },
      ],
    },
    {
      title: `Minima of samples with U ≤ ${formatNumber(energyCutoff, 2)} kT; second line reweighted`,
      rows: [
        {
          heading: 'samples looked at',
          known: formatCount(equilibrium.minima.n),
          cell: viewCell((view) => formatCount(view.minima.n)),
        },
        {
          heading: 'kept',
          known: formatPercent(equilibrium.minima.keptFraction),
          cell: viewCell((view) => formatPercent(view.minima.keptFraction)),
        },
        ...minima.map(({ energy, equilibriumShare }, m) => ({
          heading: `in ${formatNumber(energy, 2)} kT`,
          known: formatPercent(equilibriumShare),
          cell: viewCell(({ minima: { shares } }) => {
            const { raw, reweighted } = shares[m];
            return reweighted ? `${formatPercent(raw)}\n${formatPercent(reweighted)}` : formatPercent(raw);
          }),
        })),
        {
          heading: 'in none of these (number)',
          known: formatCount(equilibrium.minima.other),
          cell: viewCell((view) => formatCount(view.minima.other)),
        },
        {
          heading: 'labelled arrangements',
          known: formatCount(equilibrium.minima.labelledArrangements),
          cell: viewCell((view) => formatCount(view.minima.labelledArrangements)),
        },
      ],
    },
    {
      title: 'Wall time',
      rows: [
        { heading: 'training', cell: runCell(({ seconds }) => formatSeconds(seconds.training)) },
        { heading: 'sampling', cell: runCell(({ seconds }) => formatSeconds(seconds.sampling)) },
        { heading: 'minimisation', cell: runCell(({ seconds }) => formatSeconds(seconds.minimization)) },
      ],
    },
  ];
}

/** All numbers of the generators that the figures show, beside the known answers. */
export function resultsTable(record: ExperimentRecord, studies: readonly Study[]): Html {
  const sets = studies.map(({ trainingSet, nBG, eqBG }): { title: string; columns: Column[] } => ({
    title: trainingSet.title,
    columns: [
      { heading: 'data', className: 'training', view: trainingSet.view, run: null },
      { heading: 'nBG', className: 'nbg', view: nBG.view, run: nBG },
      { heading: 'eqBG', className: 'eqbg', view: eqBG.view, run: eqBG },
    ],
  }));
  const columns = [
    ...sets.flatMap((set) => set.columns),
    { heading: 'prior', className: '', view: record.control, run: null },
  ];
  const groups = rowGroups(record).map(
    ({ title, rows }) => html`<tbody>
<tr class="group"><th scope="rowgroup" colspan="${columns.length + 2}">${title}</th></tr>
${rows.map(
  ({
    heading,
    known,
    cell,
  }) => html`<tr><th scope="row">${heading}</th><td class="known">${known ?? ''}</td>${columns.map(
    (column) => html`<td>${lines(cell(column))}</td>`,
  )}</tr>
`,
)}</tbody>
`,
  );
  return html`<table class="results">
<thead>
<tr><td></td><th rowspan="2" scope="col">known</th>${sets.map(
    ({ title, columns: { length } }) => html`<th class="set" colspan="${length}" scope="colgroup">${title}</th>`,
  )}<th class="set" scope="colgroup">Control</th></tr>
<tr><td></td>${columns.map(({ heading, className }) => html`<th class="${className}" scope="col">${heading}</th>`)}</tr>
</thead>
${groups}</table>`;
}

/** Words in lines of eight characters and more: a reason should not be wider than the figures below it. */
function inLines(text: string): string {
  return text.replace(/(.{8,}?) /g, '$1\n');
}

function lines(text: string): Html[] {
  return text.split('\n').map((line, i) => (i === 0 ? html`${line}` : html`<br>${line}`));
}

/** The generators trained on the biased set, one row per seed and field. */
export function seedsTable({ claim, system }: ExperimentRecord, { nBG, eqBG, furtherSeeds }: Study): Html {
  const share = ({ label, seed }: GeneratorRun) => {
    const row = claim.seeds.find((candidate) => candidate.seed === seed);
    return row ? formatPercent(row[label]) : NO_VALUE;
  };
  const rows = [nBG, eqBG, ...furtherSeeds].sort((a, b) => a.seed - b.seed || b.label.localeCompare(a.label));
  return html`<table>
<thead><tr><th scope="col">seed</th><th scope="col">generator</th><th scope="col">test NLL (nats)</th><th scope="col">ESS</th><th scope="col">k̂</th><th scope="col">log Z</th><th scope="col">kept</th><th scope="col">in absent minima</th></tr></thead>
<tbody>
${rows.map(
  (
    run,
  ) => html`<tr><td>${run.seed}</td><td class="name ${run.label.toLowerCase()}">${run.label}</td><td>${formatUncertain(run.testNll)}</td><td>${formatShare(run.weights.ess / run.weights.n)}</td><td>${formatNumber(run.weights.khat, 2)}</td><td>${formatUncertain(run.weights.logZ)}</td><td>${formatPercent(run.view.minima.keptFraction)}</td><td>${share(run)}</td></tr>
`,
)}<tr class="known"><td></td><td class="name">known</td><td>≥ ${formatUncertain(system.entropy)}</td><td></td><td></td><td>${formatUncertain(system.logZ)}</td><td></td><td></td></tr>
</tbody>
</table>`;
}

/** What each set of weights allows one to say. */
export function statusList(studies: readonly Study[]): Html {
  return html`<dl class="status">${studies.flatMap(({ trainingSet, nBG, eqBG }) =>
    [nBG, eqBG].map(
      (run) =>
        html`<dt class="${run.label.toLowerCase()}">${run.label}, ${lowerFirst(trainingSet.title)}</dt><dd>${run.weights.status}</dd>
`,
    ),
  )}</dl>`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
