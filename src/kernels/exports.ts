/* Signatures of the WASM module. Every argument that is not a count or a scale is a byte offset into its memory. */

/** The kernels that exist for f32 and f64 lanes. `blocks` are groups of `lanes` samples. Documented in assembly/. */
export interface LaneKernels {
  /** Samples per block. */
  readonly lanes: number;
  /** Bytes of one number. */
  readonly bytes: number;
  /** What the exports' names end in. */
  readonly width: '32' | '64';
  elementary(kind: number, x: number, vectors: number): void;
  packFrom32(from: number, to: number, samples: number, coordinates: number): void;
  packFrom64(from: number, to: number, samples: number, coordinates: number): void;
  unpackTo32(from: number, to: number, samples: number, coordinates: number): void;
  unpackTo64(from: number, to: number, samples: number, coordinates: number): void;
  squaredNorm(x: number, norms: number, coordinates: number, blocks: number): void;
  removeCentroid(x: number, particles: number, dimensions: number, blocks: number): void;
  tableRows(knots: number, columns: number, from: number, to: number, tableBytes: number, out: number): void;
  lastRows(knots: number, columns: number, last: number, constant: boolean, tableBytes: number, out: number): void;
  tableRowsReverse(
    rowBars: number,
    columns: number,
    tiles: number,
    last: number,
    tableBytes: number,
    knotBars: number,
  ): void;
  addRows(rows: number, stride: number, bytes: number, sum: number, x: number): void;
  combineRows(
    a: number,
    aStride: number,
    aStep: number,
    outputs: number,
    inputs: number,
    input: number,
    inStride: number,
    bytes: number,
    out: number,
    outStride: number,
  ): void;
  rowProducts(
    row: number,
    rowStride: number,
    rows: number,
    column: number,
    columnStride: number,
    columns: number,
    bytes: number,
    out: number,
  ): void;
  velocity(
    kind: number,
    parameters: number,
    stage: number,
    x: number,
    v: number,
    div: number,
    particles: number,
    dimensions: number,
    blocks: number,
    scratch: number,
  ): void;
  velocityReverse(
    kind: number,
    parameters: number,
    stage: number,
    stageBar: number,
    x: number,
    vBar: number,
    divBar: number,
    xBar: number,
    particles: number,
    dimensions: number,
    blocks: number,
    scratch: number,
  ): void;
  rungeKutta4Scratch(coordinates: number, blocks: number): number;
  rungeKutta4(
    kind: number,
    parameters: number,
    stages: number,
    stageBytes: number,
    steps: number,
    inverse: boolean,
    x: number,
    logDet: number,
    particles: number,
    dimensions: number,
    blocks: number,
    tape: number,
    work: number,
    scratch: number,
  ): void;
  dormandPrinceScratch(coordinates: number): number;
  dormandPrinceStart(
    kind: number,
    parameters: number,
    stage: number,
    state: number,
    particles: number,
    dimensions: number,
    blocks: number,
    scratch: number,
  ): void;
  dormandPrinceStep(
    kind: number,
    parameters: number,
    stages: number,
    h: number,
    state: number,
    control: number,
    members: number,
    count: number,
    frames: number,
    particles: number,
    dimensions: number,
    work: number,
    scratch: number,
  ): number;
  rungeKutta4Reverse(
    kind: number,
    parameters: number,
    stages: number,
    stageBytes: number,
    stageBars: number,
    stageBarBytes: number,
    steps: number,
    inverse: boolean,
    tape: number,
    xBar: number,
    logDetBar: number,
    kineticBar: number,
    kinetic: number,
    particles: number,
    dimensions: number,
    blocks: number,
    work: number,
    scratch: number,
  ): void;
  scaleSamples(x: number, weights: number, factor: number, out: number, coordinates: number, blocks: number): void;
  addVectors(sum: number, x: number, vectors: number): void;
  potential(
    terms: number,
    count: number,
    x: number,
    energy: number,
    gradient: number,
    particles: number,
    dimensions: number,
    blocks: number,
    scratch: number,
  ): void;
}

/** The kernels that exist once. */
export interface CommonKernels {
  demote(from: number, to: number, vectors: number, blocks: number): void;
  normals(
    seed: number,
    stream: number,
    indexLow: number,
    indexHigh: number,
    scale: number,
    coordinates: number,
    groups: number,
    out: number,
    words: number,
  ): void;
  philox(
    seed: number,
    stream: number,
    indexLow: number,
    indexHigh: number,
    draw: number,
    third: number,
    out: number,
  ): void;
  basisWindows(mu: number, invGamma: number, kernels: number, tiles: number, spacing: number, windows: number): void;
  radialBasis(
    mu: number,
    invGamma: number,
    kernels: number,
    from: number,
    to: number,
    spacing: number,
    windows: number,
    basis: number,
  ): void;
  tableProducts(
    basis: number,
    windows: number,
    weights: number,
    offsets: number,
    kernels: number,
    columns: number,
    from: number,
    to: number,
    spacing: number,
    knots: number,
  ): void;
  tableProductsReverse(
    mu: number,
    invGamma: number,
    basis: number,
    windows: number,
    weights: number,
    kernels: number,
    columns: number,
    from: number,
    to: number,
    spacing: number,
    knotBars: number,
    scratch: number,
  ): void;
  collectReverse(scratch: number, jobs: number, kernels: number, columns: number, out: number): void;
  tableReverseScratch(kernels: number, columns: number): number;
  clearRows(rows: number, start: number, stride: number, bytes: number): void;
  lastUsed(rows: number, start: number, stride: number, bytes: number): number;
  narrow(from: number, to: number, count: number): void;
  nextCell(keys: number, samples: number, members: number): number;
  pairScratch(particles: number): number;
  energyScratch(particles: number): number;
  denseScratch(hidden: number): number;
  rungeKutta4ReverseScratch(coordinates: number, blocks: number): number;
  metropolis(
    terms: number,
    termCount: number,
    x: number,
    energies: number,
    accepted: number,
    particles: number,
    dimensions: number,
    groups: number,
    steps: number,
    firstStep: number,
    firstChain: number,
    seed: number,
    stream: number,
    stepSizes: number,
    beta: number,
    scratch: number,
  ): void;
  metropolisScratch(particles: number, dimensions: number): number;
  hamiltonian(
    terms: number,
    forceTerms: number,
    termCount: number,
    x: number,
    gradients: number,
    energies: number,
    accepted: number,
    particles: number,
    dimensions: number,
    groups: number,
    steps: number,
    firstStep: number,
    firstChain: number,
    seed: number,
    stream: number,
    leapfrogSteps: number,
    stepSizes: number,
    jitter: number,
    beta: number,
    scratch: number,
  ): void;
  forces32(
    terms: number,
    count: number,
    x: number,
    gradient: number,
    particles: number,
    dimensions: number,
    blocks: number,
    scratch: number,
  ): void;
  hamiltonianScratch(particles: number, dimensions: number): number;
  adaptationBytes(): number;
  startAdaptation(states: number, groups: number, stepSize: number): void;
  adaptStepSizes(states: number, groups: number, accepted: number, stepSizes: number, target: number): void;
  averagedStepSizes(states: number, groups: number, stepSizes: number): void;
  momenta(
    seed: number,
    stream: number,
    chain: number,
    step: number,
    numbers: number,
    groups: number,
    out: number,
  ): void;
  momentaBytes(numbers: number, groups: number): number;
}
