"""Sampling and training steps around the PyTorch fields: RK4 with fixed steps of (x, log|det|), as torchdiffeq steps it."""

import torch

from torch_expert import Compiled, Expert
from torch_library import Library
from torch_tables import Tables

FIELDS = {"torch-library": Library, "torch-expert": Expert, "torch-compiled": Compiled, "torch-tables": Tables}

# One compiled field for every system, batch and kind of call; the default gives up after eight.
torch._dynamo.config.recompile_limit = 64


def mean_free(x):
    return x - x.mean(1, keepdim=True)


def advance(field, stages, x, log_det, h):
    """One step; `stages` are the field's at its start, middle and end."""
    k1, d1 = field(stages[0], x)
    k2, d2 = field(stages[1], x + h / 2 * k1)
    k3, d3 = field(stages[1], x + h / 2 * k2)
    k4, d4 = field(stages[2], x + h * k3)
    return x + h / 6 * (k1 + 2 * (k2 + k3) + k4), log_det + h / 6 * (d1 + 2 * (d2 + d3) + d4)


class Peer:
    def __init__(self, name, threads, case):
        torch.set_num_threads(threads)
        torch.set_flush_denormal(True)
        self.case = case
        self.p = {key: torch.from_numpy(value).requires_grad_() for key, value in case.parameters.items()}
        self.field = FIELDS[name](case, self.p)
        compiled = lambda function: torch.compile(function, dynamic=False)
        velocity = compiled(self.field.field) if name == "torch-compiled" else self.field.field
        self.advance = lambda *state: advance(velocity, *state)
        # Look-ups are short, so that a step as a whole is worth compiling.
        if name == "torch-tables":
            self.advance = compiled(self.advance)
        self.x = torch.from_numpy(case.x)

    def rk4(self, x, inverse=False, done=None):
        """The first `done` of the case's steps, all by default; x is [batch, N, D] before and after."""
        steps = self.case.steps
        times = [s / (2 * steps) for s in range(2 * steps + 1)]
        stages = self.field.stages(times[::-1] if inverse else times)
        log_det = torch.zeros(x.shape[0])
        x = self.field.enter(x)
        for step in range(done or steps):
            x, log_det = self.advance(stages[2 * step : 2 * step + 3], x, log_det, (-1 if inverse else 1) / steps)
        return self.field.leave(x), log_det

    def log_prior(self, z):
        return self.case.log_prior_constant - 0.5 * z.pow(2).sum((1, 2))

    def flow(self, z, done=None):
        with torch.inference_mode():
            x, log_det = self.rk4(z, done=done)
            return x, self.log_prior(z) - log_det

    def check_sample(self):
        x, log_q = self.flow(mean_free(torch.from_numpy(self.case.z)))
        return {"x": x.numpy(), "logQ": log_q.numpy()}

    def sample(self, done):
        case = self.case
        self.flow(mean_free(torch.randn(case.batch, case.particles, case.dimensions)), done)

    def loss(self):
        z, log_det = self.rk4(mean_free(self.x), inverse=True)
        return -(self.log_prior(z) + log_det).mean()

    def train(self):
        for value in self.p.values():
            value.grad = None
        loss = self.loss()
        loss.backward()
        return loss

    def check_train(self):
        loss = self.train().detach().numpy().reshape(1)
        return {"loss": loss, **{name: value.grad.numpy() for name, value in self.p.items()}}
