"""What a suite on real data takes and lacks."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from semsplat.data.register.entries import entries, receipt_of, unpacked_receipt_of
from semsplat.experiment.check import check
from semsplat.experiment.plan.needs import missing, needs
from semsplat.experiment.plan.screen import plan_lines, show_plan
from semsplat.experiment.plan.work import load_estimates, phases
from semsplat.experiment.runs import lessons_keys, training_keys
from semsplat.experiment.schema import Params
from semsplat.folders import MARKER
from semsplat.train.methods import method_names

CONFIG: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[3] / "params.yaml").read_text(encoding="utf-8")
)


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


def paper(*scenes: str) -> Params:
    suite = CONFIG["suites"]["paper"]
    chosen = {**suite, "scenes": list(scenes or suite["scenes"])}
    return check({**CONFIG, "suite": "paper", "suites": {**CONFIG["suites"], "paper": chosen}})


def names(params: Params) -> list[str]:
    return [entry.name for entry in missing(params)]


def write(path: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text("x")


def test_suites_that_draw_their_scenes_need_nothing() -> None:
    for suite in ("demo", "ablations", "smoke", "kermit"):
        params = check({**CONFIG, "suite": suite})
        assert needs(params) == {} and missing(params) == [] and plan_lines(params) == []
        show_plan(params, dry=False)


def test_the_paper_suite_needs_all_data_of_the_register() -> None:
    data = {name for name, entry in entries().items() if entry.kind == "data"}
    assert data <= set(needs(paper()))
    assert set(names(paper())) == set(needs(paper()))


def test_a_scene_needs_its_own_data_and_its_models() -> None:
    params = paper("lerf_mask/ramen")
    models = ["clip_vit_b_16_openai", "dino_vits8", "grounding_dino", "sam2_1_hiera", "sam_vit_h"]
    assert names(params) == sorted([*models, "clip_vit_b_16_laion2b", "lerf_mask_ramen"])
    by_hand = [entry.name for entry in missing(params) if entry.by_hand]
    assert by_hand == ["clip_vit_b_16_laion2b", "dino_vits8", "grounding_dino", "sam2_1_hiera"]
    assert "sam2_1_hiera" in names(paper("replica/room0"))
    assert "lerf_ovs" in names(paper("lerf_ovs/ramen"))


def test_views_of_another_scene_need_what_that_one_needs() -> None:
    found = {entry.name: entry for entry in missing(paper("scannet_sparse/scene0389_00"))}
    assert found["scannet_scans"].places == [Path("photos/scannet/scene0389_00")]
    assert found["scannet_labels"].by_hand


def test_a_scene_that_is_missing_in_a_folder_of_one_s_own_is_named() -> None:
    write("photos/replica/room_0/x")
    assert "replica_renders" not in names(paper("replica/room0"))
    found = {entry.name: entry for entry in missing(paper("replica/room0", "replica/room1"))}
    assert found["replica_renders"].places == [Path("photos/replica/room_1")]
    assert found["replica_renders"].by_hand
    assert any("-> photos/replica/room_1" in line for line in plan_lines(paper("replica/room1")))


def test_what_is_done_needs_its_sources_no_more() -> None:
    params = paper("lerf_mask/ramen")
    write("data/lerf_mask/ramen/manifest.json")
    sams, of_levels = ["sam2_1_hiera", "sam_vit_h"], ["clip_vit_b_16_laion2b"]
    regions = ["clip_vit_b_16_openai", "dino_vits8"]  # DINO is LERF's
    assert names(params) == [*of_levels, *regions, "grounding_dino", *sams]
    write("results/features/lerf_mask/ramen/scales/all/manifest.json")
    write("results/features/lerf_mask/ramen/regions/all/manifest.json")
    assert names(params) == [*of_levels, "grounding_dino", *sams]  # a box is asked for its mask
    write("results/features/lerf_mask/ramen/levels/all/manifest.json")
    assert names(params) == ["grounding_dino", *sams]
    for run in lessons_keys(params):
        write(f"results/lessons/lerf_mask/ramen/{run.teacher}/{run.seed}/manifest.json")
    assert names(params) == ["grounding_dino", "sam_vit_h"]
    for run in training_keys(params):
        write(
            f"results/evaluate/lerf_mask/ramen/{run.setting}/{run.seed}/predictions/manifest.json"
        )
    assert missing(params) == []
    assert needs(params)  # a rule's inputs must not change when a job is done


def test_an_archive_that_a_person_has_put_is_unpacked_by_the_workflow() -> None:
    params = paper("lerf_ovs/ramen")
    assert {e.name: e.by_hand for e in missing(params)}["lerf_ovs"]
    write("downloads/lerf_ovs.zip")
    assert not {e.name: e.by_hand for e in missing(params)}["lerf_ovs"]


def test_what_the_workflow_has_unpacked_is_there() -> None:
    write(f"photos/lerf_mask/ramen/{MARKER}")
    for receipt in (receipt_of("lerf_mask_ramen"), unpacked_receipt_of("lerf_mask_ramen")):
        receipt.parent.mkdir(parents=True, exist_ok=True)
        receipt.write_text(json.dumps({}))
    assert "lerf_mask_ramen" not in names(paper("lerf_mask/ramen"))


def test_one_screen_says_what_how_large_from_where_and_where_to() -> None:
    lines = plan_lines(paper())
    assert len(lines) <= 48
    text = "\n".join(lines)
    for name in names(paper()):
        (line,) = [each for each in lines if each.split()[:1] == [name]]
        assert " -> " in line and ("MB" in line or "size unknown" in line)
        assert "http" in line or (entries()[name].urls and "." in line)
    assert "12,535 MB" in text and "(terms)" in text
    for phase in phases(paper()):
        assert phase.basis in text and phase.jobs > 0 and phase.disk_gb > 0
        assert (phase.gpu_hours > 0) == (phase.name not in ("data", "scratch"))


def test_a_real_run_stops_where_a_person_has_to_act(capsys: pytest.CaptureFixture[str]) -> None:
    show_plan(paper(), dry=True)
    assert "nothing was run" not in capsys.readouterr().err
    with pytest.raises(SystemExit) as error:
        show_plan(paper(), dry=False)
    assert error.value.code == 1
    assert "nothing was run" in capsys.readouterr().err
    write("downloads/models/grounding-dino-base/model.safetensors")
    write("downloads/models/sam2.1-hiera/model.safetensors")
    write("downloads/models/dino-vits8/model.safetensors")
    write("downloads/models/CLIP-ViT-B-16-laion2B-s34B-b88K/open_clip_pytorch_model.bin")
    assert any("lpips_vgg" in line for line in plan_lines(paper()))
    show_plan(paper("lerf_mask/ramen"), dry=False)  # the rest can be fetched
    assert "fetched and unpacked when the suite runs" in capsys.readouterr().err


def test_hours_and_disk_by_hand() -> None:
    found = {phase.name: phase for phase in phases(paper("lerf_mask/ramen"))}
    # 3 seeds of 3DGS at 10 minutes; of CGC's tables seven rows at 20, one at 50, 45 and 30 each
    assert found["geometry"].gpu_hours == pytest.approx(0.5)
    assert found["train"].jobs == 30 and found["train"].gpu_hours == pytest.approx(13.25)
    assert found["geometry"].disk_gb == pytest.approx(3 * 1.5e6 * 248 / 1e9)
    # 16 numbers a Gaussian, LangSplat three codes of three; LERF counts as a splat without any
    disk_gb = 1.5e6 * (24 * (248 + 64) + 3 * (248 + 36) + 3 * 248) / 1e9
    assert found["train"].disk_gb == pytest.approx(disk_gb)
    largest = 1.5e6 * (248 + 64) / 1e9  # a state has three times a splat, and two states are there
    assert found["scratch"].disk_gb == pytest.approx(2 * 3 * largest)
    assert found["features"].gpu_hours == pytest.approx(134 * (2 * 11.5 + 22.9) / 3600)
    # GAGS's own prompts and its code's for each of three seeds; LangSplat's on the image and
    # crops; the masks that Gaussian Grouping and GOI learn from; LEGaussians' two pyramids
    found = {phase.name: phase for phase in phases(paper("mipnerf360/room"))}
    assert found["features"].jobs == 10
    assert found["features"].gpu_hours == pytest.approx(311 * (9 * 11.5 + 22.9) / 3600)


def test_every_scene_and_method_of_the_paper_suite_has_an_estimate() -> None:
    known, params = load_estimates(), paper()
    for place in params.suites["paper"].scenes:
        assert known.n_views(*place.split("/")) > 0
    assert set(known.train.minutes) <= set(method_names())


def test_a_method_that_nobody_timed_is_said_to_count_as_the_slowest() -> None:
    known, config = load_estimates(), copy.deepcopy(CONFIG)
    minutes = {name: m for name, m in known.train.minutes.items() if name != "cgc"}
    untimed = known.model_copy(
        update={"train": known.train.model_copy(update={"minutes": minutes})}
    )
    assert untimed.untimed(check({**config, "suite": "paper"})) == ["cgc"]
    assert known.untimed(check({**config, "suite": "paper"})) == []
