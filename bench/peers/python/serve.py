"""A peer that waits for its turn: one JSON line in, one JSON line out.

serve.py <peer> <threads> <folder>      folder holds <case>.npz
{"do": "check", "task": "sample", "case": "DW4"}  → {"file": …}   the peer's results, for the caller to compare
{"do": "time", "task": "sample", "case": "DW4", "steps": 20}   → {"wall": s, "cpu": s}   so many steps of the integration;
{"do": "time", "task": "train", "case": "DW4"}                 → the same                processor time of the whole process
"""

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np

warnings.filterwarnings("ignore")
name, threads, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])

# What libraries print must not stand between the answers.
answers, sys.stdout = sys.stdout, sys.stderr

if name == "jax":
    from jax_peer import Peer
elif name == "numpy":
    from numpy_peer import Peer
else:
    from torch_peer import Peer

from case import Case

peers = {}


def peer_for(case):
    if case not in peers:
        peers[case] = Peer(name, threads, Case(folder / f"{case}.npz"))
    return peers[case]


def answer(request):
    peer, task = peer_for(request["case"]), request["task"]
    if request["do"] == "check":
        path = folder / f"{name}-{threads}-{request['case']}-{task}.npz"
        np.savez(path, **{key: value.astype(np.float64) for key, value in getattr(peer, f"check_{task}")().items()})
        return {"file": path.name}
    run = getattr(peer, task)
    wall, cpu = time.perf_counter(), time.process_time()
    run(*([request["steps"]] if "steps" in request else []))
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


for line in sys.stdin:
    try:
        reply = answer(json.loads(line))
    except Exception as error:
        reply = {"error": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}
    print(json.dumps(reply), file=answers, flush=True)
