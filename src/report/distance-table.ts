import type {
  EnsembleView,
  EquilibriumDistance,
  EquilibriumDistances,
  ExperimentRecord,
} from '../experiment/record.js';
import { formatUncertain } from './format.js';
import { type Html, html } from './html.js';
import type { Study } from './studies.js';

/** An ensemble of the table, under the name that the figures give it. */
interface Row {
  readonly set: string;
  readonly name: string;
  readonly className: string;
  readonly distances: EquilibriumDistances;
}

function rowsOf(set: string, name: string, className: string, { distances }: EnsembleView): Row[] {
  if (distances === undefined) return [];
  const { raw, reweighted } = distances;
  const rows = [{ set, name, className, distances: raw }];
  if (reweighted) rows.push({ set: '', name: `${name}, reweighted`, className, distances: reweighted });
  return rows;
}

function cells(distance: EquilibriumDistance): Html {
  const floor = { value: distance.floor, standardError: distance.floorSpread };
  return html`<td>${formatUncertain(distance)}</td><td>${formatUncertain(floor)}</td><td>${distance.distinguishable ? 'yes' : 'no'}</td>`;
}

/**
 * How far each ensemble is from equilibrium beside what chance alone would give, and whether the two can be told apart.
 * Null where the record has no distances.
 */
export function distanceTable({ control }: ExperimentRecord, studies: readonly Study[]): Html | null {
  const rows = [
    ...studies.flatMap(({ trainingSet, nBG, eqBG }) => [
      ...rowsOf(trainingSet.title, 'data', 'training', trainingSet.view),
      ...rowsOf(trainingSet.title, 'nBG', 'nbg', nBG.view),
      ...rowsOf(trainingSet.title, 'eqBG', 'eqbg', eqBG.view),
    ]),
    ...rowsOf('Control', 'prior', '', control),
  ];
  if (rows.length === 0) return null;
  return html`<table>
<thead>
<tr><td colspan="2"></td><th class="set" colspan="3" scope="colgroup">energy, Wasserstein-2 (kT)</th><th class="set" colspan="3" scope="colgroup">pair distances, total variation</th></tr>
<tr><td colspan="2"></td><th scope="col">distance</th><th scope="col">by chance</th><th scope="col">differs</th><th scope="col">distance</th><th scope="col">by chance</th><th scope="col">differs</th></tr>
</thead>
<tbody>
${rows.map(
  ({ set, name, className, distances }) =>
    html`<tr><td class="name">${set}</td><td class="name ${className}">${name}</td>${cells(distances.energyW2)}${cells(distances.pairDistanceTv)}</tr>
`,
)}</tbody>
</table>`;
}
