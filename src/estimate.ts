/** A number with its standard error, as every estimator here returns it. */
export interface Estimate<Diagnostics = Record<string, number>> {
  readonly value: number;
  /** One standard deviation of the estimator; NaN where it cannot be known from the data at hand. */
  readonly standardError: number;
  /** Number of samples (not the effective number) that the estimate stands on. */
  readonly n: number;
  readonly diagnostics: Diagnostics;
}
