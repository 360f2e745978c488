"""The embedded networks are trained by rules, and never unless asked for."""

from __future__ import annotations

import json

from semsplat.features.embedded.clip import load_clip
from semsplat.features.embedded.sam import load_sam
from tests.workflow.project import Project

SMALL = {
    "pictures": {
        "shape": {"width_px": 40, "height_px": 30},
        "train": {"count": 2},
        "check": {"count": 1},
    },
    "clip": {"image_px": 16, "width": 32, "layers": 1},
    "clip_training": {"steps": 1, "steps_calm": 2, "batch": 4, "dense_batch": 2},
    "sam": {
        "image_px": 40, "width": 16, "depth": 2, "heads": 2, "global_blocks": [1],
        "prompt_dim": 16, "decoder_mlp": 32,
    },
    "sam_training": {
        "steps_dense": 1, "steps_joint": 1, "steps_separate": 1, "steps_fine": 1,
        "batch_dense": 2, "batch_joint": 2, "prompts": 2,
    },
}  # fmt: skip


def test_retraining_is_one_command_and_leaves_the_shipped_weights_alone(project: Project):
    before = project.hashes("src/semsplat/features/embedded/weights")
    (project.root / "small.json").write_text(json.dumps({"networks": SMALL}))
    project.snakemake("retrain_demo_networks", "--configfile", "small.json")
    for network, load, last in (("clip", load_clip, 2), ("sam", load_sam, 3)):
        folder = f"results/networks/{network}"
        load(project.root / folder / "weights.safetensors")
        card = project.json(f"{folder}/run.json")
        assert card["config"]["training"]["seed"] == 0
        assert {"train_0", "check_0"} == set(card["inputs"])
        curve = [json.loads(line) for line in project.read(f"{folder}/metrics.jsonl").splitlines()]
        assert curve[-1]["step"] == last
    assert project.hashes("src/semsplat/features/embedded/weights") == before
    assert project.plan() == set()  # nothing else depends on it
