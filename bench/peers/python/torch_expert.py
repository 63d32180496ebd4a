"""PyTorch as an expert writes it: unordered pairs, one exponential per pair and centre, the weights of all stages collapsed with
K̂(t) once an integration, and samples last in memory, so that every operation runs over them in whole vectors."""

import torch

from case import FLOOR
from torch_library import normalised_basis

#: Distances of a block whose basis [K, block] stays in the second cache, without a compiler that would need no basis in memory.
BLOCK = 2048


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

    @staticmethod
    def enter(x):
        """[batch, N, D] → [N, D, batch]"""
        return x.permute(1, 2, 0).contiguous()

    @staticmethod
    def leave(x):
        return x.permute(2, 0, 1)

    def stages(self, times):
        """Σ_m W_km K̂_m(t) and Σ_m b_m K̂_m(t) at every time."""
        p = self.p
        features = normalised_basis(torch.tensor(times).unsqueeze(1), p["muTime"], p["logGammaTime"])
        return list(zip(features @ p["weights"].T, features @ p["bias"]))

    def radial(self, d, w):
        """f without its constant, and f′, at distances [pairs, batch]."""
        inverse = torch.exp(-self.p["logGamma"])
        heads = torch.stack([w, torch.ones_like(w)])
        centres = (self.p["mu"] * inverse).unsqueeze(1)
        values, slopes = [], []
        for block in d.flatten().split(BLOCK):
            scaled = inverse.unsqueeze(1) * block - centres
            gauss = torch.exp(-(scaled * scaled))
            both = heads @ gauss
            rises = (heads * inverse) @ (scaled * gauss)
            normaliser = 1 / (FLOOR + both[1])
            f = both[0] * normaliser
            values.append(f)
            slopes.append(-2 * (rises[0] - f * rises[1]) * normaliser)
        return torch.cat(values).view(d.shape), torch.cat(slopes).view(d.shape)

    def field(self, stage, x):
        """Velocity [N, D, batch] and divergence [batch]."""
        w, bias = stage
        r = x[self.first] - x[self.second]
        d = (r * r).sum(1).sqrt()
        f, df = self.radial(d, w)
        f = f + bias
        velocity = (self.incidence @ (r * f.unsqueeze(1)).flatten(1)).view(x.shape)
        return velocity, 2 * (d * df + self.case.dimensions * f).sum(0)


class Compiled(Expert):
    """The same for torch.compile, which makes one loop over pairs and samples of it, the sums over centres in registers: written
    out for sampling; as reductions where they are differentiated, whose reverse is faster than that of fifty terms."""

    def radial(self, d, w):
        inverse = torch.exp(-self.p["logGamma"])
        sums = self.reductions if torch.is_grad_enabled() else self.written_out
        total, value, rise, slope = sums(d, w, self.p["mu"], inverse)
        normaliser = 1 / total
        f = value * normaliser
        return f, -2 * (slope - f * rise) * normaliser

    @staticmethod
    def written_out(d, w, mu, inverse):
        total, value, rise, slope = FLOOR, 0, 0, 0
        for k in range(len(mu)):
            scaled = (d - mu[k]) * inverse[k]
            gauss = torch.exp(-(scaled * scaled))
            steep = scaled * gauss * inverse[k]
            total = total + gauss
            value = value + gauss * w[k]
            rise = rise + steep
            slope = slope + steep * w[k]
        return total, value, rise, slope

    @staticmethod
    def reductions(d, w, mu, inverse):
        w, mu, inverse = (values[:, None, None] for values in (w, mu, inverse))
        scaled = (d - mu) * inverse
        gauss = torch.exp(-(scaled * scaled))
        steep = scaled * gauss * inverse
        return FLOOR + gauss.sum(0), (gauss * w).sum(0), steep.sum(0), (steep * w).sum(0)
