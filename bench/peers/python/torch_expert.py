"""PyTorch as an expert writes it: unordered pairs, one exponential per pair and centre, and the weights of all stages collapsed
with K̂(t) once an integration."""

import torch

from case import FLOOR
from torch_library import normalised_basis


class Expert:
    def __init__(self, case, parameters):
        self.case = case
        self.p = parameters
        self.first = torch.from_numpy(case.first)
        self.second = torch.from_numpy(case.second)
        # v_i = Σ over pairs of ±r f: one small matrix product instead of two scatters
        pairs = len(case.first)
        self.incidence = torch.zeros(case.particles, pairs)
        self.incidence[self.first, torch.arange(pairs)] = 1
        self.incidence[self.second, torch.arange(pairs)] = -1

    def stages(self, times):
        """Σ_m W_km K̂_m(t) and Σ_m b_m K̂_m(t) at every time."""
        p = self.p
        features = normalised_basis(torch.tensor(times).unsqueeze(1), p["muTime"], p["logGammaTime"])
        return list(zip(features @ p["weights"].T, features @ p["bias"]))

    def radial(self, d, w):
        """f without its constant, and f′, at distances [batch, pairs]."""
        inverse = torch.exp(-self.p["logGamma"])
        scaled = (d.unsqueeze(-1) - self.p["mu"]) * inverse
        gauss = torch.exp(-(scaled * scaled))
        slope = scaled * gauss
        both = gauss @ torch.stack([w, torch.ones_like(w)], 1)
        slopes = slope @ torch.stack([w * inverse, inverse], 1)
        normaliser = 1 / (FLOOR + both[..., 1])
        f = both[..., 0] * normaliser
        return f, -2 * (slopes[..., 0] - f * slopes[..., 1]) * normaliser

    def field(self, stage, x):
        w, bias = stage
        r = x[:, self.first] - x[:, self.second]
        d = (r * r).sum(-1).sqrt()
        f, df = self.radial(d, w)
        f = f + bias
        velocity = self.incidence @ (r * f.unsqueeze(-1))
        return velocity, 2 * (d * df + self.case.dimensions * f).sum(1)


class Compiled(Expert):
    """The same with sums written out, which torch.compile fuses into one loop over pairs and centres."""

    def radial(self, d, w):
        inverse = torch.exp(-self.p["logGamma"])
        scaled = (d.unsqueeze(-1) - self.p["mu"]) * inverse
        gauss = torch.exp(-(scaled * scaled))
        slope = scaled * gauss * inverse
        normaliser = 1 / (FLOOR + gauss.sum(-1))
        f = (gauss * w).sum(-1) * normaliser
        return f, -2 * ((slope * w).sum(-1) - f * slope.sum(-1)) * normaliser
