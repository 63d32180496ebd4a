"""JAX: the expert's formulas for one configuration, vmap over the batch, jit over the whole integration."""

import os

import jax
import jax.numpy as jnp
import numpy as np

from case import FLOOR


def normalised_basis(x, centres, log_widths):
    gauss = jnp.exp(-(((x - centres) * jnp.exp(-log_widths)) ** 2))
    return gauss / (FLOOR + gauss.sum())


def field(p, case, incidence, t, x):
    """Velocity [N, D] and divergence of one configuration."""
    time = normalised_basis(t, p["muTime"], p["logGammaTime"])
    w = p["weights"] @ time
    r = x[case.first] - x[case.second]
    d = jnp.sqrt((r * r).sum(-1))
    inverse = jnp.exp(-p["logGamma"])
    scaled = (d[:, None] - p["mu"]) * inverse
    gauss = jnp.exp(-(scaled * scaled))
    slope = scaled * gauss * inverse
    normaliser = 1 / (FLOOR + gauss.sum(-1))
    f0 = (gauss * w).sum(-1) * normaliser
    df = -2 * ((slope * w).sum(-1) - f0 * slope.sum(-1)) * normaliser
    f = f0 + p["bias"] @ time
    return incidence @ (r * f[:, None]), 2 * (d * df + case.dimensions * f).sum()


def rk4(velocity, x, steps, done, inverse):
    """The first `done` of `steps` steps."""
    h = (-1 if inverse else 1) / steps

    def advance(state, step):
        x, log_det = state
        t = 1 + step * h if inverse else step * h
        k1, d1 = velocity(t, x)
        k2, d2 = velocity(t + h / 2, x + h / 2 * k1)
        k3, d3 = velocity(t + h / 2, x + h / 2 * k2)
        k4, d4 = velocity(t + h, x + h * k3)
        return (x + h / 6 * (k1 + 2 * (k2 + k3) + k4), log_det + h / 6 * (d1 + 2 * (d2 + d3) + d4)), None

    return jax.lax.scan(advance, (x, jnp.zeros(())), jnp.arange(done, dtype=jnp.float32))[0]


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

        def one(p, x, done, inverse):
            x = x - x.mean(0)
            return x, *rk4(lambda t, y: field(p, case, incidence, t, y), x, case.steps, done, inverse)

        def log_prior(z):
            return case.log_prior_constant - 0.5 * (z * z).sum((1, 2))

        def flow(p, z, done):
            z, x, log_det = jax.vmap(lambda y: one(p, y, done, False))(z)
            return x, log_prior(z) - log_det

        def loss(p, x):
            _, z, log_det = jax.vmap(lambda y: one(p, y, case.steps, True))(x)
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
