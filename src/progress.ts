/** One report of a long computation, handed to the caller; the library itself prints nothing. */
export interface ProgressUpdate {
  /** What is being done, as a noun phrase: `training eqBG`, `sampling`. */
  readonly stage: string;
  /** Units finished and units in all, in whatever unit the stage counts. */
  readonly done: number;
  readonly total: number;
  /** A figure worth seeing while waiting, for example `NLL 7.31`. */
  readonly detail?: string;
}

/** Hears of progress, a few times a second at most. */
export type Progress = (update: ProgressUpdate) => void;

/** A time for people. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
