import { Option } from 'commander';
import { integer, outOption } from '../options.js';

/** How a run is cut. */
export interface CutOptions {
  shards: number;
  firstIndex: number;
  out: string;
}

/* Options of every plan. */
export const shardsOption = () =>
  new Option('--shards <integer>', 'number of shards').argParser(integer(1, 1e6)).makeOptionMandatory();
export const firstIndexOption = () =>
  new Option('--first-index <index>', 'index of the first shard: 1 for schedulers that count from 1')
    .default(0)
    .argParser(integer(0, 1));
export const runOption = () => outOption('run folder, new or empty');
