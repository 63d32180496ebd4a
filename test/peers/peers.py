"""The same estimates by pymbar and ArviZ: reads the arrays in the folder given, writes one .npy per result beside them."""

import logging
import sys
from pathlib import Path

logging.disable(logging.WARNING)

import arviz
import numpy as np
from pymbar import MBAR
from pymbar.other_estimators import bar, exp

folder = Path(sys.argv[1])


def load(name):
    return np.load(folder / f"{name}.npy")


def save(name, value):
    np.save(folder / f"{name}.npy", np.ascontiguousarray(value, dtype=np.float64))


for path in sorted(folder.glob("mbar-*-energies.npy")):
    case = path.name.removesuffix("-energies.npy")
    counts = load(f"{case}-counts").astype(int)
    options = {"min_sc_iter": 0, "maximum_iterations": 1000}
    result = MBAR(load(f"{case}-energies"), counts, solver_protocol=({"method": "adaptive", "tol": 1e-14, "options": options},))
    differences = result.compute_free_energy_differences()
    averages = result.compute_expectations(load(f"{case}-values"))
    save(f"{case}-peer-difference", differences["Delta_f"])
    save(f"{case}-peer-differenceError", differences["dDelta_f"])
    save(f"{case}-peer-overlap", result.compute_overlap()["matrix"])
    save(f"{case}-peer-average", averages["mu"])
    save(f"{case}-peer-averageError", averages["sigma"])

for path in sorted(folder.glob("work-*-forward.npy")):
    case = path.name.removesuffix("-forward.npy")
    forward, reverse = load(f"{case}-forward"), load(f"{case}-reverse")
    both = bar(forward, reverse, uncertainty_method="MBAR", relative_tolerance=1e-13)
    save(f"{case}-peer-bar", [both["Delta_f"], both["dDelta_f"]])
    save(f"{case}-peer-exp", [exp(forward)["Delta_f"], -exp(reverse)["Delta_f"]])

for path in sorted(folder.glob("psis-*-logWeight.npy")):
    case = path.name.removesuffix("-logWeight.npy")
    smoothed, khat = arviz.psislw(load(f"{case}-logWeight"))
    save(f"{case}-peer-smoothed", smoothed)
    save(f"{case}-peer-khat", [khat])
