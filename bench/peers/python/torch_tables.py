"""Our own algorithm in PyTorch: the radial function of every stage as a uniform table of cubics, made once, for sampling alone.
What is left between this and us is the machine code."""

import torch

from case import FLOOR
from torch_expert import Expert

#: Knots per narrowest width, as our f32 tables have them.
RESOLUTION = 32


class Tables(Expert):
    def __init__(self, case, parameters):
        super().__init__(case, parameters)
        self.made = None
        widths = parameters["logGamma"].detach().exp()
        reach = float((parameters["mu"].detach() + 6 * widths).max())
        self.intervals = int(reach * RESOLUTION / float(widths.min())) + 1
        self.spacing = reach / self.intervals

    def stages(self, times):
        """Rows c0 … c3 of f(u), u ∈ [−½, ½] across an interval, [intervals, 4] for every time."""
        if self.made is None:
            with torch.no_grad():
                self.made = self.rows(super().stages(times))
        return self.made

    def rows(self, stages):
        mu, inverse = self.p["mu"].double()[:, None], torch.exp(-self.p["logGamma"].double())[:, None]
        scaled = (torch.arange(self.intervals + 1).double() * self.spacing - mu) * inverse
        gauss = torch.exp(-(scaled * scaled))
        steep = -2 * scaled * inverse * gauss
        total = FLOOR + gauss.sum(0)
        basis = gauss / total
        slopes = (steep - basis * steep.sum(0)) / total * self.spacing
        rows = []
        for w, bias in stages:
            f, s = w.double() @ basis + bias.double(), w.double() @ slopes
            f0, f1, s0, s1 = f[:-1], f[1:], s[:-1], s[1:]
            c0, c1 = 0.5 * (f0 + f1) + 0.125 * (s0 - s1), 1.5 * (f1 - f0) - 0.25 * (s0 + s1)
            rows.append(torch.stack([c0, c1, 0.5 * (s1 - s0), s0 + s1 - 2 * (f1 - f0)], 1).float())
        return rows

    def field(self, rows, x):
        r = x[self.first] - x[self.second]
        s = (r * r).sum(1).sqrt() / self.spacing
        row = s.clamp(max=self.intervals - 1).to(torch.int32)
        u = s.clamp(max=self.intervals) - row - 0.5
        c0, c1, c2, c3 = (rows[row, c] for c in range(4))
        f = ((c3 * u + c2) * u + c1) * u + c0
        df = (3 * c3 * u + 2 * c2) * u + c1
        velocity = (self.incidence @ (r * f.unsqueeze(1)).flatten(1)).view(x.shape)
        return velocity, 2 * (s * df + self.case.dimensions * f).sum(0)
