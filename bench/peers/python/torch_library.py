"""PyTorch as the authors' library computes it, written from the mathematics: all ordered pairs i ≠ j, the normalised radial
basis and its derivative as full [batch, N, N−1, K] tensors at every evaluation, contracted to [batch, N, N−1, M] before time."""

import torch

from case import FLOOR


def normalised_basis(x, centres, log_widths):
    scaled = (x - centres) * torch.exp(-log_widths)
    gauss = torch.exp(-(scaled**2))
    return gauss / (FLOOR + gauss.sum(-1, keepdim=True))


def normalised_basis_and_slope(d, centres, log_widths):
    inverse = torch.exp(-log_widths)
    scaled = (d - centres) * inverse
    gauss = torch.exp(-(scaled**2))
    normaliser = FLOOR + gauss.sum(-1, keepdim=True)
    slope = -2 * scaled * inverse * gauss
    basis = gauss / normaliser
    return basis, (slope - basis * slope.sum(-1, keepdim=True)) / normaliser


class Library:
    def __init__(self, case, parameters):
        self.case = case
        self.p = parameters
        n = case.particles
        self.others = torch.tensor([[j for j in range(n) if j != i] for i in range(n)])

    @staticmethod
    def enter(x):
        return x

    @staticmethod
    def leave(x):
        return x

    def stages(self, times):
        return times

    def field(self, t, x):
        """Velocity [batch, N, D] and divergence [batch]."""
        p = self.p
        r = x.unsqueeze(2) - x[:, self.others]
        d = r.pow(2).sum(-1, keepdim=True).sqrt()
        basis, slope = normalised_basis_and_slope(d, p["mu"], p["logGamma"])
        time = normalised_basis(torch.full((1, 1), t), p["muTime"], p["logGammaTime"])
        f = ((basis @ p["weights"] + p["bias"]) * time).sum(-1, keepdim=True)
        df = ((slope @ p["weights"]) * time).sum(-1, keepdim=True)
        divergence = (d * df + self.case.dimensions * f).flatten(1).sum(1)
        return (r * f).sum(2), divergence
