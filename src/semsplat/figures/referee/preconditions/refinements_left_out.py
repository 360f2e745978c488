"""PDR leaves refinements out, so that it can leave Gaussians out.

It splits and clones less often at first (CLIP-GS, section 3.4): of the 144 refinements of 30,000
steps 136 are left.  Of a run of few refinements all may be, only later.
"""

from __future__ import annotations

from semsplat.figures.referee.trainings import Results
from semsplat.fit.schedules import refine_steps
from semsplat.keys import TrainingKey
from semsplat.params.geometry import Densify, Progressive

ASKS = "refinements that PDR leaves out, 1 or more"
SHOWN = "{:.0f}"
WORDS = "PDR leaves out {value:.0f} of the refinements, not one"


def value(results: Results, training: TrainingKey) -> float | None:
    """Return how many refinements fewer a training's schedule has than the one without PDR."""
    geometry = results.card(training)["config"].get("geometry", {})
    if not {"densify", "progressive"} <= geometry.keys():
        return None
    densify = Densify.model_validate(geometry["densify"])
    own = Progressive.model_validate(geometry["progressive"])
    plain = own.model_copy(update={"enabled": False})
    return float(len(refine_steps(densify, plain)) - len(refine_steps(densify, own)))


def holds(value: float) -> bool:
    """Tell whether any refinement is left out."""
    return value >= 1
