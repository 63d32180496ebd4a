import { Kernels } from '../../src/kernels/index.js';

const kernels = new Kernels();

/** What assembly/momenta.ts draws for chains `chain` … chain + 4·groups − 1 at a step. */
export interface Draws {
  /** Standard normals [chains, numbers]. */
  readonly normals: Float64Array;
  /** −2 ln u of each chain. */
  readonly minusTwiceLog: Float64Array;
  /** The word of each chain that jitters its step, as a signed number. */
  readonly words: Int32Array;
}

export function drawMomenta(
  seed: number,
  stream: number,
  chain: number,
  step: number,
  numbers: number,
  groups: number,
): Draws {
  return kernels.scoped(() => {
    const out = kernels.allocate(kernels.common.momentaBytes(numbers, groups));
    kernels.common.momenta(seed, stream, chain, step, numbers, groups, out);
    // a group's vectors: normals, one more if their number is odd, the decision and the word, and what fills up a counter's four
    const decision = 2 * Math.ceil(numbers / 2);
    const stride = 16 * Math.ceil((decision + 2) / 4);
    const floats = kernels.view('f32', out, groups * stride);
    const bits = kernels.u32View(out, groups * stride);
    const at = (c: number, vector: number) => Math.floor(c / 4) * stride + 4 * vector + (c % 4);
    const chains = Array.from({ length: 4 * groups }, (_, c) => c);
    return {
      normals: Float64Array.from(chains.flatMap((c) => Array.from({ length: numbers }, (_, i) => floats[at(c, i)]))),
      minusTwiceLog: Float64Array.from(chains, (c) => floats[at(c, decision)]),
      words: Int32Array.from(chains, (c) => bits[at(c, decision + 1)]),
    };
  });
}
