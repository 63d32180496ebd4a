import type { ExperimentRecord } from '../experiment/record.js';
import { distanceTable } from './distance-table.js';
import { document } from './document.js';
import { claimFigure } from './figures/claim.js';
import { configurationFigure } from './figures/configurations.js';
import { energyFigure } from './figures/energies.js';
import { learningCurveFigure } from './figures/learning-curves.js';
import { pairPotentialFigure } from './figures/pair-potential.js';
import { positionFigure } from './figures/positions.js';
import { sharesFigure } from './figures/shares.js';
import { formatCount, formatSeconds, formatShare, formatUncertain } from './format.js';
import { type Html, html, subscripts, trusted } from './html.js';
import type { Study } from './studies.js';
import { keyNumbers, summary } from './summary.js';
import { resultsTable, seedsTable, statusList } from './table.js';
import type { Draw, Spec } from './vega.js';

const REFERENCES = [
  'J. Köhler, L. Klein, F. Noé, Equivariant flows: sampling configurations for multi-body systems with symmetric energies, NeurIPS workshop Machine Learning and the Physical Sciences (2019), arXiv 1910.00753. The experiment.',
  'J. Köhler, L. Klein, F. Noé, Equivariant flows: exact likelihood generative learning for symmetric densities, ICML (2020), arXiv 2006.02425. DW4.',
  'F. Noé, S. Olsson, J. Köhler, H. Wu, Boltzmann generators: sampling equilibrium states of many-body systems with deep learning, Science 365, eaaw1147 (2019).',
  'A. Vehtari, D. Simpson, A. Gelman, Y. Yao, J. Gabry, Pareto smoothed importance sampling, J. Mach. Learn. Res. 25, 72 (2024). Pareto k̂.',
  'L. Kish, Survey Sampling, Wiley (1965). Effective sample size.',
];

/** Puts the whole page together; figures and tables are numbered in the order of reading. */
export async function page(record: ExperimentRecord, shown: readonly Study[], draw: Draw): Promise<string> {
  const claimed = shown.find(({ trainingSet }) => trainingSet.id === 'biased') ?? shown[0];
  let figures = 0;
  const sections: Html[] = [];
  for (const study of shown) {
    sections.push(sectionHeading(study));
    sections.push(await sampleFigure(record, study, ++figures, draw, study === shown[0]));
    sections.push(await minimaFigure(record, study, ++figures, draw));
    if (study === claimed) sections.push(await seedsFigure(record, study, ++figures, draw));
  }
  sections.push(await trainingFigure(record, ++figures, draw));

  const { claim, system, notes } = record;
  const name = system.name.toUpperCase();
  const title = `Equivariant flows on ${name}: the experiment of Köhler, Klein and Noé (2019)`;
  const body = html`<header>
<h1>${title}</h1>
<p class="subtitle">${system.particles} particles in ${system.dimensions} dimensions. ${subscripts(system.convention)}.</p>
<p class="verdict ${claim.holds ? 'holds' : 'fails'}">${claim.statement}</p>
${keyNumbers(record, claimed)}
${summary(record, shown)}
</header>
${sections}
<section>
<h2>All numbers</h2>
<figure><figcaption><b>Table 1.</b> Generators of the figures beside their training data, the untrained prior and what is known. Errors are one
standard error in the last digits; (?) marks one that cannot be told.</figcaption>
${resultsTable(record, shown)}</figure>
${distanceFigure(record, shown)}
<h3>What the weights allow</h3>
${statusList(shown)}
</section>
<section>
<h2>Differences from the publication</h2>
<ul>${notes.map(
    (note) => html`<li>${note}</li>
`,
  )}</ul>
</section>
${footer(record)}`;
  return document({ title, body, version: record.versions.equiflow });
}

function sectionHeading({ trainingSet: { title, description, view, meanEnergy, acceptance } }: Study): Html {
  return html`<h2>${title}</h2>
<p>${description} Mean energy ${formatUncertain(meanEnergy)} kT over ${formatCount(view.n)} configurations, ${formatShare(acceptance)} of the moves accepted.</p>
`;
}

/** Panels as in Figure 1 of the paper; the pair potential (e) is the same for all and stands in the first one only. */
async function sampleFigure(
  record: ExperimentRecord,
  study: Study,
  number: number,
  draw: Draw,
  withPotential: boolean,
): Promise<Html> {
  const energies = energyFigure(record, study, withPotential ? 300 : 446);
  const potential = pairPotentialFigure(record);
  const positions = positionFigure(record, study);
  const configurations = configurationFigure(record, study);
  const svg = async (spec: Spec, part: string) =>
    trusted(await draw(spec, `f${number}${part}`, `Figure ${number}, ${part}`));
  return html`<figure id="figure-${number}">
<div class="row">${await svg(energies.spec, 'energies')}${withPotential ? await svg(potential.spec, 'potential') : ''}</div>
<div class="row cells">${await svg(positions.spec, 'positions')}</div>
<div class="row">${await svg(configurations.spec, 'configurations')}</div>
<figcaption><b>Figure ${number}.</b> <b>(a, c)</b> ${energies.caption} <b>(b, d)</b> ${positions.caption} ${
    withPotential ? html`<b>(e)</b> ${potential.caption} ` : ''
  }<b>(f–h)</b> ${configurations.caption}</figcaption>
</figure>
`;
}

async function minimaFigure(record: ExperimentRecord, study: Study, number: number, draw: Draw): Promise<Html> {
  const { spec, caption } = sharesFigure(record, study);
  return html`<figure id="figure-${number}">
<div class="row">${trusted(await draw(spec, `f${number}shares`, `Figure ${number}, shares of the minima`))}</div>
<figcaption><b>Figure ${number}.</b> ${caption}</figcaption>
</figure>
`;
}

async function seedsFigure(record: ExperimentRecord, study: Study, number: number, draw: Draw): Promise<Html> {
  const { spec, caption } = claimFigure(record);
  return html`<figure id="figure-${number}">
<div class="row seeds">${trusted(await draw(spec, `f${number}claim`, `Figure ${number}, the claim over seeds`))}
<div>${seedsTable(record, study)}</div></div>
<figcaption><b>Figure ${number}.</b> ${caption}</figcaption>
</figure>
`;
}

async function trainingFigure(record: ExperimentRecord, number: number, draw: Draw): Promise<Html> {
  const { spec, caption } = learningCurveFigure(record);
  return html`<h2>Training</h2>
<figure id="figure-${number}">
<div class="row">${trusted(await draw(spec, `f${number}learning`, `Figure ${number}, learning curves`))}</div>
<figcaption><b>Figure ${number}.</b> ${caption}</figcaption>
</figure>
`;
}

function footer({ settings, versions, seconds }: ExperimentRecord): Html {
  const options = [
    ['--seed', settings.seed],
    ['--claim-seeds', settings.claimSeeds],
  ].flatMap(([option, value]) => (value === undefined ? [] : [` ${option} ${value}`]));
  return html`<footer>
<h2>How this was made</h2>
<p>equiflow ${versions.equiflow}, Node.js ${versions.node}, ${formatSeconds(seconds)} in all. The same numbers come from
<code>equiflow paper${options.join('')} --out runs/paper</code> with the settings below; report.json beside this page holds them in full.</p>
<dl class="settings">${Object.entries(settings).map(
    ([name, value]) => html`<dt>${spaced(name)}</dt><dd>${settingText(value)}</dd>`,
  )}</dl>
<h3>References</h3>
<ol>${REFERENCES.map(
    (reference) => html`<li>${reference}</li>
`,
  )}</ol>
</footer>`;
}

function settingText(value: number | string): string {
  if (typeof value === 'string') return value;
  return Number.isInteger(value) ? formatCount(value) : String(value).replace('-', '−');
}

/** "trainingSteps" as "training steps". */
function spaced(name: string): string {
  return name.replaceAll(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
}

/** Table 2, where the record has what it shows. */
function distanceFigure(record: ExperimentRecord, shown: readonly Study[]): Html {
  const table = distanceTable(record, shown);
  if (table === null) return html``;
  return html`<figure>
<figcaption><strong>Table 2.</strong> Distance of each ensemble from independent equilibrium samples, beside what two equilibrium samples of these sizes show by chance (mean and spread). Where the two cannot be told apart the ensemble is, by this measure, at equilibrium. A few samples of high energy dominate the Wasserstein distance of a generator’s raw samples.</figcaption>
${table}</figure>`;
}
