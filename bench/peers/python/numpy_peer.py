"""NumPy: the expert's formulas. It samples; it has no gradients."""

import numpy as np

from case import FLOOR


def normalised_basis(x, centres, log_widths):
    gauss = np.exp(-(((x - centres) * np.exp(-log_widths)) ** 2))
    return gauss / (FLOOR + gauss.sum())


class Peer:
    def __init__(self, _name, _threads, case):
        self.case = case
        self.p = case.parameters
        self.inverse = np.exp(-self.p["logGamma"])
        self.random = np.random.default_rng(1)
        pairs = np.arange(len(case.first))
        self.incidence = np.zeros((case.particles, len(pairs)), np.float32)
        self.incidence[case.first, pairs] = 1
        self.incidence[case.second, pairs] = -1

    def field(self, t, x):
        p = self.p
        time = normalised_basis(np.float32(t), p["muTime"], p["logGammaTime"])
        w = p["weights"] @ time
        r = x[:, self.case.first] - x[:, self.case.second]
        d = np.sqrt((r * r).sum(-1))
        scaled = (d[..., None] - p["mu"]) * self.inverse
        gauss = np.exp(-(scaled * scaled))
        scaled *= gauss
        both = gauss @ np.stack([w, np.ones_like(w)], 1)
        slopes = scaled @ np.stack([w * self.inverse, self.inverse], 1)
        normaliser = 1 / (np.float32(FLOOR) + both[..., 1])
        f = both[..., 0] * normaliser
        df = -2 * (slopes[..., 0] - f * slopes[..., 1]) * normaliser
        f += p["bias"] @ time
        return self.incidence @ (r * f[..., None]), 2 * (d * df + np.float32(self.case.dimensions) * f).sum(1)

    def flow(self, z, done=None):
        x = z - z.mean(1, keepdims=True)
        log_prior = self.case.log_prior_constant - 0.5 * (x * x).sum((1, 2))
        log_det = np.zeros(len(x), np.float32)
        h = np.float32(1 / self.case.steps)
        for step in range(done or self.case.steps):
            t = step * h
            k1, d1 = self.field(t, x)
            k2, d2 = self.field(t + h / 2, x + h / 2 * k1)
            k3, d3 = self.field(t + h / 2, x + h / 2 * k2)
            k4, d4 = self.field(t + h, x + h * k3)
            x = x + h / 6 * (k1 + 2 * (k2 + k3) + k4)
            log_det += h / 6 * (d1 + 2 * (d2 + d3) + d4)
        return x, log_prior - log_det

    def check_sample(self):
        x, log_q = self.flow(self.case.z)
        return {"x": x, "logQ": log_q}

    def sample(self, done):
        case = self.case
        self.flow(self.random.standard_normal((case.batch, case.particles, case.dimensions), np.float32), done)
