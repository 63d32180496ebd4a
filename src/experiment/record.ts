import type { Estimate } from '../estimate.js';
import type { LearningCurvePoint } from '../training/index.js';

/** A number with one standard error; NaN is written to JSON as null. */
export interface Uncertain {
  readonly value: number;
  readonly standardError: number;
}

/** One configuration, shape [particles][dimensions], its energy, and the minimum that it falls into. */
export interface MinimizedConfiguration {
  readonly x: number[][];
  readonly energy: number;
  readonly minimized: { readonly x: number[][]; readonly energy: number };
}

/** Which minima the samples fall into when minimised, up to rotation, reflection and exchange of particles. */
export interface MinimaShares {
  /** Samples looked at, and how many of them had U at or below the cutoff and were kept. */
  readonly n: number;
  readonly kept: number;
  readonly keptFraction: Uncertain;
  /** In the order of `ExperimentRecord.minima`; fractions of the kept samples, raw and reweighted (null where no weights exist). */
  readonly shares: readonly { readonly raw: Uncertain; readonly reweighted: Uncertain | null }[];
  /** Kept samples that fall into none of the known minima (saddles, failures). */
  readonly other: number;
  /** Distinct labelled arrangements among the kept samples (minima up to O(D) only, particles told apart). */
  readonly labelledArrangements: number;
}

/** A distance from equilibrium, beside what two equilibrium samples of these sizes would show by chance. */
export interface EquilibriumDistance extends Uncertain {
  readonly floor: number;
  readonly floorSpread: number;
  /** False where chance explains the distance. */
  readonly distinguishable: boolean;
}

/** How far an ensemble is from equilibrium. */
export interface EquilibriumDistances {
  /** Wasserstein-2 distance of the energies, in kT. */
  readonly energyW2: EquilibriumDistance;
  /** Total variation of the pair distances, bins of 0.1 from 0 to 10. */
  readonly pairDistanceTv: EquilibriumDistance;
}

/** A set of configurations as figures need it: energies and first-particle positions may be a subsample. */
export interface EnsembleView {
  readonly n: number;
  readonly energies: readonly number[];
  /** Position of the first particle, shape [*][dimensions], centre of mass removed. */
  readonly firstParticle: readonly (readonly number[])[];
  readonly minima: MinimaShares;
  /** Absent for the equilibrium reference itself and for generators that are not shown. */
  readonly distances?: { readonly raw: EquilibriumDistances; readonly reweighted: EquilibriumDistances | null };
  /** A few configurations in order of drawing, not picked. */
  readonly configurations: readonly MinimizedConfiguration[];
}

/** What generators learnt from. */
export interface TrainingSet {
  readonly id: 'biased' | 'equilibrium';
  readonly title: string;
  /** How it was made, in one or two sentences. */
  readonly description: string;
  readonly view: EnsembleView;
  readonly meanEnergy: Estimate;
  readonly acceptance: number;
}

/** One trained generator: sampled, reweighted, minimised. */
export interface GeneratorRun {
  readonly trainingSet: TrainingSet['id'];
  /** `eqBG`: kernel field; `nBG`: dense field. */
  readonly label: 'eqBG' | 'nBG';
  readonly seed: number;
  readonly parameters: number;
  readonly steps: number;
  readonly stopped: string;
  /** Normalised negative log-likelihoods in nats: on the training split, and on independent equilibrium data. */
  readonly trainingNll: Uncertain;
  readonly testNll: Uncertain;
  /** One point a validation. */
  readonly learningCurve: readonly Pick<LearningCurvePoint, 'step' | 'trainingNll' | 'validationNll'>[];
  readonly weights: {
    readonly n: number;
    readonly ess: number;
    readonly khat: number;
    readonly logZ: Uncertain;
    readonly largestShare: number;
    readonly status: string;
  };
  readonly view: EnsembleView;
  readonly seconds: { readonly training: number; readonly sampling: number; readonly minimization: number };
}

/** The paper's claim as a number per training seed: share of kept samples in minima absent from the training set. */
export interface Claim {
  /** Indices into `ExperimentRecord.minima`. */
  readonly absentMinima: readonly number[];
  readonly seeds: readonly { readonly seed: number; readonly eqBG: Uncertain; readonly nBG: Uncertain }[];
  readonly eqBG: Uncertain;
  readonly nBG: Uncertain;
  /** Mean over seeds of eqBG − nBG, and that in its standard errors. */
  readonly difference: Uncertain;
  readonly sigmas: number;
  readonly holds: boolean;
  /** The verdict in words, whichever way it came out. */
  readonly statement: string;
}

/** Everything that `equiflow paper` found; the report draws it and writes it as JSON beside itself. */
export interface ExperimentRecord {
  readonly version: 1;
  readonly system: {
    readonly name: string;
    readonly particles: number;
    readonly dimensions: number;
    readonly convention: string;
    readonly logZ: Uncertain;
    readonly meanEnergy: Uncertain;
    readonly entropy: Uncertain;
  };
  /** Differences from the publication and choices of ours, one sentence each. */
  readonly notes: readonly string[];
  /** Samples with U above this are left out of the shares (99 % quantile at equilibrium). */
  readonly energyCutoff: number;
  readonly minima: readonly { readonly energy: number; readonly equilibriumShare: Uncertain; readonly x: number[][] }[];
  /** u(d) of the pair, which for N = 2 is the whole potential. */
  readonly pairPotential: { readonly distance: readonly number[]; readonly energy: readonly number[] };
  /** Independent equilibrium samples: the truth that figures compare with. */
  readonly equilibrium: EnsembleView;
  readonly trainingSets: readonly TrainingSet[];
  /** The prior without any training. */
  readonly control: EnsembleView;
  /** First the runs that the figures show (one per training set and field), then the further seeds. */
  readonly runs: readonly GeneratorRun[];
  readonly claim: Claim;
  readonly settings: Readonly<Record<string, number | string>>;
  readonly versions: { readonly equiflow: string; readonly node: string };
  readonly seconds: number;
}
