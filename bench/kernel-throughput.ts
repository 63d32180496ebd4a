/* The kernels alone on a worker: samples are drawn and dropped. */
import { decodeModel, type FlowRunner, prepareFlow } from '../src/flows/index.js';

export interface DrawInput {
  readonly model: Uint8Array;
  readonly first: number;
  readonly n: number;
}

/** Samples of one call, few enough to stay in the caches. */
const CALL = 4096;

let runner: FlowRunner | undefined;

/** Draws samples `first` … `first + n − 1` and returns the last one's log q. One worker prepares one model. */
export function draw({ model, first, n }: DrawInput): number {
  runner ??= prepareFlow(decodeModel(model, 'model').generator.flow, 'f32');
  let last = 0;
  for (let done = 0; done < n; done += CALL) {
    last = runner.sample(1, first + done, Math.min(CALL, n - done)).logQ.at(-1)!;
  }
  return last;
}
