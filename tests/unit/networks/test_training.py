"""Both trainings: schedules, and resuming to identical bits after a stop."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
import torch

from semsplat.fit.state import load_state
from semsplat.fit.steps import Fit, run_steps
from semsplat.networks.tiny_clip import train as clip
from semsplat.networks.tiny_sam import train as sam
from semsplat.params.geometry import Training
from tests.unit.networks.conftest import CLIP, CLIP_TRAINING, SAM, SAM_TRAINING
from tests.unit.networks.test_sam_batches import LEVELS

TRAINING = Training(save_every_s=1e-9, log_every=1)  # a state after every step


class Interrupted(Exception):
    pass


def make(network, pictures):
    if network == "sam":
        return sam.SamTrainee(SAM, SAM_TRAINING, pictures, pictures)
    return clip.ClipTrainee(CLIP, CLIP_TRAINING, pictures, pictures)


def train(network, pictures, scratch, stop_at=None):
    """Train all steps, or until an exception at one; return weights and curve."""
    trainee = make(network, pictures)

    def steps(todo):
        for step, numbers in zip(todo, trainee.steps(todo), strict=True):
            yield numbers
            if step + 1 == stop_at:
                raise Interrupted

    plan = Fit(trainee.total_steps, "key", scratch, TRAINING)
    run_steps(plan, trainee.learner, steps)
    lines = [json.loads(line) for line in plan.log_path.read_text().splitlines()]
    curve = [{k: v for k, v in line.items() if k != "seconds"} for line in lines]
    return trainee.learner.network.state_dict(), curve


@pytest.mark.usefixtures("saved_each_step")
@pytest.mark.parametrize("network", ["sam", "clip"])
def test_a_stopped_training_resumes_to_identical_bits(network, pictures, tmp_path):
    weights, curve = train(network, pictures, tmp_path / "undisturbed")
    assert [line["step"] for line in curve] == [0, 1, 2, 3] + [4] * (network == "sam")
    for stop_at in (1, 3, 4)[: len(curve) - 2]:
        scratch = tmp_path / str(stop_at)
        with pytest.raises(Interrupted):
            train(network, pictures, scratch, stop_at)
        assert load_state(scratch / "state.pt", "key")["step"] == stop_at
        resumed, again = train(network, pictures, scratch)
        assert again == curve
        assert all(torch.equal(resumed[name], value) for name, value in weights.items())


@pytest.mark.parametrize("network", ["sam", "clip"])
def test_every_weight_learns(network, pictures):
    """Nothing but what no loss can reach stays as it was after the joint steps."""
    trainee = make(network, pictures)
    before = {k: v.clone() for k, v in trainee.learner.network.named_parameters()}
    for _ in trainee.steps(range(trainee.total_steps)):
        pass
    after = dict(trainee.learner.network.named_parameters())
    assert all(value.isfinite().all() for value in after.values())
    still = {name for name, value in before.items() if torch.equal(after[name], value)}
    # Embeddings of prompts that these few steps happened not to show.
    assert all("prompt_encoder" in name for name in still), still


def test_validation_of_the_sam_is_repeatable(pictures):
    trainee = make("sam", pictures)
    once, again = (sam.validate(trainee.sam, pictures, trainee.cell, LEVELS) for _ in range(2))
    assert once == again and set(once) == {
        *(f"unseen_iou_output_{k}" for k in range(4)),
        "unseen_best_of_3_whole",
        "unseen_iou_box",
    }
    assert all(0 <= value <= 1 for value in once.values())


def test_validation_of_the_clip_leaves_it_in_training(pictures):
    trainee = make("clip", pictures)
    assert trainee.validate() == trainee.validate()
    assert trainee.model.training


def test_the_sams_rate_warms_up_stays_and_falls_to_zero():
    config = SAM_TRAINING.model_copy(
        update={
            "steps_dense": 40,
            "steps_joint": 50,
            "steps_separate": 10,
            "warmup": 10,
            "lr": 2.0,
            "flat_until": 0.5,
        }
    )
    rates = [sam.rate_at(step, config) for step in range(100)]
    assert rates[:10] == pytest.approx([0.2 * (k + 1) for k in range(10)])
    assert rates[10:51] == [2.0] * 41
    assert rates[75] == pytest.approx(1.0) and 0 < rates[99] < 0.01
    assert all(a >= b for a, b in pairwise(rates[50:]))


def test_the_sams_last_phase_has_a_rate_and_moments_of_its_own(pictures):
    change = {"steps_fine": 40, "warmup": 10, "lr_fine": 0.5}
    config = SAM_TRAINING.model_copy(update=change)
    rates = [sam.rate_at(step, config) for step in range(4, 44)]
    assert rates[0] == pytest.approx(0.05) and max(rates) <= 0.5 and rates[20] == 0.25
    assert 0 < rates[-1] < 0.01 and rates.index(max(rates)) == 9
    trainee = make("sam", pictures)
    counts = []
    for _ in trainee.steps(range(trainee.total_steps)):
        moments = trainee.learner.optimizer.state[trainee.sam.image_encoder.pos_embed]
        counts.append(int(moments["step"]))
    assert counts == [1, 2, 3, 4, 1]


def test_the_clips_rate_warms_up_and_falls_to_zero():
    config = CLIP_TRAINING.model_copy(update={"steps": 100, "warmup": 10, "lr": 2.0})
    rates = [clip.rate_at(step, config) for step in range(100)]
    assert rates[0] == pytest.approx(0.2)
    assert rates[50] == pytest.approx(1.0) and 0 < rates[99] < 0.01
    assert rates.index(max(rates)) in (9, 10)
    assert all(a >= b for a, b in pairwise(rates[10:]))


def test_the_clips_second_phase_has_a_rate_of_its_own():
    change = {"steps": 10, "steps_calm": 40, "warmup": 5, "lr": 2.0, "lr_calm": 0.5}
    config = CLIP_TRAINING.model_copy(update=change)
    rates = [clip.rate_at(step, config) for step in range(10, 50)]
    assert rates[0] == pytest.approx(0.1) and rates[20] == pytest.approx(0.25)
    assert max(rates) <= 0.5 and 0 < rates[-1] < 0.01
