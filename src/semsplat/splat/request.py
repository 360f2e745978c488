"""One call of the rasteriser, checked, as both backends receive it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from semsplat.errors import SemsplatError

RenderMode = Literal["RGB", "D", "ED", "RGB+D", "RGB+ED"]


@dataclass(frozen=True)
class Request:
    """The arguments of `rasterize`, which documents them."""

    means: Tensor  # [N, 3]
    quats: Tensor  # [N, 4] wxyz
    scales: Tensor  # [N, 3]
    opacities: Tensor  # [N]
    colors: Tensor  # [N, D] or [N, K, 3]
    viewmats: Tensor  # [C, 4, 4]
    Ks: Tensor  # [C, 3, 3]
    width: int
    height: int
    near_plane: float
    far_plane: float
    radius_clip: float
    eps2d: float
    sh_degree: int | None
    backgrounds: Tensor | None  # [C, D + E]
    render_mode: RenderMode
    extra_signals: Tensor | None  # [N, E]
    geometry_channels: int | None

    def check(self) -> None:
        """Refuse inputs that a kernel would misread."""
        if self.render_mode not in (modes := get_args(RenderMode)):
            raise SemsplatError(
                f"rasterize: render_mode '{self.render_mode}' is none of {', '.join(modes)}"
            )
        self._check_harmonics()
        for name, shape in self._shapes().items():
            tensor: Tensor = getattr(self, name)
            like = (tensor.device, tensor.dtype) == (self.means.device, self.means.dtype)
            if tensor.shape != shape or not like:
                raise SemsplatError(
                    f"rasterize: {name} must be {shape} {self.means.dtype} on {self.means.device},"
                    f" got {tuple(tensor.shape)} {tensor.dtype} on {tensor.device}"
                )
        if self.geometry_channels == 0:
            raise SemsplatError("rasterize: geometry_channels 0; detach the geometry instead")
        if torch.is_grad_enabled() and (self.viewmats.requires_grad or self.Ks.requires_grad):
            raise SemsplatError("rasterize: cameras have no gradient; detach viewmats and Ks")

    def _check_harmonics(self) -> None:
        if self.sh_degree is None:
            return
        terms = (self.sh_degree + 1) ** 2
        enough = self.colors.dim() == 3 and self.colors.shape[1] >= terms
        if not 0 <= self.sh_degree <= 3 or not enough:
            raise SemsplatError(
                f"rasterize: sh_degree {self.sh_degree} (0 to 3) needs colors [N, >= {terms}, 3],"
                f" got {tuple(self.colors.shape)}"
            )

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape that each tensor must have."""
        n, c = len(self.means), len(self.viewmats)
        shapes: dict[str, tuple[int, ...]] = {
            "means": (n, 3),
            "quats": (n, 4),
            "scales": (n, 3),
            "opacities": (n,),
            "viewmats": (c, 4, 4),
            "Ks": (c, 3, 3),
        }
        if self.sh_degree is None:
            shapes["colors"] = (n, self.colors.shape[-1])
        else:
            shapes["colors"] = (n, self.colors.shape[1], 3)
        if self.extra_signals is not None:
            shapes["extra_signals"] = (n, self.extra_signals.shape[-1])
        return shapes
