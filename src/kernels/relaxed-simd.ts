import { setFlagsFromString } from 'node:v8';

/** Node.js 20 has relaxed SIMD behind a flag, which may be set until the first such module is compiled. */
export function allowRelaxedSimd(): void {
  setFlagsFromString('--experimental-wasm-relaxed-simd');
}
