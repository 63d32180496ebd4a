"""JAX: the expert's formulas with samples last in memory, jit over the whole integration."""

import os

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_prefer_vector_width=512 --xla_cpu_enable_fast_math=true")

import jax
import jax.numpy as jnp
import numpy as np

from case import FLOOR


def normalised_basis(x, centres, log_widths):
    gauss = jnp.exp(-(((x - centres) * jnp.exp(-log_widths)) ** 2))
    return gauss / (FLOOR + gauss.sum())


def written_out(d, w, mu, inverse):
    """Sums over centres as one expression, which XLA keeps in registers; slow to differentiate."""
    total, value, rise, slope = FLOOR, 0, 0, 0
    for k in range(len(mu)):
        scaled = (d - mu[k]) * inverse[k]
        gauss = jnp.exp(-(scaled * scaled))
        steep = scaled * gauss * inverse[k]
        total, value, rise, slope = total + gauss, value + gauss * w[k], rise + steep, slope + steep * w[k]
    return total, value, rise, slope


def reductions(d, w, mu, inverse):
    w, mu, inverse = (values[:, None, None] for values in (w, mu, inverse))
    scaled = (d - mu) * inverse
    gauss = jnp.exp(-(scaled * scaled))
    steep = scaled * gauss * inverse
    return FLOOR + gauss.sum(0), (gauss * w).sum(0), steep.sum(0), (steep * w).sum(0)


def field(p, case, incidence, sums, t, x):
    """Velocity and divergence [batch] of configurations x [N, D, batch]; `sums` is one of the two above."""
    time = normalised_basis(t, p["muTime"], p["logGammaTime"])
    r = x[case.first] - x[case.second]
    d = jnp.sqrt((r * r).sum(1))
    total, value, rise, slope = sums(d, p["weights"] @ time, p["mu"], jnp.exp(-p["logGamma"]))
    f0 = value / total
    df = -2 * (slope - f0 * rise) / total
    f = f0 + p["bias"] @ time
    velocity = (incidence @ (r * f[:, None]).reshape(len(r), -1)).reshape(x.shape)
    return velocity, 2 * (d * df + case.dimensions * f).sum(0)


def rk4(velocity, x, steps, done, inverse):
    """The first `done` of `steps` steps."""
    h = (-1 if inverse else 1) / steps

    # Where it is differentiated, a step is done again: faster than all its bases from memory.
    @jax.checkpoint
    def advance(state, step):
        x, log_det = state
        t = 1 + step * h if inverse else step * h
        k1, d1 = velocity(t, x)
        k2, d2 = velocity(t + h / 2, x + h / 2 * k1)
        k3, d3 = velocity(t + h / 2, x + h / 2 * k2)
        k4, d4 = velocity(t + h, x + h * k3)
        return (x + h / 6 * (k1 + 2 * (k2 + k3) + k4), log_det + h / 6 * (d1 + 2 * (d2 + d3) + d4)), None

    start = (x, jnp.zeros(x.shape[-1]))
    return jax.lax.scan(advance, start, jnp.arange(done, dtype=jnp.float32))[0]


class Peer:
    def __init__(self, _name, threads, case):
        # XLA has no dependable option for its number of threads; the processors that it may use decide.
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
        self.case = case
        self.p = {key: jnp.asarray(value) for key, value in case.parameters.items()}
        self.x = jnp.asarray(case.x)
        incidence = np.zeros((case.particles, len(case.first)), np.float32)
        incidence[case.first, np.arange(len(case.first))] = 1
        incidence[case.second, np.arange(len(case.first))] = -1
        shape = (case.batch, case.particles, case.dimensions)

        def integrate(p, x, done, inverse):
            x = (x - x.mean(1, keepdims=True)).transpose(1, 2, 0)
            velocity = lambda t, y: field(p, case, incidence, reductions if inverse else written_out, t, y)
            return x, *rk4(velocity, x, case.steps, done, inverse)

        def log_prior(z):
            return case.log_prior_constant - 0.5 * (z * z).sum((0, 1))

        def flow(p, z, done):
            z, x, log_det = integrate(p, z, done, False)
            return x.transpose(2, 0, 1), log_prior(z) - log_det

        def loss(p, x):
            _, z, log_det = integrate(p, x, case.steps, True)
            return -(log_prior(z) + log_det).mean()

        self.flow = jax.jit(flow, static_argnums=2)
        self.draw = jax.jit(lambda p, key, done: flow(p, jax.random.normal(key, shape), done), static_argnums=2)
        self.step = jax.jit(jax.value_and_grad(loss))
        self.key = jax.random.key(1)

    def check_sample(self):
        x, log_q = self.flow(self.p, jnp.asarray(self.case.z), self.case.steps)
        return {"x": np.asarray(x), "logQ": np.asarray(log_q)}

    def sample(self, done):
        jax.block_until_ready(self.draw(self.p, self.key, done))

    def train(self):
        return jax.block_until_ready(self.step(self.p, self.x))

    def check_train(self):
        loss, gradient = self.train()
        return {"loss": np.asarray(loss).reshape(1), **{name: np.asarray(g) for name, g in gradient.items()}}
