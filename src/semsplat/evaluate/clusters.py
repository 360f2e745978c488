"""The instances of a scene without a query: density clusters of what Gaussians hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import HDBSCAN
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor
from torch.nn.functional import normalize

from semsplat.conventions import NO_ID
from semsplat.data.images import write_png
from semsplat.data.manifest import write_manifest
from semsplat.data.scene import Frame, load_ids, load_scene
from semsplat.errors import SemsplatError
from semsplat.evaluate.protocols import instances
from semsplat.evaluate.selection import DRAWN
from semsplat.folders import atomic_dir
from semsplat.io import write_json
from semsplat.palette import region_colours
from semsplat.params.evaluate import Clusters
from semsplat.provenance import model_facts
from semsplat.splat.cpu.harmonics import C0
from semsplat.splat.ply import write_ply
from semsplat.train.model import SemanticField, open_gaussians

Ids = NDArray[np.int64]
SIMILARITIES_AT_ONCE = 2**26
"""on a GPU: 256 MiB"""


def cluster(field: SemanticField, options: Clusters, seed: int) -> Ids:
    """Return the cluster of every Gaussian, int64 [N], 0 to C - 1, the largest sample first.

    HDBSCAN on the unit features of a random sample of Gaussians that are seen; every Gaussian gets
    the cluster of the most similar of those that belong to one.

    Raises:
        SemsplatError: too few Gaussians are opaque enough, or the features have no clusters.
    """
    unit = normalize(field.semantics, dim=-1)
    opacities = torch.sigmoid(field.trained.gaussians["opacities"]).cpu().numpy()
    (seen,) = np.nonzero(opacities >= options.min_opacity)
    sample = np.random.default_rng(seed).permutation(seen)[: options.samples]
    smallest = max(2, round(options.min_share * len(sample)))
    if len(sample) <= smallest:
        raise SemsplatError(f"clusters: {len(sample)} Gaussians are opaque enough; train longer")
    drawn = unit[torch.from_numpy(sample)]
    clusters = HDBSCAN(min_cluster_size=smallest, copy=True).fit_predict(drawn.cpu().numpy())
    inside = clusters != NO_ID
    if not inside.any():
        raise SemsplatError("clusters: the features have none; train longer, or lower min_share")
    return by_size(_of_most_similar(unit, drawn[torch.from_numpy(inside)], clusters[inside]))


def _of_most_similar(unit: Tensor, known: Tensor, names: Ids) -> Ids:
    """Return the name of the known unit vector [M, D] most similar to each of [N, D], [N]."""
    if not unit.is_cuda:
        nearest = KNeighborsClassifier(n_neighbors=1).fit(known.numpy(), names)
        found: Ids = nearest.predict(unit.numpy())
        return found
    parts = unit.split(max(1, SIMILARITIES_AT_ONCE // len(known)))
    most = torch.cat([(some @ known.T).argmax(dim=1) for some in parts])
    return names[most.cpu().numpy()]


def by_size(ids: Ids) -> Ids:
    """Return cluster ids [N] renumbered, the one with most members first."""
    names, places, counts = np.unique(ids, return_inverse=True, return_counts=True)
    rank = np.empty(len(names), np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(names))
    return rank[places]


@torch.no_grad()
def cluster_map(field: SemanticField, frame: Frame, ids: Ids) -> NDArray[np.int16]:
    """Return the cluster that has the largest share of every pixel, int16 [H, W], -1 = nothing."""
    shares = torch.nn.functional.one_hot(torch.from_numpy(ids)).float()
    drawn = field.blend(frame, shares.to(field.semantics.device).contiguous())
    best = drawn.argmax(dim=-1).short()
    nothing = torch.full_like(best, NO_ID)
    return torch.where(drawn.sum(dim=-1) >= DRAWN, best, nothing).cpu().numpy()


def write_clusters(
    scene_dir: Path, model_dir: Path, out_dir: Path, options: Clusters, seed: int, device: str
) -> None:
    """Write a field's clusters as maps and as splats that plain viewers open.

    ``maps/{frame}.png``: 16-bit ids of every held-out view, 0 = nothing drawn, then cluster + 1.
    ``scores.json``: ``instances/ari@1`` of the views with true instances; the truth is read for
    nothing else.
    ``ids.npy``: int64 [N], the cluster of every Gaussian.  ``clusters.ply``: the scene in the
    colours of its clusters.  ``objects/{cluster}.ply``: the Gaussians of each, as they are.  Both
    are in the scene's own coordinates.
    """
    scene, field = load_scene(scene_dir), open_gaussians(model_dir, device)
    ids = cluster(field, options, seed)
    gaussians = {key: value.cpu() for key, value in field.trained.gaussians.items()}
    with atomic_dir(out_dir) as partial:
        views = {}
        for frame in scene.test:
            clusters = (cluster_map(field, frame, ids) + 1).astype(np.uint16)
            write_png(partial / "maps" / f"{frame.name}.png", clusters)
            views[frame.name] = _score(frame, clusters)
        write_json(partial / "scores.json", {"protocol": instances.NAME, "ari": views})
        np.save(partial / "ids.npy", ids)
        write_ply(partial / "clusters.ply", coloured(gaussians, ids), *scene.stored_in)
        for number in range(int(ids.max()) + 1):
            members = {key: value[ids == number] for key, value in gaussians.items()}
            write_ply(partial / "objects" / f"{number}.ply", members, *scene.stored_in)
        write_manifest(partial, {**model_facts(model_dir, device), "options": options.model_dump()})


def _score(frame: Frame, clusters: NDArray[np.uint16]) -> float | None:
    """Return how well a view's clusters are its true instances, None where these are unknown."""
    if frame.instances_path is None:
        return None
    return instances.score(clusters, load_ids(frame.instances_path, frame)).get("ari")


def coloured(gaussians: dict[str, Any], ids: Ids) -> dict[str, Any]:
    """Return Gaussians that have nothing but their cluster's colour, from all sides."""
    colours = torch.from_numpy(region_colours(int(ids.max()) + 1)[ids]).float() / 255
    plain = {"sh0": ((colours - 0.5) / C0)[:, None], "shN": torch.zeros_like(gaussians["shN"])}
    return {**gaussians, **plain}
