import type { ExperimentRecord, MinimizedConfiguration } from '../../experiment/record.js';
import { formatNumber } from '../format.js';
import { COLORS } from '../palette.js';
import type { Study } from '../studies.js';
import type { Spec } from '../vega.js';
import { barrierDistance } from './pair-potential.js';
import { extent, pixels, structureLayers } from './structure.js';

const WIDTH = 1026;
const CELL_HEIGHT = 108;
const HEADING = 34;
const CAPTION = 22;
const GROUP_GAP = 26;
const RADIUS = 9;
/** Configurations of one ensemble. */
const COLUMNS = 3;
/** Energies that differ by less belong to the same minimum: minimisation ends within 1e-6 of it. */
const SAME_MINIMUM = 1e-3;

/** Energies of poor samples run to ten thousands, where decimals are noise. */
function energyText(energy: number): string {
  return `${formatNumber(energy, Math.abs(energy) < 1000 ? 2 : 0)} kT`;
}

/**
 * Panels (f)–(h): configurations of training set, nBG and eqBG as they were drawn (below) and after minimisation (above),
 * the first of each ensemble.
 */
export function configurationFigure(
  record: ExperimentRecord,
  { trainingSet, nBG, eqBG }: Study,
): { spec: Spec; caption: string } {
  const groups = [
    { letter: 'f', name: 'training set', color: COLORS.muted, view: trainingSet.view },
    { letter: 'g', name: 'nBG', color: COLORS.nBG, view: nBG.view },
    { letter: 'h', name: 'eqBG', color: COLORS.eqBG, view: eqBG.view },
  ];
  const barrier = barrierDistance(record.pairPotential) ?? 0;
  const absent = absentEnergies(record, trainingSet.id);
  const groupWidth = (WIDTH - 2 * GROUP_GAP) / 3;
  const cellWidth = groupWidth / COLUMNS;
  const height = HEADING + 2 * (CELL_HEIGHT + CAPTION) + 10;
  const room = Math.min(cellWidth, CELL_HEIGHT) / 2 - RADIUS - 2;
  const usual = 1.1 * Math.max(...record.minima.map(({ x }) => extent(x)));

  const cells = groups.flatMap(({ view }, group) =>
    view.configurations.slice(0, COLUMNS).map((configuration, column) => ({
      configuration,
      centerX: group * (groupWidth + GROUP_GAP) + (column + 0.5) * cellWidth,
    })),
  );
  const upper = HEADING + CAPTION + CELL_HEIGHT / 2;
  const lower = upper + CELL_HEIGHT + CAPTION + 10;
  const place = (x: MinimizedConfiguration['x'], centerX: number, centerY: number) => ({
    x,
    centerX,
    centerY,
    // An arrangement too large for its cell is drawn smaller rather than over its neighbours.
    scale: room / Math.max(usual, extent(x)),
  });
  const drawable = (x: MinimizedConfiguration['x']) => x.every((particle) => particle.every(Number.isFinite));
  const drawn = cells.flatMap(({ configuration, centerX }) => [
    ...(drawable(configuration.minimized.x) ? [place(configuration.minimized.x, centerX, upper)] : []),
    ...(drawable(configuration.x) ? [place(configuration.x, centerX, lower)] : []),
  ]);
  const isAbsent = (energy: number) => absent.some((known) => Math.abs(known - energy) < SAME_MINIMUM);
  const energies = cells.flatMap(({ configuration: { energy, minimized }, centerX }) => [
    {
      x: centerX,
      y: HEADING + CAPTION / 2,
      text: energyText(minimized.energy),
      color: isAbsent(minimized.energy) ? COLORS.eqBG : COLORS.ink,
      weight: isAbsent(minimized.energy) ? 'bold' : 'normal',
    },
    {
      x: centerX,
      y: lower + CELL_HEIGHT / 2 + CAPTION / 2 - 4,
      text: energyText(energy),
      color: COLORS.muted,
      weight: 'normal',
    },
  ]);
  const arrows = cells.map(({ centerX }) => ({ x: centerX, y: lower - CELL_HEIGHT / 2 - 5, text: '↑' }));
  const headings = groups.map(({ letter, name, color }, group) => ({
    x: group * (groupWidth + GROUP_GAP) + 6,
    y: 12,
    text: `(${letter})  ${name}`,
    color,
  }));
  const separators = [1, 2].map((group) => ({ x: group * (groupWidth + GROUP_GAP) - GROUP_GAP / 2, y: 0, y2: height }));
  const text = { text: { field: 'text', type: 'nominal' } };
  const color = { color: { field: 'color', type: 'nominal', scale: null, legend: null } };
  const lines = (weight: string): Spec => ({
    data: { values: energies.filter((entry) => entry.weight === weight) },
    mark: { type: 'text', baseline: 'middle', fontWeight: weight },
    encoding: { ...text, ...color },
  });
  const shrunk = drawn.some(({ scale }) => scale < room / usual);
  return {
    spec: {
      width: WIDTH,
      height,
      encoding: pixels(WIDTH, height),
      layer: [
        { data: { values: separators }, mark: { type: 'rule', color: COLORS.rule }, encoding: { y2: { field: 'y2' } } },
        ...structureLayers(drawn, { barrier, radius: RADIUS, labelled: true }),
        {
          data: { values: arrows },
          mark: { type: 'text', baseline: 'middle', fontSize: 15, color: COLORS.muted },
          encoding: text,
        },
        {
          data: { values: headings },
          mark: { type: 'text', align: 'left', baseline: 'middle', fontSize: 13, fontWeight: 'bold' },
          encoding: { ...text, ...color },
        },
        lines('normal'),
        lines('bold'),
      ],
    },
    caption:
      `The first ${Math.min(COLUMNS, ...groups.map(({ view }) => view.configurations.length))} configurations of each ensemble, not picked ` +
      '(lower row), and what each becomes when its energy is minimised (upper row), with energies. Colour and digit tell the ' +
      `particles apart; solid lines are pairs closer than the barrier of the pair potential (d < ${formatNumber(barrier, 1)}), dashes the others.` +
      (absent.length > 0 ? ' Energies in bold blue are minima that the training set does not contain.' : '') +
      (shrunk ? ' Configurations too wide for their cell are drawn at a smaller scale.' : ''),
  };
}

/** Energies of the minima into which nothing in the training set falls. */
function absentEnergies(record: ExperimentRecord, id: Study['trainingSet']['id']): number[] {
  const { shares, kept } = record.trainingSets.find((set) => set.id === id)!.view.minima;
  if (kept === 0) return [];
  return record.minima.flatMap(({ energy }, m) => (shares[m].raw.value === 0 ? [energy] : []));
}
