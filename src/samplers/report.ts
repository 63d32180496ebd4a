import type { Simulation } from './simulation.js';

/** Standard errors of a deviation from the virial theorem that chance does not explain (one in 16 000 runs). */
const VIRIAL_LIMIT = 4;

/** A simulation in figures, as manifests and the command line give it. */
export interface SimulationReport {
  readonly acceptance: number;
  /** Mean over chains of the step size used, and the range over chains. */
  readonly stepSize: number;
  readonly stepSizeRange: readonly [number, number];
  readonly meanEnergy: { readonly value: number; readonly standardError: number };
  /** Autocorrelation time of U in steps. */
  readonly autocorrelationSteps: number;
  readonly effectiveSamples: number;
  /** Whether the error bar of ⟨U⟩ can be trusted, and what `meanWithError` says of it. */
  readonly reliable: boolean;
  readonly status: string;
  readonly convergence: {
    readonly rHat: number;
    readonly bulkEss: number;
    readonly tailEss: number;
    readonly converged: boolean;
    readonly status: string;
  };
  readonly equilibration: {
    readonly equilibrated: boolean;
    /** Steps that the warm-up lacked; NaN where that cannot be told. */
    readonly missingSteps: number;
    readonly status: string;
  };
  readonly virial: {
    readonly value: number;
    readonly standardError: number;
    /** (N−1)D·kT */
    readonly expected: number;
    readonly status: string;
  };
}

/** Sums a simulation up: figures beside what to make of them. */
export function simulationReport(simulation: Simulation): SimulationReport {
  const { settings, stepSizes, acceptance, meanEnergy, convergence, equilibration, virial } = simulation;
  const { rHat, bulkEss, tailEss, converged } = convergence;
  const missingSteps = equilibration.discard * settings.stride;
  return {
    acceptance,
    stepSize: stepSizes.reduce((sum, size) => sum + size / stepSizes.length, 0),
    stepSizeRange: [stepSizes.reduce((a, b) => Math.min(a, b)), stepSizes.reduce((a, b) => Math.max(a, b))],
    meanEnergy: { value: meanEnergy.value, standardError: meanEnergy.standardError },
    autocorrelationSteps: meanEnergy.diagnostics.tau * settings.stride,
    effectiveSamples: meanEnergy.diagnostics.effectiveSamples,
    reliable: meanEnergy.reliable,
    status: meanEnergy.status,
    convergence: { rHat, bulkEss, tailEss, converged, status: convergence.status },
    equilibration: {
      equilibrated: equilibration.equilibrated,
      missingSteps,
      status:
        missingSteps > 0
          ? `${equilibration.status} Set the warm-up to at least ${settings.warmUp + missingSteps} steps.`
          : equilibration.status,
    },
    virial: {
      value: virial.value,
      standardError: virial.standardError,
      expected: simulation.expectedVirial,
      status: virialStatus(simulation),
    },
  };
}

function virialStatus({ virial, expectedVirial }: Simulation): string {
  if (!virial.reliable) return `The virial theorem cannot be tested. ${virial.status}`;
  const sigmas = Math.abs(virial.value - expectedVirial) / virial.standardError;
  return sigmas <= VIRIAL_LIMIT
    ? `The virial theorem holds within ${sigmas.toFixed(1)} standard errors.`
    : `The virial theorem fails by ${sigmas.toFixed(1)} standard errors: not in equilibrium, or U does not confine the particles.`;
}
