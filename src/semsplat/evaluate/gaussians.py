"""What a trained field says of every Gaussian alone, as if it filled a pixel.

A picture decodes what many Gaussians blend to, here each is decoded by itself.  It is what a splat
can be coloured by and cut by, and what ``lerf_ovs/select3d@1`` and ``scannet/points@1`` ask.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semsplat.data.scene import Viewpoint
from semsplat.evaluate.relevancy import relevancy
from semsplat.splat.gaussians import chosen
from semsplat.train.methods import method
from semsplat.train.model import SemanticField

AT_ONCE = 32768
"""Gaussians decoded together: 64 MB of 512 numbers each."""
NOWHERE = Viewpoint("every Gaussian", np.eye(4), np.eye(3), AT_ONCE, 1)


class Unblended(SemanticField):
    """A field whose picture has a pixel for every Gaussian, [1, N, dim], seen from anywhere."""

    @torch.no_grad()
    def blend(self, frame: Viewpoint, values: Tensor | None = None) -> Tensor:
        """Return what Gaussians hold, or other values [N, E] of theirs, as one row of pixels."""
        return (self.semantics if values is None else values)[None]


def unblended(field: SemanticField) -> Iterator[Unblended]:
    """Yield a field's Gaussians in their order, so many at once as fit in memory."""
    for some in field.semantics.split(AT_ONCE):
        yield Unblended(field.trained, some, field.decoder, field.facts)


@torch.no_grad()
def classes_of(field: SemanticField, among: Sequence[int] | None = None) -> NDArray[np.uint16]:
    """Return every Gaussian's class, the scene's id, uint16 [N]; of a method that knows classes.

    ``among`` are the ids that it may be, all by default; 0 where the method knows none of them.
    """
    ids = torch.tensor(field.facts.class_ids, device=field.trained.device)
    known = torch.tensor([among is None or one in among for one in ids.tolist()])
    if not known.any():
        return np.zeros(len(field.semantics), np.uint16)
    columns = known.nonzero()[:, 0].to(ids.device)
    rows = [
        ids[columns[some.decoder(some.semantics)[:, columns].argmax(dim=-1)]]
        for some in unblended(field)
    ]
    return torch.cat(rows).cpu().numpy().astype(np.uint16)


def best_of(said: Tensor, ids: Sequence[int]) -> NDArray[np.uint16]:
    """Return the id of the prompt that is most relevant to each Gaussian, uint16 [N].

    Args:
        said: relevancy [P, N] of P prompts.
        ids: theirs; 0 where several are all as relevant, as to a Gaussian that holds zeros.
    """
    best = torch.tensor(ids, device=said.device)[said.argmax(dim=0)]
    differ = said.amax(0) > said.amin(0) if len(ids) > 1 else torch.ones_like(best).bool()
    return best.where(differ, 0).cpu().numpy().astype(np.uint16)


@torch.no_grad()
def relevancy_of(field: SemanticField, query: Tensor, canonical: Tensor) -> Tensor:
    """Return how relevant every Gaussian is to prompts, float32 [P, N] in [0, 1].

    Args:
        field: of a method with ``vectors``; of its levels the largest relevancy counts.
        query: [P, D], text vectors of the prompts, of length 1.
        canonical: [C, D], those of the canonical phrases.
    """
    vectors = method(field.facts.method).vectors
    said = (vectors(some, NOWHERE).asked for some in unblended(field))  # [L, 1, n, D] each
    rows = [relevancy(maps, query, canonical) for maps in said]  # [P, L, 1, n]
    return torch.cat([row.amax(dim=1)[:, 0] for row in rows], dim=-1)


@torch.no_grad()
def members_of(field: SemanticField, queries: Tensor) -> Tensor:
    """Return which Gaussians queries [P, Q] select, bool [P, N]; of a method with ``select``."""
    select = method(field.facts.method).select
    return torch.cat([select(some, NOWHERE, queries)[:, 0] for some in unblended(field)], dim=-1)


def silhouette(field: SemanticField, members: Tensor, frame: Viewpoint) -> Tensor:
    """Return the opacity of the Gaussians ``members`` bool [N] drawn alone, float32 [H, W]."""
    if not members.any():
        return torch.zeros(frame.height, frame.width)
    trained = replace(field.trained, gaussians=chosen(field.trained.gaussians, members))
    alone = replace(field, trained=trained, semantics=field.semantics[members])
    return alone.blend(frame, alone.semantics.new_ones(len(alone.semantics), 1))[..., 0]
