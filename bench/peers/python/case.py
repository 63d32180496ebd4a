"""One case as `exportCase` writes it: a flow's parameters and the configurations that it is measured on."""

import numpy as np

PARAMETERS = ("weights", "bias", "mu", "logGamma", "muTime", "logGammaTime")
#: Keeps the normaliser of either basis away from 0 beyond its last centre.
FLOOR = 1e-6


class Case:
    def __init__(self, path):
        arrays = np.load(path)
        self.parameters = {name: arrays[name].astype(np.float32) for name in PARAMETERS}
        self.particles, self.dimensions, self.steps, self.batch = (int(n) for n in arrays["sizes"])
        #: Prior-space points [n, N, D] for the check of sampling, and configurations for the check of training.
        self.z = arrays["z"].astype(np.float32)
        self.x = arrays["x"].astype(np.float32)
        #: First and second particle of every unordered pair.
        self.first, self.second = (index.astype(np.int64) for index in np.triu_indices(self.particles, 1))

    @property
    def log_prior_constant(self):
        return -0.5 * (self.particles - 1) * self.dimensions * np.log(2 * np.pi)
