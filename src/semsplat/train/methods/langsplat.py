"""LangSplat (Qin et al. 2024, arXiv 2312.16084): three fields of codes on frozen geometry.

An autoencoder of the scene makes three numbers of every region's CLIP vector, see
`semsplat.train.scene_autoencoder`.  Every Gaussian holds a code for sub-parts, one for parts and
one for wholes, each learned from its own level alone; blended are codes brought to length 1.  A
prompt asks the decoded maps of all three.  The official code trains and renders three models one
after the other; here they are channels side by side, which share nothing but the order of views,
and are still rendered in three passes.

The official code starts from codes of zeros.  The first gradient of a code then goes through the
derivative of x / (|x| + 1e-9) at 0, which is 1e9 times as steep as later ones, and Adam, the root
of whose memory of squares fades by a factor of e in 2,000 steps, stands still until that one is
forgotten: at the published rate for some 10,000 of the published 30,000 steps, and a suite of fewer
ends where its second step led.  ``init_std`` is our reconstruction of what is meant: codes in
random directions, which the first gradient does not blow up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, cast

from pydantic import Field

from semsplat.features.lessons import Lessons
from semsplat.features.store import SceneFeatures
from semsplat.params.base import Positive
from semsplat.params.methods import Autoencoder, Frozen
from semsplat.train.methods import Attachment, Stage, Terms, Vectors

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from semsplat.data.scene import Viewpoint
    from semsplat.fit.views import Ahead, Camera
    from semsplat.train.model import SemanticField
    from semsplat.train.scene_autoencoder import SceneAutoencoder

ANSWERS = ("relevancy", "masks")
TINY = 1e-9
"""What the official code adds to a code's length."""


class Options(Frozen):
    """Parameters of LangSplat."""

    lr: Positive
    """learning rate of the codes"""
    init_std: float = Field(ge=0)
    """standard deviation of the codes at the start; the code has 0"""
    autoencoder: Autoencoder
    """the autoencoder"""

    def scaled(self, steps: float, rates: float) -> Self:
        """Return the options with the iteration count and the codes' learning rate scaled."""
        return self.model_copy(
            update={"steps": round(self.steps * steps), "lr": self.lr * rates},
        )

    def held(self, _: int) -> int:
        """Return three codes' numbers."""
        return 3 * self.autoencoder.encoder[-1]


def attach(options: Options, _: Lessons | None, features: SceneFeatures | None) -> Attachment:
    """Return a code per level and Gaussian, and the scene's autoencoder, which is trained here."""
    from semsplat.train.granularity import check_levels
    from semsplat.train.scene_autoencoder import train_autoencoder

    assert features is not None
    coder = options.autoencoder
    shape = {"out": check_levels(features), "encoder": coder.encoder, "decoder": coder.decoder}
    module, facts = train_autoencoder(training_vectors(features), coder)
    dim = len(features.layers) * coder.encoder[-1]
    return Attachment(dim, options.init_std, options.lr, shape, module, options.lr, facts=facts)


def training_vectors(features: SceneFeatures) -> Tensor:
    """Return the vectors of all regions of all levels of the training views, float32 [R, D]."""
    import numpy as np
    import torch

    tables = [features.regions(name)[1] for name in features.training]
    return torch.from_numpy(np.concatenate(tables)).float()


def decoder(out: int, encoder: list[int], decoder: list[int]) -> Module:
    """Return an untrained autoencoder, which makes unit vectors [..., D] of codes [..., dim]."""
    from semsplat.train.scene_autoencoder import SceneAutoencoder

    return SceneAutoencoder(out, encoder, decoder).eval().requires_grad_(False)


def shown(semantics: Tensor) -> Tensor:
    """Return every level's code of [N, 3 dim] brought to length 1, as it is blended."""
    codes = semantics.unflatten(-1, (3, -1))
    return (codes / (codes.norm(dim=-1, keepdim=True) + TINY)).flatten(-2)


def semantic_terms(_: Options, stage: Stage) -> Terms:
    """Return |F - E(L)|_1 of every level (LangSplat, Eq. 5): means over all pixels and numbers.

    Pixels without a region of a level add nothing to its sum, and count in its mean.
    """
    from semsplat.train.granularity import level_maps

    assert stage.features is not None
    features, coder = stage.features, cast("SceneAutoencoder", stage.decoder)

    def terms(_: int, view: Camera, blended: Tensor | None) -> dict[str, Tensor]:
        assert blended is not None  # it blends at every step
        maps = level_maps(stage, view)
        codes = coder.encode(maps.table)[maps.ids]  # [3, H, W, dim]; the last row teaches nothing
        found = blended.unflatten(-1, (len(features.layers), -1)).movedim(-2, 0)
        losses = (found - codes).abs() * maps.covered[..., None]
        return {name: loss.mean() for name, loss in zip(features.layers, losses, strict=True)}

    return terms


def reads(_: Options, stage: Stage) -> Ahead:
    """Return what reads a view's levels."""
    from semsplat.train.granularity import level_maps

    return lambda _, camera: level_maps(stage, camera)


def vectors(field: SemanticField, frame: Viewpoint) -> Vectors:
    """Return the decoded vectors of a view on three levels, each rendered on its own."""
    import torch

    maps = [field.decoder(codes) for codes in rendered(field, frame)]
    return Vectors(torch.stack(maps), None)


def rendered(field: SemanticField, frame: Viewpoint) -> list[Tensor]:
    """Return the blended codes of every level, a pass over the rasteriser each."""
    levels = field.semantics.chunk(3, dim=-1)
    return [field.blend(frame, level.contiguous()) for level in levels]
