import { type NpyArray, writeOutput } from '../formats/index.js';
import type { ReweightedProfile, Reweighting } from '../sampling/index.js';
import { writeArchive } from './outputs.js';

const COLUMNS = [
  'density',
  'densityError',
  'freeEnergy',
  'freeEnergyError',
  'effectiveSamples',
  'plainDensity',
  'plainDensityError',
] as const;

/**
 * Writes profiles: `.csv` with one row per bin, or `.npz` with one array per column, its name preceded by the coordinate where
 * there is more than one.
 */
export async function writeProfiles(
  path: string,
  { profiles, report }: Reweighting,
  facts: Readonly<Record<string, unknown>>,
): Promise<void> {
  if (path.endsWith('.csv')) {
    const rows = profiles.flatMap((profile) =>
      Array.from(profile.density, (_, bin) =>
        [
          profile.coordinate,
          profile.edges[bin],
          profile.edges[bin + 1],
          ...COLUMNS.map((name) => column(profile, name)[bin]),
        ].join(','),
      ),
    );
    const text = [['coordinate', 'from', 'to', ...COLUMNS].join(','), ...rows, ''].join('\n');
    await writeOutput(path, new TextEncoder().encode(text));
    return;
  }
  const arrays = new Map<string, NpyArray>();
  for (const profile of profiles) {
    const prefix = profiles.length === 1 ? '' : `${profile.coordinate}.`;
    arrays.set(`${prefix}edges`, { shape: [profile.edges.length], data: profile.edges });
    for (const name of COLUMNS) {
      const data = column(profile, name);
      arrays.set(prefix + name, { shape: [data.length], data });
    }
  }
  const coordinates = profiles.map(({ coordinate }) => coordinate);
  await writeArchive(path, 'equiflow profiles', { ...facts, n: report.n, coordinates, freeEnergyUnit: 'kT' }, arrays);
}

function column(profile: ReweightedProfile, name: (typeof COLUMNS)[number]): Float64Array {
  if (name === 'plainDensity') return profile.plain.density;
  if (name === 'plainDensityError') return profile.plain.densityError;
  return profile[name];
}
