"""The objective of every method on joint geometry: reconstruction plus the method's terms."""

from __future__ import annotations

from semsplat.fit.loop import Objective, Outcome
from semsplat.fit.trainee import Trainee
from semsplat.fit.views import View
from semsplat.geometry.rgb import colour_terms, render_view
from semsplat.params.geometry import Geometry
from semsplat.train.methods import Terms
from semsplat.train.start import SEMANTICS


def joint_objective(
    trainee: Trainee, geometry: Geometry, terms: Terms, moves_geometry: bool
) -> Objective:
    """Return L = L_rgb + the method's terms (CLIP-GS, Eq. 6), rendered in one pass."""

    def objective(step: int, view: View) -> Outcome:
        semantics = trainee.gaussians[SEMANTICS]
        image, info = render_view(
            trainee.gaussians, view, step, geometry, semantics, moves_geometry
        )
        losses, numbers = colour_terms(image[..., :3], view, step, geometry)
        return losses | terms(step, view, image[..., 3:]), info, numbers

    return objective
