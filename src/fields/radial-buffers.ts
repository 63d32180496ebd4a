import type { Kernels } from '../kernels/index.js';
import type { RadialSizes } from './radial-columns.js';

/** Keeps a power-of-two table from mapping every stage onto the same cache lines. */
const STAGE_PADDING = 64;
/** Bytes of a tile's numbers for one kernel or one column; see assembly/radial-basis.ts. */
export const TILE_ENTRY = 64;

/** Where everything stands whose size goes with the grid. Byte offsets. */
export interface RadialBuffers {
  /** Intervals that there is room for. */
  readonly capacity: number;
  /** Bytes of a stage's table for one pair of species, and of one column's rows. */
  readonly tableBytes: number;
  readonly rowBytes: number;
  readonly stages: number;
  readonly windows: number;
  readonly basis: number;
  readonly knots: number;
  readonly rows: number;
  /** One blend in f64, for stages that are narrower. */
  readonly blend: number;
}

/**
 * @param bytes of a number in the stages, and of one in the rows that they are blended from
 */
export function allocateRadial(
  kernels: Kernels,
  { pairs, kernels: K, columns }: RadialSizes,
  stages: number,
  capacity: number,
  bytes: { readonly stages: number; readonly rows: number },
): RadialBuffers {
  const tiles = Math.ceil(capacity / 4) + 1;
  // Rows come in fours behind one another, and the last may stand behind those.
  const tableBytes = (4 * tiles + 4) * 4 * bytes.stages + STAGE_PADDING;
  const rowBytes = (tableBytes * bytes.rows) / bytes.stages;
  return {
    capacity,
    tableBytes,
    rowBytes,
    windows: kernels.allocate(tiles * 8),
    basis: kernels.allocate(tiles * K * TILE_ENTRY),
    knots: kernels.allocate(tiles * columns * TILE_ENTRY),
    rows: kernels.allocate(columns * rowBytes),
    blend: kernels.allocate(rowBytes),
    stages: kernels.allocate(stages * pairs * tableBytes),
  };
}

/** Tiles of four knots from `from` to before `to`, the share of one job. */
export interface TileRange {
  readonly from: number;
  readonly to: number;
}

/** Fewest tiles of a job; more would not pay for handing it out. */
const JOB_TILES = 8;
/** Most jobs that a whole grid is cut into. */
const MOST_JOBS = 64;

/**
 * Cuts `tiles` tiles into jobs. The cuts depend on the grid alone, not on how much of it is covered, so that sums over jobs
 * are the same bits either way.
 */
export function tileRanges(tiles: number, intervals: number): readonly TileRange[] {
  const size = Math.max(JOB_TILES, Math.ceil(intervals / 4 / MOST_JOBS));
  return Array.from({ length: Math.ceil(tiles / size) }, (_, job) => ({
    from: job * size,
    to: Math.min(tiles, (job + 1) * size),
  }));
}
