"""NumPy: the expert's formulas with samples last in memory, in place and in blocks that stay in the second cache. It samples; it
has no gradients."""

import numpy as np

from case import FLOOR

#: Distances of a block: its two arrays [K, block] are a megabyte.
BLOCK = 2048
#: Exponents below give nothing, and denormals would cost a hundred times as much.
LOWEST = np.float32(-60)


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

    def radial(self, d, w):
        """f without its constant, and f′, at distances [n]."""
        f, df = np.empty_like(d), np.empty_like(d)
        heads = np.stack([w, np.ones_like(w)])
        centres = (self.p["mu"] * self.inverse)[:, None]
        for start in range(0, len(d), BLOCK):
            block = slice(start, start + BLOCK)
            scaled = self.inverse[:, None] * d[block]
            scaled -= centres
            gauss = scaled * scaled
            np.negative(gauss, out=gauss)
            np.maximum(gauss, LOWEST, out=gauss)
            np.exp(gauss, out=gauss)
            scaled *= gauss
            both, rises = heads @ gauss, (heads * self.inverse) @ scaled
            normaliser = 1 / (np.float32(FLOOR) + both[1])
            f[block] = both[0] * normaliser
            df[block] = -2 * (rises[0] - f[block] * rises[1]) * normaliser
        return f, df

    def field(self, t, x):
        """Velocity [N, D, batch] and divergence [batch]."""
        p = self.p
        time = normalised_basis(np.float32(t), p["muTime"], p["logGammaTime"])
        r = x[self.case.first] - x[self.case.second]
        d = np.sqrt((r * r).sum(1))
        f, df = (values.reshape(d.shape) for values in self.radial(d.ravel(), p["weights"] @ time))
        f += p["bias"] @ time
        r *= f[:, None]
        velocity = (self.incidence @ r.reshape(len(r), -1)).reshape(x.shape)
        return velocity, 2 * (d * df + np.float32(self.case.dimensions) * f).sum(0)

    def flow(self, z, done=None):
        """x [batch, N, D] and log q."""
        x = np.ascontiguousarray((z - z.mean(1, keepdims=True)).transpose(1, 2, 0))
        log_prior = self.case.log_prior_constant - 0.5 * (x * x).sum((0, 1))
        log_det = np.zeros(len(z), np.float32)
        h = np.float32(1 / self.case.steps)
        for step in range(done or self.case.steps):
            t = step * h
            k1, d1 = self.field(t, x)
            k2, d2 = self.field(t + h / 2, x + h / 2 * k1)
            k3, d3 = self.field(t + h / 2, x + h / 2 * k2)
            k4, d4 = self.field(t + h, x + h * k3)
            x = x + h / 6 * (k1 + 2 * (k2 + k3) + k4)
            log_det += h / 6 * (d1 + 2 * (d2 + d3) + d4)
        return x.transpose(2, 0, 1), log_prior - log_det

    def check_sample(self):
        x, log_q = self.flow(self.case.z)
        return {"x": x, "logQ": log_q}

    def sample(self, done):
        case = self.case
        self.flow(self.random.standard_normal((case.batch, case.particles, case.dimensions), np.float32), done)
