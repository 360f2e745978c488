"""Scores from predictions on disk: values, names, what is missing."""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate1d
from torchmetrics.functional.image import lpips as torchmetrics_lpips

from semsplat.data.images import write_png
from semsplat.data.manifest import write_manifest
from semsplat.data.scene import load_image, load_scene
from semsplat.data.scene_writer import SceneWriter
from semsplat.errors import SemsplatError
from semsplat.evaluate.jobs import collect, together
from semsplat.evaluate.lpips import WEIGHTS, Lpips
from semsplat.evaluate.protocols.rgb_held_out import METRICS, NAME, score_image
from semsplat.figures.scores import Options as ScoresTable
from semsplat.fit import losses
from semsplat.io import read_json, sha256_file, write_json
from semsplat.paths import hub_dir
from tests.unit.data.scene_helpers import ORIGIN, K, random_image, viewmat_at, write_tiny_scene
from tests.unit.evaluate.job_helpers import run_score


def as_tensor(image: np.ndarray) -> torch.Tensor:
    return torch.tensor(image).permute(2, 0, 1)[None].float() / 255


def numpy_ssim(a: np.ndarray, b: np.ndarray) -> float:
    """SSIM of Wang et al. 2004 with an 11 x 11 window; zeros lie beyond the border."""
    taps = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    taps /= taps.sum()

    def blur(x: np.ndarray) -> np.ndarray:
        return correlate1d(correlate1d(x, taps, 0, mode="constant"), taps, 1, mode="constant")

    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2
    cov = blur(a * b) - mean_a * mean_b
    c1, c2 = 0.01**2, 0.03**2
    luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    return float((luminance * (2 * cov + c2) / (var_a + var_b + c2)).mean())


def test_what_answers_say_is_put_together() -> None:
    first = {"metrics": {"miou": 0.5}, "missing": ["text"], "n_views": 2, "only": 1}
    second = {"metrics": {"psnr": 30.0}, "missing": ["lpips"], "n_views": 3}
    both = {"metrics": {"miou": 0.5, "psnr": 30.0}, "missing": ["text", "lpips"]}
    assert together(first, second) == {**both, "n_views": 3, "only": 1}
    assert together({"n_views": 3}, {"n_views": 2}) == {"n_views": 3}


def test_psnr_of_a_constant_offset_is_the_formula() -> None:
    truth = np.full((12, 16, 3), 100, np.uint8)
    for offset in (1, 10, 155):
        psnr = score_image(truth + np.uint8(offset), truth)["psnr"]
        assert psnr == pytest.approx(20 * math.log10(255 / offset), abs=1e-3)


def test_ssim_of_a_constant_offset_is_the_luminance_term() -> None:
    # Large, because near the border the zeros beyond it count as structure.
    black, grey = np.zeros((480, 640, 3), np.uint8), np.full((480, 640, 3), 51, np.uint8)
    ssim = score_image(grey, black)["ssim"]
    assert ssim == pytest.approx(0.01**2 / (0.2**2 + 0.01**2), rel=0.05)


def test_ssim_agrees_with_its_definition_in_double_precision() -> None:
    truth, other = random_image(40, 30, seed=1), random_image(40, 30, seed=2)
    image = (0.8 * truth + 0.2 * other).astype(np.uint8)
    ssim = score_image(image, truth)["ssim"]
    assert ssim == pytest.approx(numpy_ssim(image / 255, truth / 255), abs=1e-9)


def test_ssim_is_what_3dgs_trains_on() -> None:
    truth, other = random_image(40, 30, seed=1), random_image(40, 30, seed=2)
    image = (0.8 * truth + 0.2 * other).astype(np.uint8)
    trained = losses.ssim(torch.tensor(image) / 255, torch.tensor(truth) / 255)
    assert score_image(image, truth)["ssim"] == pytest.approx(trained.item(), abs=1e-5)


def test_equal_images_score_100_db_and_1() -> None:
    image = random_image()
    assert score_image(image, image.copy()) == {"psnr": 100.0, "ssim": 1.0}


NAMES = ("left/a", "left/b", "c")


def write_scene(scene_dir: Path) -> Path:
    """Three held-out frames and one for training."""
    with SceneWriter(scene_dir, **ORIGIN) as writer:
        for index, name in enumerate((*NAMES, "train")):
            image, viewmat = random_image(seed=index), viewmat_at(index)
            writer.add_frame(name, image, viewmat, K, "train" if name == "train" else "test")
    return scene_dir


def predict(scene_dir: Path, folder: Path, offsets: dict[str, int]) -> Path:
    """Write predictions that differ from the photographs by a known offset."""
    for frame in load_scene(scene_dir).test:
        if frame.name in offsets:
            image = load_image(frame).astype(int)
            image = np.where(image < 128, image + offsets[frame.name], image - offsets[frame.name])
            (folder / frame.name).parent.mkdir(parents=True, exist_ok=True)
            write_png(folder / f"{frame.name}.png", image.astype(np.uint8))
    write_manifest(folder, {})
    return folder


def scored(tmp_path: Path, scene_dir: Path, predictions: Path) -> dict[str, Any]:
    out = tmp_path / "results/evaluate/toys/shelf/geometry/3/scores.json"
    run_score(("colours",), scene_dir, predictions, out)
    scores: dict[str, Any] = read_json(out)
    return scores


def db(offset: int) -> Any:
    return pytest.approx(20 * math.log10(255 / offset), abs=1e-3)


def test_scores_name_the_run_the_protocol_and_every_view(tmp_path: Path) -> None:
    scene_dir = write_scene(tmp_path / "scene")
    offsets = dict(zip(NAMES, (2, 4, 8), strict=True))
    predictions = predict(scene_dir, tmp_path / "predictions", offsets)
    scores = scored(tmp_path, scene_dir, predictions)
    assert [scores[key] for key in ("dataset", "scene", "setting", "seed")] == [
        *("toys", "shelf", "geometry"),
        3,
    ]
    assert (scores["protocol"], scores["n_views"], scores["size_px"]) == (NAME, 3, [16, 12])
    assert {name: view["psnr"] for name, view in scores["views"].items()} == {
        name: db(offset) for name, offset in offsets.items()
    }
    mean = sum(view["psnr"] for view in scores["views"].values()) / 3
    assert scores["metrics"]["psnr"] == pytest.approx(mean)
    assert scores["missing"] == []
    assert scores["predictions_sha256"] == sha256_file(predictions / "manifest.json")
    assert scores["truth_sha256"] == sha256_file(scene_dir / "manifest.json")


def test_views_are_matched_by_name_and_not_by_order(tmp_path: Path) -> None:
    scene_dir = write_scene(tmp_path / "scene")
    predictions = predict(scene_dir, tmp_path / "p", dict.fromkeys(NAMES, 2))
    before = scored(tmp_path, scene_dir, predictions)["views"]
    shutil.move(predictions / "c.png", tmp_path / "kept.png")
    shutil.move(predictions / "left/a.png", predictions / "c.png")
    shutil.move(tmp_path / "kept.png", predictions / "left/a.png")
    after = scored(tmp_path, scene_dir, predictions)["views"]
    assert after["left/b"] == before["left/b"]
    assert all(after[name]["psnr"] < 15 < before[name]["psnr"] for name in ("c", "left/a"))


def test_a_missing_prediction_counts_as_zero_and_is_listed(tmp_path: Path) -> None:
    scene_dir = write_scene(tmp_path / "scene")
    predictions = predict(scene_dir, tmp_path / "p", {"left/a": 2, "c": 2})
    shutil.copy(predictions / "c.png", predictions / "b.png")  # the right name in another folder
    scores = scored(tmp_path, scene_dir, predictions)
    assert scores["missing"] == ["left/b"] and scores["n_views"] == 3
    assert scores["counts"] == {NAME: {"pairs": 3, "missing": 1}}
    assert scores["views"]["left/b"] == {"psnr": 0.0, "ssim": 0.0}
    assert scores["metrics"]["psnr"] == pytest.approx(2 / 3 * scores["views"]["c"]["psnr"])


def test_a_prediction_of_another_size_is_refused(tmp_path: Path) -> None:
    scene_dir = write_scene(tmp_path / "scene")
    predictions = predict(scene_dir, tmp_path / "p", dict.fromkeys(NAMES, 2))
    write_png(predictions / "c.png", random_image(8, 6))
    with pytest.raises(SemsplatError, match=r"c\.png"):
        scored(tmp_path, scene_dir, predictions)


def test_a_scene_without_held_out_views_has_no_score_and_says_so(tmp_path: Path) -> None:
    with SceneWriter(tmp_path / "scene", **ORIGIN) as writer:
        writer.add_frame("a", random_image(), viewmat_at(0), K, "train")
    scores = scored(tmp_path, tmp_path / "scene", predict(tmp_path / "scene", tmp_path / "p", {}))
    assert scores["metrics"] == scores["views"] == {} and scores["n_views"] == 0
    assert scores["absent"] == dict.fromkeys(("psnr", "ssim", "lpips"), "no view is held out")
    path = tmp_path / "results/evaluate/toys/shelf/geometry/3/scores.json"
    collect([path], tmp_path / "metrics.json")
    assert read_json(tmp_path / "metrics.json") == {"toys": {"shelf": {"geometry": {}}}}


@pytest.mark.parametrize("net", ["alex", "vgg"])
def test_lpips_without_weights_is_absent_with_a_reason(tmp_path: Path, net: str) -> None:
    scene_dir = write_tiny_scene(tmp_path / "scene")
    predictions = predict(scene_dir, tmp_path / "p", {"a": 2})
    out = tmp_path / "toys/shelf/geometry/0/scores.json"
    run_score(("colours",), scene_dir, predictions, out, lpips_net=net)
    scores = read_json(out)
    assert set(scores["metrics"]) == {"psnr", "ssim"}
    assert f"{net}" in scores["absent"]["lpips"] and "torch hub" in scores["absent"]["lpips"]
    assert str(tmp_path) not in scores["absent"]["lpips"]  # the same text on every machine


def test_lpips_with_other_weights_is_absent_with_a_reason() -> None:
    path = Lpips("alex").path
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half of a download")
    lpips, digest = Lpips("alex"), sha256_file(path)
    assert not lpips.available and lpips.score(random_image(), random_image()) == {}
    assert lpips.reason == (
        f"alexnet-owt-7be5be79.pth has sha256 {digest[:8]}..., not 7be5be79...; fetch it again"
    )


def test_lpips_with_weights_is_torchmetrics_and_downloads_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import torchvision

    path = Lpips("alex").path
    path.parent.mkdir(parents=True)
    torch.manual_seed(0)
    torch.save(torchvision.models.alexnet().state_dict(), path)
    assert not Lpips("alex").available  # random weights
    monkeypatch.setattr("semsplat.evaluate.lpips.sha256_file", lambda _: "7be5be79" + 56 * "0")
    lpips = Lpips("alex")
    image, truth = (random_image(72, 64, seed=seed) for seed in (0, 1))
    assert lpips.reason is None and set(lpips.score(image, truth)) == {"lpips"}
    expected = torchmetrics_lpips.learned_perceptual_image_patch_similarity(
        as_tensor(image), as_tensor(truth), net_type="alex", normalize=True
    )
    assert lpips.score(image, truth)["lpips"] == pytest.approx(expected.item())
    assert lpips.score(image, image)["lpips"] == pytest.approx(0)


def test_lpips_looks_where_torchvision_keeps_its_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    import torchvision

    models = torchvision.models
    urls = {"alex": models.AlexNet_Weights, "vgg": models.VGG16_Weights}
    assert {net: w.IMAGENET1K_V1.url.split("/")[-1] for net, w in urls.items()} == WEIGHTS
    for variable in (None, "TORCH_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv("TORCH_HOME", raising=False)
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
        if variable:
            monkeypatch.setenv(variable, "/somewhere/else")
        assert str(hub_dir()) == torch.hub.get_dir()


@pytest.mark.parametrize(
    "module", ["jobs", "answers.classes", "answers.relevancy", "answers.similarity"]
)
def test_scoring_a_run_needs_no_torch(module: str) -> None:
    listed = "from semsplat.evaluate.protocols import protocols; protocols()"
    slow = "{'torch', 'sklearn', 'skimage.metrics'} & set(sys.modules)"  # 10, 4 and 2 s a run
    check = f"import sys, semsplat.evaluate.{module}; {listed}; sys.exit(len({slow}))"
    assert subprocess.run([sys.executable, "-c", check]).returncode == 0


def fake_scores(path: Path, place: str, seed: int, **metrics: float) -> Path:
    dataset, scene, setting = place.split("/")
    facts = {"dataset": dataset, "scene": scene, "setting": setting, "seed": seed}
    write_json(path / place / str(seed) / "scores.json", {**facts, "metrics": metrics})
    return path / place / str(seed) / "scores.json"


def test_collecting_averages_over_seeds_and_nothing_else(tmp_path: Path) -> None:
    paths = [
        fake_scores(tmp_path, "d/x/geometry", 0, psnr=20.0, ssim=0.5),
        fake_scores(tmp_path, "d/x/geometry", 1, psnr=23.0, ssim=0.7),
        fake_scores(tmp_path, "d/y/geometry", 0, psnr=10.0),
        fake_scores(tmp_path, "e/x/other", 0, psnr=1.0 / 3),
    ]
    collect(paths[::-1], tmp_path / "metrics.json")
    assert read_json(tmp_path / "metrics.json") == {
        "d": {"x": {"geometry": {"psnr": 21.5, "ssim": 0.6}}, "y": {"geometry": {"psnr": 10.0}}},
        "e": {"x": {"other": {"psnr": 0.333333}}},
    }


@pytest.mark.parametrize("order", [1, -1])
def test_a_metric_that_some_seeds_lack_is_no_mean(tmp_path: Path, order: int) -> None:
    paths = [
        fake_scores(tmp_path, "d/x/geometry", 0, psnr=20.0, lpips=0.5),
        fake_scores(tmp_path, "d/x/geometry", 1, psnr=23.0),
    ]
    collect(paths[::order], tmp_path / "metrics.json")
    assert read_json(tmp_path / "metrics.json")["d"]["x"]["geometry"] == {"psnr": 21.5}


def test_the_table_knows_every_metric_of_the_protocol() -> None:
    ScoresTable.model_validate({"digits": dict.fromkeys(METRICS, 2)})
