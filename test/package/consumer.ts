/** Uses the public types the way a strict program does; the last line has to be an error. */
export const CONSUMER = `
import {
  boltzmannGenerator, type BoltzmannGenerator, continuousFlow, EquiflowError, initialKernelField, meanFreeNormal, rk4,
  sample, type SampleSet, systemFromSpec, uniformBasis, WorkerPool,
} from 'equiflow';
const field = initialKernelField(4, 2, uniformBasis(50, 8, 0.5), { seed: 1 });
const flow = continuousFlow(meanFreeNormal(4, 2), field, rk4(8));
const generator: BoltzmannGenerator = boltzmannGenerator(systemFromSpec('dw4'), flow);
const pool: WorkerPool = new WorkerPool({ workers: 1 });
export const set: SampleSet = await sample(generator, { n: 1, seed: 1 }, pool);
export const code = (error: EquiflowError): number => error.exitCode;
// @ts-expect-error a seed is needed
await sample(generator, { n: 1 }, pool);
`;

/** All declarations are checked, without Node's types: a program for other engines has none. */
export const TSCONFIG = {
  compilerOptions: {
    target: 'ES2022',
    module: 'NodeNext',
    moduleResolution: 'NodeNext',
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: false,
    types: [],
  },
  files: ['consumer.ts'],
};
