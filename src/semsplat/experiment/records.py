"""Which runs of a suite take the same steps of geometry: the first leaves the others a record."""

from __future__ import annotations

from collections import defaultdict
from functools import cache

from semsplat.experiment.runs import geometry_keys, merged, own_keys, setting_options
from semsplat.experiment.schema import Params
from semsplat.io import canonical_json
from semsplat.keys import TrainingKey
from semsplat.params.methods import Joint
from semsplat.paths import GEOMETRY
from semsplat.train.methods import method_options


def sharing(params: Params) -> set[TrainingKey]:
    """Return the runs of the chosen suite whose steps of geometry another takes as well.

    They are trainings whose semantics stay out of the geometry, and geometry runs, whose setting
    has the name `GEOMETRY`.
    """
    plain = canonical_json(params.geometry.model_dump())

    @cache
    def schedule(setting: str) -> str | None:
        kind = method_options(params.settings[setting].method)
        if not issubclass(kind, Joint) or setting_options(params, setting)["moves_geometry"]:
            return None
        return canonical_json(
            merged(params.geometry.model_dump(), params.settings[setting].geometry)
        )

    alike = defaultdict(list)
    for run in own_keys(params):
        if told := schedule(run.setting):
            alike[run.dataset, run.scene, run.seed, told].append(run)
    for key in geometry_keys(params):
        run = TrainingKey(key.dataset, key.scene, GEOMETRY, key.seed)
        alike[*key, plain].append(run)
    return {run for runs in alike.values() if len(runs) > 1 for run in runs}
