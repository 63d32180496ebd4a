/** What a merge is told. */
export interface MergeOptions {
  out?: string;
  quiet?: boolean;
  json?: boolean;
}
