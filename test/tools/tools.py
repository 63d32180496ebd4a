"""What the tools of the field find in our files: tools.py <folder> write|check."""

import hashlib
import json
import sys
import warnings
from pathlib import Path

import ase.io
import h5py
import MDAnalysis
import numpy as np
from ase.calculators.lj import LennardJones
from MDAnalysis.lib.distances import self_distance_array

# Formats that MDAnalysis guesses nothing from, such as masses of particles without an element.
warnings.simplefilter("ignore")

folder = Path(sys.argv[1])
ARRAYS = ["x", "logQ", "energy", "logWeight"]
PLANE = {"dw4": 2, "lj13": 3, "blj13": 3}
POSITIONS = "particles/all/position/value"


def same(what, found, expected):
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, f"{what}: shape {found.shape}, expected {expected.shape}"
    assert np.array_equal(found, expected, equal_nan=True), f"{what}: other numbers"


def close(what, found, expected, tolerance):
    error = np.max(np.abs(found - expected) / np.maximum(1, np.abs(expected)))
    assert error <= tolerance, f"{what}: off by {error:.1e}"


def in_space(x):
    return np.concatenate([x, np.zeros_like(x[..., :1])], axis=-1) if x.shape[-1] == 2 else x


def universe(path, atoms):
    result = MDAnalysis.Universe.empty(atoms, trajectory=False)
    return result.load_new(str(path), format="H5MD", convert_units=False)


def folder_set(name):
    """The folder, memory-mapped, after its manifest has been compared."""
    path = folder / f"{name}-set"
    manifest = json.loads((path / "manifest.json").read_text())
    for array in ARRAYS:
        digest = hashlib.sha256((path / f"{array}.npy").read_bytes()).hexdigest()
        assert manifest["arrays"][array]["sha256"] == digest, f"{name}: SHA-256 of {array}"
    return manifest, {array: np.load(path / f"{array}.npy", mmap_mode="r") for array in ARRAYS}


def check_numpy(name):
    manifest, arrays = folder_set(name)
    assert all(isinstance(array, np.memmap) for array in arrays.values())
    archive = np.load(folder / f"{name}-set.npz")
    for array in ARRAYS:
        same(f"{name} npz {array}", archive[array], arrays[array])
    weights = -arrays["energy"] / manifest["kT"] - arrays["logQ"]
    same(f"{name} weights", arrays["logWeight"], weights)
    return arrays


def check_h5py(name, arrays):
    with h5py.File(folder / f"{name}-set.h5") as file:
        same(f"{name} h5 x", file[POSITIONS][()], in_space(arrays["x"]))
        for array in ARRAYS[1:]:
            same(f"{name} h5 {array}", file[f"observables/{array}/value"][()], arrays[array])
            assert file[f"observables/{array}/step"] == file["particles/all/position/step"]
        same(f"{name} h5 step", file["particles/all/position/step"][()], np.arange(len(arrays["x"])))
        same("H5MD version", file["h5md"].attrs["version"], [1, 1])
        box = file["particles/all/box"].attrs
        assert box["dimension"] == 3 and list(box["boundary"]) == [b"none"] * 3
        manifest = json.loads(file["parameters/manifest"][()])
        assert manifest == json.loads((folder / f"{name}-set" / "manifest.json").read_text())


def check_mdanalysis(name, arrays):
    atoms = arrays["x"].shape[1]
    particles = universe(folder / f"{name}-set.h5", atoms)
    assert particles.trajectory.n_frames == len(arrays["x"])
    for frame in [0, 1, 12345, len(arrays["x"]) - 1]:
        step = particles.trajectory[frame]
        same(f"{name} MDAnalysis x", step.positions, in_space(arrays["x"][frame]))
        for array in ARRAYS[1:]:
            assert step.data[array] == arrays[array][frame], f"{name} MDAnalysis {array}"
        assert step.data["step"] == frame and step.dimensions is None


def check_part(name, arrays):
    index = 17 + 101 * np.arange(300)
    parts = np.load(folder / f"{name}-part.npz")
    same(f"{name} part", parts["index"], index)
    for array in ARRAYS:
        same(f"{name} part {array}", parts[array], arrays[array][index])
    with h5py.File(folder / f"{name}-part.h5") as file:
        same(f"{name} part h5 x", file[POSITIONS][()], in_space(arrays["x"][index]))
        same(f"{name} part h5 energy", file["observables/energy/value"][()], arrays["energy"][index])
        same(f"{name} part h5 index", file["observables/index/value"][()], index)
    for ending in ["xyz", "extxyz", "extxyz.gz"]:
        frames = ase.io.read(folder / f"{name}-part.{ending}", index=":", format="extxyz")
        same(f"{name} ASE x", [frame.positions for frame in frames], in_space(arrays["x"][index]).astype(float))
        same(f"{name} ASE energy", [frame.get_potential_energy() for frame in frames], arrays["energy"][index])
        for array in ["logQ", "logWeight"]:
            same(f"{name} ASE {array}", [frame.info[array] for frame in frames], arrays[array][index])
        same(f"{name} ASE index", [frame.info["index"] for frame in frames], index)
        assert not any(frame.pbc.any() or frame.cell.any() for frame in frames)
    drawn = ase.io.read(folder / f"{name}-drawn.extxyz", index=":")
    assert len(drawn) == 200 and "logQ" not in drawn[0].info
    for frame in drawn:
        i = frame.info["index"]
        same(f"{name} drawn x", frame.positions, in_space(arrays["x"][i]).astype(float))
        assert frame.get_potential_energy() == arrays["energy"][i]


def trap(x):
    return 0.5 * np.sum((x - x.mean(axis=-2, keepdims=True)) ** 2, axis=(-2, -1))


def lennard_jones(frames):
    """Energies and forces by ASE with pairFactor 2; its σ is where the potential is zero, ours is the minimum."""
    energies, forces = [], []
    far = 1e6
    for frame in frames:
        frame = frame.copy()
        frame.calc = LennardJones(sigma=2 ** (-1 / 6), epsilon=1, rc=far)
        energies.append(2 * frame.get_potential_energy() + trap(frame.positions))
        forces.append(2 * frame.get_forces() - (frame.positions - frame.positions.mean(axis=0)))
    return np.array(energies), np.array(forces)


def check_energies():
    frames = ase.io.read(folder / "lj13-data.extxyz", index=":")
    energies, forces = lennard_jones(frames)
    close("LJ13 energies by ASE", np.load(folder / "lj13-energy.npy"), energies, 1e-10)
    close("LJ13 gradients by ASE", -np.load(folder / "lj13-gradient.npy"), forces, 1e-8)
    close("LJ13 energies in the file", [frame.get_potential_energy() for frame in frames], energies, 1e-10)
    x = np.load(folder / "dw4-data.npz")["x"].astype(float)
    i, j = np.triu_indices(4, 1)
    d = np.linalg.norm(x[:, i] - x[:, j], axis=-1)
    close("DW4 energies by NumPy", np.load(folder / "dw4-energy.npy"), np.sum(0.9 * (d - 4) ** 4 - 4 * (d - 4) ** 2, 1), 1e-12)


def check_distances(name):
    """g(d) by MDAnalysis and by ASE, each from its own format, beside ours."""
    ours = np.load(folder / f"{name}-distances.npy")
    frames = ase.io.read(folder / f"{name}-data.extxyz", index=":")
    atoms = len(frames[0])
    pairs = np.triu_indices(atoms, 1)
    by_ase = np.concatenate([frame.get_all_distances()[pairs] for frame in frames])
    particles = universe(folder / f"{name}-data.h5md", atoms)
    by_mdanalysis = np.concatenate([self_distance_array(step.positions) for step in particles.trajectory])
    # MDAnalysis has positions in f32, which may move a distance over the edge of a bin.
    for what, d, moved in [("ASE", by_ase, 0), ("MDAnalysis", by_mdanalysis, 3)]:
        counts, _ = np.histogram(d, bins=len(ours), range=(0, 8))
        off = np.abs(counts - ours * len(d))
        assert np.max(off) <= moved + 1e-6, f"{name}: g(d) of {what} off by {np.max(off)} pairs"
    assert counts.sum() > 0.9 * len(by_ase)


def check_species():
    with h5py.File(folder / "blj13-set.h5") as file:
        species = file["particles/all/species"][()]
    symbols = ase.io.read(folder / "blj13-part.extxyz").get_chemical_symbols()
    assert set(species) == {0, 1}
    assert [["Ar", "Kr"][kind] for kind in species] == symbols


def write_theirs():
    frames = ase.io.read(folder / "lj13-data.extxyz", index=":")[:50]
    x = np.array([frame.positions for frame in frames])
    sets = np.load(folder / "lj13-set.npz")
    with h5py.File(folder / "theirs.h5", "w") as file:
        file.create_dataset("deep/er/positions", data=x.astype(">f8"), chunks=(7, 5, 3), compression="gzip", shuffle=True)
        file.create_dataset("observables/logQ/value", data=sets["logQ"].astype(">f8"), chunks=(1000,), compression="gzip")
        file.create_dataset("observables/energy/value", data=sets["energy"], maxshape=(None,))
    particles = MDAnalysis.Universe.empty(x.shape[1], trajectory=True)
    with MDAnalysis.Writer(str(folder / "theirs.h5md"), n_atoms=x.shape[1], convert_units=False) as writer:
        for positions in x:
            particles.atoms.positions = positions
            writer.write(particles.atoms)
    ase.io.write(folder / "theirs.extxyz", frames, format="extxyz")
    ase.io.write(folder / "theirs.xyz.gz", frames, format="xyz", fmt="%22.15f")


def check_theirs():
    frames = ase.io.read(folder / "lj13-data.extxyz", index=":")[:50]
    energies, _ = lennard_jones(frames)
    close("their HDF5", np.load(folder / "ours-h5py.npy"), energies, 1e-10)
    # ASE writes 8 digits behind the point unless told otherwise.
    close("their extXYZ", np.load(folder / "ours-ase.npy"), energies, 1e-5)
    close("their XYZ", np.load(folder / "ours-ase-plain.npy"), energies, 1e-10)
    for frame in frames:
        frame.positions = frame.positions.astype(np.float32)
    close("their H5MD", np.load(folder / "ours-mdanalysis.npy"), lennard_jones(frames)[0], 1e-10)


if sys.argv[2] == "write":
    write_theirs()
else:
    for system in PLANE:
        stored = check_numpy(system)
        check_h5py(system, stored)
        check_mdanalysis(system, stored)
        check_part(system, stored)
    check_species()
    check_energies()
    check_distances("dw4")
    check_distances("lj13")
    check_theirs()
    print("NumPy, h5py, MDAnalysis and ASE find the same numbers in what we write, and we in what they write")
