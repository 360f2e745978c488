"""A radiance method from files to files: trained, killed and resumed, opened, asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from semsplat.data.images import read_ids, read_rgb
from semsplat.data.scene import load_image
from semsplat.errors import SemsplatError
from semsplat.evaluate import jobs, stopwatch
from semsplat.evaluate.answers import Asked, Judged, answer
from semsplat.evaluate.clusters import write_clusters
from semsplat.evaluate.relevancy_maps import read_relevancy, read_silhouettes
from semsplat.features.queries import Texts
from semsplat.field.field import Field
from semsplat.fit.state import load_state
from semsplat.io import read_json
from semsplat.params.evaluate import Clusters, SelectionsJob
from semsplat.splat.ply import read_ply
from semsplat.train import radiant
from semsplat.train.methods import lerf, method, threedovs
from semsplat.train.model import open_field
from semsplat.train.run import Places, train
from tests.unit.train.radiant_helpers import config_of, curve, options_of, trained, write_scales

SIDES = ["left", "right"]
MODULES = {"lerf": lerf, "threedovs": threedovs}


@pytest.fixture(scope="module")
def features(tiny_scene, tmp_path_factory) -> Path:
    return write_scales(tmp_path_factory.mktemp("scales"), tiny_scene).folder


@pytest.fixture(scope="module", params=list(MODULES))
def named(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def folder(named, tiny_scene, features, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp(named) / "out"
    return trained(tiny_scene, features, out, named, options_of(MODULES[named], named))


def test_it_learns_colours_and_language_and_its_card_says_what_it_is(folder, named):
    lines = curve(folder)
    first = [line for line in lines if "loss_colours" in line]
    assert first[-1]["loss_colours"] < 0.6 * first[0]["loss_colours"]
    last = {"lerf": "loss_clip", "threedovs": "loss_crops"}[named]
    said = [line[last] for line in lines if last in line]
    assert said[-1] < said[0]
    numbers = read_json(folder / "run.json")["numbers"]
    assert numbers["n_gaussians"] == 0 and numbers["lacks"] == "DINO"
    weights = load_file(folder / "semantics.safetensors")
    learned = sum(w.numel() for n, w in weights.items() if n.split(".")[-1] in PARTS)
    assert numbers["semantic_mb"] == pytest.approx(4 * learned / 2**20, abs=1e-3)
    with pytest.raises(SemsplatError, match="it has no vertices"):
        read_ply(folder / "point_cloud.ply")


PARTS = {"weight", "bias", "planes", "lines"}


@pytest.mark.usefixtures("saved_each_step")
def test_a_killed_training_resumes_to_identical_files(
    folder, named, tiny_scene, features, tmp_path, monkeypatch
):
    def stopping(trainee, stage, options, steps, terms):
        def stopped(step, *rest):
            if step == 37:
                raise KeyboardInterrupt
            return terms(step, *rest)

        return radiant_task(trainee, stage, options, steps, stopped)

    radiant_task, options = radiant.radiant_task, options_of(MODULES[named], named)
    monkeypatch.setattr(radiant, "radiant_task", stopping)
    scratch, places = tmp_path / "scratch", Places(tiny_scene.scene_dir, None, features, None)
    with pytest.raises(KeyboardInterrupt):
        train(places, tmp_path / "out", scratch, config_of(named, options), 1e-9, "cpu")
    monkeypatch.undo()
    state = torch.load(scratch / "state.pt", weights_only=True)
    assert load_state(scratch / "state.pt", state["run_key"])["step"] == 37
    again = trained(tiny_scene, features, tmp_path / "out", named, options)
    for name in ("point_cloud.ply", "semantics.safetensors"):
        assert (again / name).read_bytes() == (folder / name).read_bytes(), name


def test_another_seed_draws_other_numbers(folder, named, tiny_scene, features, tmp_path):
    options = options_of(MODULES[named], named)
    told = config_of(named, options, run_seed=6)
    places = Places(tiny_scene.scene_dir, None, features, None)
    train(places, tmp_path / "out", tmp_path / "scratch", told, 1e9, "cpu")
    one, other = (load_file(f / "semantics.safetensors") for f in (folder, tmp_path / "out"))
    key = "decoder.radiance.density_grid.planes"
    assert not torch.equal(one[key], other[key])


def test_it_opens_as_what_it_was(folder, tiny_scene):
    field, view = open_field(folder, "cpu"), tiny_scene.test[1]
    assert field.sizes == {"n_gaussians": 0, "semantic_dim": 0}
    picture, depth = field.picture(view)
    assert picture.shape == (36, 48, 3) and depth.dtype == np.float16
    error = (picture / 255 - load_image(view) / 255) ** 2
    blank = (load_image(view) / 255 - (load_image(view) / 255).mean((0, 1))) ** 2
    assert error.mean() < 0.7 * blank.mean()
    assert 0 < np.median(depth) < 20
    again = open_field(folder, "cpu").picture(view)[0]
    assert np.array_equal(picture, again)


def test_class_maps_have_the_scenes_ids_where_their_classes_are(folder, tiny_scene):
    field = open_field(folder, "cpu")
    found = field.class_map(tiny_scene.train[1])
    assert set(np.unique(found)) <= {3, 8}
    left, right = found[:, :16], found[:, -16:]
    assert (left == 3).mean() > 0.7 and (right == 8).mean() > 0.7
    drawn = field.render(tiny_scene.train[1])
    assert np.array_equal(drawn[-1], found)


def test_every_answer_is_written_and_scored(
    folder, named, tiny_scene, features, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        Texts, "encode", lambda _, asked: torch.eye(8)[[SIDES.index(p) for p in asked]]
    )
    told = SelectionsJob(grounders=["clip_regions"], clicks={}, grounding_dino=None, sam=None)
    out = tmp_path / "made" / "plane" / named / "0" / "predictions"
    asked = Asked(tiny_scene, folder, features, tmp_path / "cache", {}, "cpu")
    answers = method(named).ANSWERS
    jobs.predict(answers, asked, {"masks": told.model_dump()}, out)
    frame, field = tiny_scene.test[0], open_field(folder, "cpu")
    size = frame.width, frame.height
    image, classes = out / f"{frame.name}.png", out / "classes" / f"{frame.name}.png"
    assert np.array_equal(read_rgb(image, size), field.picture(frame)[0])
    assert np.array_equal(read_ids(classes, size), field.class_map(frame))
    assert read_json(out / "manifest.json")["semantics"]
    if "relevancy" in answers:
        annotated = next(f for f in tiny_scene.frames if f.annotations_path)
        assert read_silhouettes(out, annotated) is None
        assert set(read_relevancy(out, annotated)) == set(SIDES)
    kinds = [name for name in answers if name != "classes"]  # the plane has no label maps
    judged = Judged(tiny_scene, out, None, {}, out.with_name("scores.json"))
    jobs.score(kinds, judged, {"pictures": {"lpips_net": "alex"}})
    scores = read_json(judged.out)
    wanted = {"psnr"} | (
        {"query_miou", "clip_regions_mask_query_miou"} if len(kinds) > 1 else set()
    )
    assert wanted <= scores["metrics"].keys()
    if len(kinds) > 1:
        assert scores["absent"]["select3d_miou"]


def test_relevancy_has_one_map_per_prompt_and_no_silhouettes(
    tiny_scene, features, tmp_path, monkeypatch
):
    from semsplat.evaluate.answers.relevancy import ask

    out = trained(tiny_scene, features, tmp_path / "out", "lerf", options_of(lerf, "lerf"))

    class Known:
        canonical = torch.eye(8)[3:5]

        @staticmethod
        def encode(prompts):
            return torch.eye(8)[[0, 1][: len(prompts)]]

    arrays = ask(open_field(out, "cpu"), tiny_scene.train[1], Known(), ["left", "right"])
    assert arrays["relevancy"].shape == (2, 1, 36, 48) and arrays.keys() == {"prompts", "relevancy"}
    left, right = arrays["relevancy"][:, 0].astype(np.float32)
    assert left[:, :16].mean() > left[:, -16:].mean()
    assert right[:, -16:].mean() > right[:, :16].mean()
    # Rendering, then whole queries: on a clock that beside other work two medians may swap.
    seconds = iter([0.25] * 2 * len(tiny_scene.train) + [1.0] * 2 * len(tiny_scene.train))
    monkeypatch.setattr(stopwatch, "timed", lambda work, device: (work(), next(seconds))[1])
    times = answer("relevancy").time(open_field(out, "cpu"), list(tiny_scene.train) * 2)
    assert times["query_ms"] >= times["render_ms"] > 0
    assert (times["render_ms"], times["query_ms"]) == (250.0, 1000.0)
    assert answer("masks").time(open_field(out, "cpu"), []) == {}


def test_what_needs_gaussians_says_in_one_line_that_there_are_none(folder, tiny_scene, tmp_path):
    line = "is a radiance field and has no Gaussians; its answers are the predictions"
    clusters = Clusters(samples=10, min_opacity=0.1, min_share=0.01)
    with pytest.raises(SemsplatError, match=line):
        write_clusters(tiny_scene.scene_dir, folder, tmp_path / "clusters", clusters, 0, "cpu")


def test_the_library_refuses_it_in_the_same_line(folder, monkeypatch):
    monkeypatch.setattr("semsplat.field.field.scene_of", lambda *_: None)
    with pytest.raises(SemsplatError, match="has no Gaussians"):
        Field.open(folder)
