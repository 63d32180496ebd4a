/** What a merge is told. */
export interface MergeOptions {
  plan: string;
  out?: string;
  quiet?: boolean;
  json?: boolean;
}
