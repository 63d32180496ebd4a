/**
 * One meaning, one colour, in every figure. Vermilion and blue of Okabe and Ito (2008) stay apart under all common colour
 * deficiencies and in grey print; truth is black, training grey.
 */
export const COLORS = {
  training: '#8c8c8c',
  trainingArea: '#cdcdcd',
  nBG: '#d55e00',
  eqBG: '#0072b2',
  equilibrium: '#000000',
  control: '#c9c9c9',
  ink: '#1f2328',
  muted: '#5b626b',
  rule: '#d9dde2',
  grid: '#eceff2',
  paper: '#ffffff',
} as const;

/** Particles 1–4, 5, … in pictures of configurations; digits tell them apart as well. */
export const PARTICLE_COLORS = ['#e69f00', '#56b4e9', '#009e73', '#cc79a7', '#f0e442', '#b3b3b3'] as const;

/** Sequential ramp of densities, monotonic in lightness so that it survives grey print. */
export const DENSITY_RAMP = ['#e6eef5', '#c3d4e2', '#8fadc6', '#4d7799', '#1d4565', '#071d31'] as const;

export const FONT = '"Helvetica Neue", Helvetica, Arial, "Liberation Sans", sans-serif';
