import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test from 'ava';
import * as equiflow from '../src/index.js';

/** The values of the public surface; types come and go with them. A change here is a change for users. */
const SURFACE = `
  DataError DenseField EnergyEvaluator EquiflowError FlowRunner InputError InterruptedError IoError
  KernelField NumericalError OutputError TRAINING_DEFAULTS UnavailableError UsageError VERSION
  WorkerPool arrayInMemory bennettAcceptanceRatio blockBootstrap boltzmannGenerator classifyMinima
  continuousFlow convergence decodeModel decodeNpy decodeNpz defineSystem describeSystem distinctMinima dopri5
  encodeModel encodeNpy encodeNpz energyW2 ensembleFreeEnergies entropyAndKl equilibration exponentialAveraging
  exportSelection
  freeEnergyProfile histogram histogram2d importanceWeights initialDenseField initialFieldFor
  initialKernelField integratedAutocorrelationTime isMinimum labelledArrangements listSystems loadSystem
  logNormalization logProb logWeights mbar meanFreeNormal meanWithError minimize minimizeOnPool
  normalizedWeights openSampleWeights openSamples openVector pairDistance pairDistributionDistances
  pairDistributions paretoKhat prepareFlow radiusOfGyration readArray readConfigurations readInput
  readSampleWeights reducedWork reweight rk4 runPaperExperiment sample sampleToFolder sampleToHdf5
  selectSamples simulate smoothedLogWeights splitConfigurations startConfiguration stateFreeEnergyDifference
  systemFromDefinition systemFromSpec systemSpec tabulatePair tabulatePoints train twoSidedDifference uniformBasis
  allocatedThreads createSampleRun formatIndices mergeReweighting mergeSamples mergeSimulation mergedWeights openJob
  openReweightJob openSampleJob openSimulateJob planReweighting planSimulation readRun requireComplete runShard runStatus
  shardIndex shardIndices shardRange verifyMerged verifyRun writeRun
  vectorInMemory verifySamples wassersteinDistance weightedMean withFewestSteps writeOutput writeSampleSet
`;

test('the public surface is what is written here', (t) => {
  t.deepEqual(Object.keys(equiflow).sort(), SURFACE.trim().split(/\s+/).sort());
});

test('importing the package prints nothing and keeps no process alive', async (t) => {
  const url = new URL('../src/index.js', import.meta.url).href;
  const child = promisify(execFile)(process.execPath, ['--input-type=module', '-e', `await import('${url}')`], {
    timeout: 60_000,
  });
  // A handle left open would run into the timeout, which rejects.
  t.deepEqual(await child, { stdout: '', stderr: '' });
});

test('a generator is a record of prior, flow and target, without methods or state', (t) => {
  const target = equiflow.systemFromSpec('dw4');
  const prior = equiflow.meanFreeNormal(4, 2);
  const flow = equiflow.continuousFlow(prior, equiflow.initialFieldFor(target, 1), equiflow.rk4(20));
  const generator = equiflow.boltzmannGenerator(target, flow);
  t.deepEqual(Object.keys(generator).sort(), ['flow', 'prior', 'target']);
  t.is(generator.prior, prior);
  t.is(generator.flow, flow);
  t.is(generator.target, target);
  t.is(Object.getPrototypeOf(generator), Object.prototype);
  t.throws(() => equiflow.boltzmannGenerator(equiflow.systemFromSpec('dw2'), flow), {
    instanceOf: equiflow.UsageError,
    message: /'dw2' has 2 particles, the flow 4/,
  });
});
