"""Two balls that know their classes, as a training leaves them, and a scene that shows them."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import Module, Parameter, ParameterDict

from semsplat.data.scene_writer import SceneWriter
from semsplat.fit.trainee import Decoder, Trainee
from semsplat.io import write_json
from semsplat.splat.cpu.harmonics import C0
from semsplat.splat.ply import write_ply
from semsplat.train.attached import SEMANTICS
from semsplat.train.methods import method
from semsplat.train.model import FieldFacts, write_field
from tests.unit.data.scene_helpers import ORIGIN, K, random_image, viewmat_at

CLASS_IDS = [2, 300, 65535]  # ids with gaps, as large as an id map holds
X = 0.6  # the balls are at (-X, 0, 0) and (X, 0, 0), 3 m away: 4 px beside the centre
RADIUS, OPACITY = 0.15, 0.99
COLOURS = torch.tensor([[0.9, 0.2, 0.1], [0.1, 0.3, 0.8]])

# what each ball holds, as the methods blend it
HELD = {
    "clip_gs": torch.tensor([[1.0, 0.0], [0.0, 1.0]]),
    "feature_3dgs": torch.tensor([[0.1, 2.0, 0.0, 0.1], [0.0, 0.5, 3.0, 0.1]]),
}


def shape_of(method_name: str) -> dict[str, int]:
    return {"dim": HELD[method_name].shape[1], "n_classes": len(CLASS_IDS)}


def hand_made(method_name: str) -> Module:
    """Return a decoder that gives the left ball class 2 and the right class 3."""
    decoder: Module = method(method_name).decoder(**shape_of(method_name))
    state = {
        "clip_gs": {
            "weight": torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]),
            "bias": torch.tensor([0.03, 0.0, 0.0]),
        },
        "feature_3dgs": {"text": torch.eye(4)[:3]},
    }[method_name]
    decoder.load_state_dict(state)
    return decoder


def balls(count: int = 2) -> dict[str, Tensor]:
    return {
        "means": torch.tensor([[-X, 0, 0], [X, 0, 0]])[:count],
        "quats": torch.tensor([[1.0, 0, 0, 0]]).repeat(count, 1),
        "scales": torch.full((count, 3), RADIUS).log(),
        "opacities": torch.full((count,), OPACITY).logit(),
        "sh0": ((COLOURS - 0.5) / C0)[:count, None],
        "shN": torch.zeros(count, 15, 3),
    }


def trainee(method_name: str) -> Trainee:
    gaussians = {**balls(), SEMANTICS: HELD[method_name]}
    parameters = ParameterDict({key: Parameter(value) for key, value in gaussians.items()})
    return Trainee(parameters, {}, None, {}, Decoder(hand_made(method_name), None))


def write_model(
    folder: Path, method_name: str = "clip_gs", class_ids: list[int] = CLASS_IDS
) -> Path:
    """Write two balls that know their class, as a training leaves them."""
    done = trainee(method_name)
    write_ply(folder / "point_cloud.ply", dict(done.gaussians))
    facts = FieldFacts(method_name, class_ids, shape_of(method_name))
    write_field(folder / "semantics.safetensors", done, facts)
    config = {"geometry": {"sh_degree": 3, "background": "white"}}
    write_json(folder / "run.json", {"config": config})
    return folder


def write_asked(folder: Path) -> Path:
    """Write two balls that hold features, as GAGS leaves them; its decoder learned nothing."""
    write_model(folder)
    shape = {"dim": 2, "hidden": 3, "out": 8, "shared": 1}
    done = trainee("clip_gs")
    done.decoder = Decoder(method("gags").decoder(**shape), None)
    write_field(folder / "semantics.safetensors", done, FieldFacts("gags", [], shape))
    return folder


def write_scene(scene_dir: Path) -> Path:
    """Two views for training and two held out; ``far`` and ``cam/far`` look past the balls."""
    places = {"near": (0.0, "train"), "far": (50.0, "train")}
    places |= {"cam/near": (0.0, "test"), "cam/far": (50.0, "test")}
    with SceneWriter(scene_dir, **ORIGIN) as writer:
        for name, (x, split) in places.items():
            writer.add_frame(name, random_image(), viewmat_at(x), K, split)  # type: ignore[arg-type]
    return scene_dir


def write_identified(folder: Path) -> Path:
    """Write two balls with the ids 1 and 2, as Gaussian Grouping leaves them; nothing has id 0."""
    write_model(folder)
    shape = {"dim": 2, "classes": 3}
    module = method("gaussian_grouping").decoder(**shape)
    weight = torch.tensor([[0.0, 0.0], [40.0, 0.0], [0.0, 40.0]])
    state = {"scores.weight": weight, "scores.bias": torch.tensor([9.0, 0.0, 0.0])}
    thresholds = torch.tensor([0.7, 0.2])
    module.load_state_dict(state | {"tracks": torch.tensor([4, 7]), "thresholds": thresholds})
    done = trainee("clip_gs")
    done.decoder = Decoder(module, None)
    path = folder / "semantics.safetensors"
    write_field(path, done, FieldFacts("gaussian_grouping", [], shape))
    return folder


def write_looked_up(folder: Path, asking: tuple[float, ...]) -> Path:
    """Write two balls that name the rows (2, 0, 0) and (0, 0.5, 0) of a table, as GOI leaves them.

    Elsewhere the row is (0, 0, 1); ``asking`` is how prompts are asked.
    """
    write_model(folder)
    shape = {"dim": 2, "entries": 3, "out": 3}
    state = {
        "head.weight": torch.tensor([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]]),
        "head.bias": torch.tensor([0.3, 0.0, 0.0]),
        "table": torch.tensor([[0.0, 0.0, 1.0], [2.0, 0.0, 0.0], [0.0, 0.5, 0.0]]),
        "asking": torch.tensor(asking, dtype=torch.float64),
    }
    module = method("goi").decoder(**shape)
    module.load_state_dict(state)
    done = trainee("clip_gs")
    done.decoder = Decoder(module, None)
    write_field(folder / "semantics.safetensors", done, FieldFacts("goi", [], shape))
    return folder


def write_grouped(folder: Path) -> Path:
    """Write two balls that hold orthogonal features, as CGC leaves them."""
    write_model(folder)
    done = trainee("clip_gs")
    done.decoder = Decoder(method("cgc").decoder(), None)
    write_field(folder / "semantics.safetensors", done, FieldFacts("cgc", [], {}))
    return folder
