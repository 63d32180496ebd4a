import type { EnsembleView, ExperimentRecord, GeneratorRun, Uncertain } from '../experiment/record.js';
import {
  deviation,
  formatCount,
  formatList,
  formatNumber,
  formatPercent,
  formatShare,
  formatUncertain,
} from './format.js';
import { type Html, html } from './html.js';
import type { Study } from './studies.js';

/** Largest Pareto k̂ at which importance weights are believed (Vehtari et al. 2024). */
const KHAT_LIMIT = 0.7;

/** What was asked and what came out, in sentences made from the numbers. */
export function summary(record: ExperimentRecord, studies: readonly Study[]): Html {
  const { system, minima } = record;
  return html`<p class="lead">Does a normalizing flow that commutes with rotations, reflections and the exchange of particles (eqBG) find states
that its training data do not contain, where a flow of the same kind without these symmetries (nBG) does not? The system is ${system.name.toUpperCase()},
${system.particles} particles in ${system.dimensions} dimensions with ${minima.length} distinct minima and known log Z = ${formatUncertain(system.logZ)}.</p>
${studies.map(
  (study) => html`<p><b>${study.trainingSet.title}.</b> ${findings(record, study)}</p>
`,
)}`;
}

function findings({ system, minima }: ExperimentRecord, { trainingSet, nBG, eqBG }: Study): string {
  const present = minimaIn(trainingSet.view);
  const each = [nBG, eqBG];
  const reached = each.map(({ label, view }) =>
    view.minima.kept === 0 ? `no sample of ${label} is kept` : `kept samples of ${label} reach ${minimaIn(view)}`,
  );
  return (
    `The training set, ${formatCount(trainingSet.view.n)} configurations, contains ${present} of the ${minima.length} minima; ` +
    `${formatList(reached)}. By their weights, ${formatList(each.map((run) => logZText(run, system.logZ)))}.`
  );
}

function minimaIn({ minima }: EnsembleView): number {
  return minima.shares.filter(({ raw }) => raw.value > 0).length;
}

function logZText({ label, weights: { n, logZ, khat } }: GeneratorRun, known: Uncertain): string {
  if (!Number.isFinite(logZ.value)) return `${label} gives no log Z`;
  const sigmas = Math.abs(deviation(logZ, known));
  const remarks = [
    ...(Number.isFinite(sigmas)
      ? [`${formatNumber(sigmas, sigmas < 20 ? 1 : 0)} standard errors from the known value`]
      : []),
    ...(khat <= KHAT_LIMIT ? [] : ['not to be trusted by its Pareto k̂']),
  ];
  const remark = remarks.length > 0 ? ` (${remarks.join(', ')})` : '';
  return `${formatCount(n)} samples of ${label} give log Z = ${formatUncertain(logZ)}${remark}`;
}

interface Figure {
  readonly title: string;
  readonly eqBG: string;
  readonly nBG: string;
  readonly known: string;
}

/** The four numbers that decide, eqBG beside nBG beside what is known. */
export function keyNumbers({ claim, system }: ExperimentRecord, { nBG, eqBG }: Study): Html {
  const figures: Figure[] = [
    {
      title: `in absent minima, ${claim.seeds.length} ${claim.seeds.length === 1 ? 'seed' : 'seeds'}`,
      eqBG: formatPercent(claim.eqBG),
      nBG: formatPercent(claim.nBG),
      known: 'of the kept samples',
    },
    {
      title: 'log Z from the weights',
      eqBG: formatUncertain(eqBG.weights.logZ),
      nBG: formatUncertain(nBG.weights.logZ),
      known: `known: ${formatUncertain(system.logZ)}`,
    },
    {
      title: 'NLL of equilibrium data, nats',
      eqBG: formatUncertain(eqBG.testNll),
      nBG: formatUncertain(nBG.testNll),
      known: `at best ${formatUncertain(system.entropy)}`,
    },
    {
      title: 'effective samples',
      eqBG: formatShare(eqBG.weights.ess / eqBG.weights.n),
      nBG: formatShare(nBG.weights.ess / nBG.weights.n),
      known: `of n = ${formatCount(eqBG.weights.n)}; k̂ ${formatNumber(eqBG.weights.khat, 2)} and ${formatNumber(nBG.weights.khat, 2)}`,
    },
  ];
  return html`<div class="numbers">${figures.map(
    ({ title, ...cell }) => html`<div><h3>${title}</h3>
<p class="eqbg"><span>eqBG</span> ${cell.eqBG}</p><p class="nbg"><span>nBG</span> ${cell.nBG}</p><p class="known">${cell.known}</p></div>
`,
  )}</div>`;
}
