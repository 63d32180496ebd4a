import type { Estimate } from '../estimate.js';

/** What one finished shard took, as `shards.log` has it. */
export interface ShardTime {
  readonly index: number;
  /** Units done. */
  readonly n: number;
  readonly workers: number;
  /** ISO 8601. */
  readonly started: string;
  readonly seconds: number;
}

/**
 * The finished shards of a log: one JSON object a line. A line that a killed writer has torn, or that is none of ours, is passed over:
 * nothing depends on the log but estimates of time.
 */
export function shardTimes(log: string): ShardTime[] {
  return log.split('\n').flatMap((line) => {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      return [];
    }
    const { index, n, workers, started, seconds } = (value ?? {}) as ShardTime;
    // Shorter than a millisecond is none that was measured.
    const sound =
      [n, workers].every((x) => Number.isSafeInteger(x) && x > 0) &&
      Number.isSafeInteger(index) &&
      seconds >= 1e-3 &&
      seconds < Number.POSITIVE_INFINITY;
    return sound && Number.isFinite(Date.parse(started)) ? [{ index, n, workers, started, seconds }] : [];
  });
}

/** How the time of a shard grows with its size: seconds = start + n/(rate·workers). */
export interface ShardCost {
  /** Seconds before the first unit: the process, the model, the workers. */
  readonly start: Estimate;
  /** Units a second and worker. */
  readonly rate: Estimate;
  /** Standard deviation of a measured time about the model, as a share of it. */
  readonly scatter: number;
}

/** Shards whose sizes differ by less say nothing about the start. */
const LEAST_SPREAD = 1.2;

/**
 * Fits the cost model by least squares to measured shards, with weights 1/seconds²: hosts and neighbours disturb a time by a share
 * of it. Shards of one size cannot tell start from rate; then the start is taken as 0 and its error is NaN, and the rate is what came
 * out in all. So does a fit that asks for a negative start.
 *
 * @returns undefined without shards
 */
export function fitShardCost(times: readonly Omit<ShardTime, 'index' | 'started'>[]): ShardCost | undefined {
  const points = times.map(({ n, workers, seconds }) => ({ x: n / workers, y: seconds, w: seconds ** -2 }));
  if (points.length === 0) return undefined;
  const largest = points.reduce((size, { x }) => Math.max(size, x), 0);
  const smallest = points.reduce((size, { x }) => Math.min(size, x), Number.POSITIVE_INFINITY);
  const line = largest > LEAST_SPREAD * smallest ? fitLine(points) : undefined;
  return costOf(line && line.a >= 0 ? line : fitThroughOrigin(points), points);
}

interface Point {
  readonly x: number;
  readonly y: number;
  readonly w: number;
}

/** y = a + b·x, with the elements of the inverse normal matrix: variances in units of the scatter. */
interface Line {
  readonly a: number;
  readonly b: number;
  readonly varianceA: number;
  readonly varianceB: number;
  readonly parameters: number;
}

function sums(points: readonly Point[]) {
  const sum = (f: (point: Point) => number) => points.reduce((total, point) => total + point.w * f(point), 0);
  return {
    s: sum(() => 1),
    sx: sum(({ x }) => x),
    sxx: sum(({ x }) => x * x),
    sy: sum(({ y }) => y),
    sxy: sum(({ x, y }) => x * y),
  };
}

function fitLine(points: readonly Point[]): Line {
  const { s, sx, sxx, sy, sxy } = sums(points);
  const determinant = s * sxx - sx * sx;
  return {
    a: (sxx * sy - sx * sxy) / determinant,
    b: (s * sxy - sx * sy) / determinant,
    varianceA: sxx / determinant,
    varianceB: s / determinant,
    parameters: 2,
  };
}

function fitThroughOrigin(points: readonly Point[]): Line {
  const { sxx, sxy } = sums(points);
  return { a: 0, b: sxy / sxx, varianceA: Number.NaN, varianceB: 1 / sxx, parameters: 1 };
}

function costOf({ a, b, varianceA, varianceB, parameters }: Line, points: readonly Point[]): ShardCost {
  const n = points.length;
  const residual = points.reduce((sum, { x, y, w }) => sum + w * (y - a - b * x) ** 2, 0);
  // As many points as parameters fit exactly, whatever they scatter.
  const scatter = n > parameters ? Math.sqrt(residual / (n - parameters)) : Number.NaN;
  const estimate = (value: number, variance: number): Estimate => ({
    value,
    standardError: scatter * Math.sqrt(variance),
    n,
    diagnostics: {},
  });
  // The error of 1/b to first order.
  return { start: estimate(a, varianceA), rate: estimate(1 / b, varianceB / b ** 4), scatter };
}

/** Seconds that a shard of `n` units takes on `workers` threads. */
export function shardSeconds({ start, rate }: ShardCost, n: number, workers: number): number {
  return start.value + n / (rate.value * workers);
}

/** What is left of a run. */
export interface RemainingWork {
  readonly units: number;
  /** Shards at work now. */
  readonly running: number;
  readonly shards: number;
}

/** How fast a run goes and when it ends. */
export interface Outlook {
  /** Units a second and worker, and the seconds of a start. */
  readonly cost: ShardCost;
  /** Threads of a shard, the mean over those measured. */
  readonly workers: number;
  /** Hours of one thread that are left. */
  readonly threadHours: number;
  /** Seconds until the end if as many shards stay at work as now; undefined if none is. */
  readonly eta?: number;
}

/**
 * How fast a run goes, from the shards that are done, and when it ends. Those at work count as half done: each is somewhere between
 * its beginning and its end.
 *
 * @returns undefined before the first shard is done
 */
export function outlook(times: readonly ShardTime[], { units, running, shards }: RemainingWork): Outlook | undefined {
  const cost = fitShardCost(times);
  if (!cost) return undefined;
  const workers = times.reduce((sum, time) => sum + time.workers, 0) / times.length;
  const whole = shards > 0 ? shardSeconds(cost, units / shards, workers) : 0;
  const seconds = whole * (shards - running / 2);
  return {
    cost,
    workers,
    threadHours: (seconds * workers) / 3600,
    ...(running > 0 || shards === 0 ? { eta: seconds / Math.max(1, running) } : {}),
  };
}
