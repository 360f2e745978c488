"""CLIP checkpoints as the papers use them: full size, random weights, no network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from open_clip.model import convert_weights_to_fp16
from safetensors.torch import save_file
from torch import Tensor

from semsplat.features import clip
from semsplat.features.checkpoints import architectures
from semsplat.features.weights import find_weights
from semsplat.io import sha256_file
from semsplat.params.features import ClipModel, ValueMaps, WindowMaps
from tests.unit.data.scene_helpers import one_line_error
from tests.unit.features.conftest import first_megabyte, two_blocks

OPENAI, LAION, SMALL = "ViT-B-16-quickgelu", "ViT-B-16", "ViT-S-32-alt"
SIZES = ("input_resolution", "context_length", "vocab_size")

pytestmark = [
    pytest.mark.usefixtures("no_network"),
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::torch.jit.TracerWarning"),
    pytest.mark.filterwarnings("ignore:'torch.load' received a zip"),
]


def clip_spec(architecture: str, path: Path, sha256: str | None = None) -> ClipModel:
    return ClipModel(
        architecture=architecture, weights=str(path), sha256=sha256, precision="float16"
    )


def open_clip_file(architecture: str, path: Path, known: bool = False) -> clip.Clip:
    sha256 = sha256_file(path) if known else None
    return clip.open_model(find_weights(clip_spec(architecture, path, sha256)), "cpu")


@pytest.fixture(scope="module")
def rounded() -> Any:
    """Return a ViT-B/16 whose random weights are rounded as OpenAI's are, in single precision."""
    torch.manual_seed(0)
    model = open_clip.create_model(OPENAI).eval().requires_grad_(False)
    for block in model.visual.transformer.resblocks:  # else the activation hardly matters
        block.mlp.c_proj.weight *= 10
    convert_weights_to_fp16(model)
    return model.float()


@pytest.fixture(scope="module")
def state(rounded: Any) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint; open_clip's attention mask is not among them."""
    return {name: tensor.contiguous() for name, tensor in rounded.state_dict().items()}


@pytest.fixture(scope="module")
def archive(rounded: Any, state: dict[str, Tensor], folder: Path) -> Path:
    """Write the model as OpenAI does: traced, in half precision, with three sizes as buffers."""
    model = open_clip.create_model(OPENAI).eval().requires_grad_(False)
    model.load_state_dict(state)
    mask = model.attn_mask
    for name in ("attn_mask", *SIZES):  # OpenAI's mask is no buffer, its sizes are
        if hasattr(model, name):
            delattr(model, name)
    model.attn_mask = mask
    for name in SIZES:
        model.register_buffer(name, torch.tensor(77))
    inputs = torch.zeros(1, 3, 224, 224), torch.zeros(1, 77, dtype=torch.long)
    traced = torch.jit.trace(model, inputs, check_trace=False)
    convert_weights_to_fp16(model)  # the traced module holds the same parameters
    torch.jit.save(traced, folder / "ViT-B-16.pt")
    return folder / "ViT-B-16.pt"


@pytest.fixture(scope="module")
def laion_file(state: dict[str, Tensor], folder: Path) -> Path:
    save_file(state, folder / "open_clip_model.safetensors")
    return folder / "open_clip_model.safetensors"


@pytest.fixture(scope="module")
def openai(archive: Path) -> clip.Clip:
    return open_clip_file(OPENAI, archive, known=True)


@pytest.fixture(scope="module")
def laion(laion_file: Path) -> clip.Clip:
    return open_clip_file(LAION, laion_file)


def test_the_archive_is_as_openai_publishes_them(archive: Path, state: dict[str, Tensor]) -> None:
    written = torch.jit.load(archive).state_dict()
    assert set(written) - set(state) == set(SIZES) and not set(state) - set(written)
    assert written["visual.conv1.weight"].dtype == torch.float16
    assert written["ln_final.weight"].dtype == torch.float32
    with pytest.raises(RuntimeError, match="TorchScript"):
        torch.load(archive, weights_only=True)


@pytest.mark.parametrize("name", ["openai", "laion"])
def test_weights_are_those_written_in_single_precision(
    name: str, state: dict[str, Tensor], request: pytest.FixtureRequest
) -> None:
    model = request.getfixturevalue(name).model
    found = model.state_dict()
    assert found.keys() == state.keys() and not model.training
    for key, tensor in state.items():
        assert found[key].dtype == torch.float32 and torch.equal(found[key], tensor), key
    assert {tensor.device.type for tensor in found.values()} == {"cpu"}


def test_a_plain_state_dict_is_read_too(state: dict[str, Tensor], folder: Path) -> None:
    path = folder / "open_clip_pytorch_model.bin"
    torch.save({name: tensor.half() for name, tensor in state.items()}, path)
    found = open_clip_file(LAION, path).model.state_dict()
    path.unlink()
    assert all(torch.equal(found[name], tensor.half().float()) for name, tensor in state.items())


def test_crops_are_encoded_with_quickgelu_only_where_openai_says(
    rounded: Any, openai: clip.Clip, laion: clip.Clip
) -> None:
    crops = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    with torch.no_grad():
        expected = torch.nn.functional.normalize(rounded.encode_image(openai._normalised(crops)))
    found = openai.encode_crops(crops, 2)
    assert found.dtype == np.float16 and found.shape == (2, 512) and openai.crop_px == 224
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-4)
    other = laion.encode_crops(crops, 2)
    for vectors in (found, other):
        np.testing.assert_allclose(np.linalg.norm(vectors.astype(float), axis=1), 1, atol=2e-3)
    assert np.abs(found.astype(float) - other).max() > 1e-3  # the same weights, another activation


def test_images_are_normalised_with_clips_own_mean(openai: clip.Clip, laion: clip.Clip) -> None:
    for model in (openai, laion):
        assert model.model.visual.image_mean == pytest.approx((0.48145466, 0.4578275, 0.40821073))
        assert model.model.visual.image_std == pytest.approx((0.26862954, 0.26130258, 0.27577711))


@pytest.mark.parametrize("name", ["openai", "laion"])
def test_dense_maps_and_texts(name: str, request: pytest.FixtureRequest) -> None:
    model = request.getfixturevalue(name)
    image = two_blocks(120, 160)
    windows = WindowMaps(short_side_shares=[1.0], stride=1.0, cell_px=40)
    for config, shape in ((ValueMaps(short_side_px=96), (6, 8)), (windows, (3, 4))):
        dense = model.encode_dense(image, config, 1)
        assert dense.dtype == np.float16 and dense.shape == (512, *shape)
        np.testing.assert_allclose(np.linalg.norm(dense.astype(float), axis=0), 1, atol=3e-3)
    text = model.encode_texts(["red apple", "jake"], ["a photo of a {}", "{}"])
    assert text.dtype == np.float32 and text.shape == (2, 512)
    np.testing.assert_allclose(np.linalg.norm(text, axis=1), 1, atol=1e-5)


def test_an_archive_without_a_known_hash_is_refused(archive: Path) -> None:
    with one_line_error(str(archive), "may hold code", "sha256"):
        open_clip_file(OPENAI, archive)


def test_an_archive_without_quickgelu_is_refused(archive: Path) -> None:
    with one_line_error(str(archive), "QuickGELU", "ViT-B-16-quickgelu"):
        open_clip_file(LAION, archive, known=True)


def test_an_archive_of_another_architecture_is_refused(archive: Path) -> None:
    with one_line_error(str(archive), "not weights of ViT-B-32-quickgelu", "other shapes"):
        open_clip_file("ViT-B-32-quickgelu", archive, known=True)


def test_an_archive_of_something_else_is_refused(folder: Path) -> None:
    path = folder / "linear.pt"
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), path)
    with one_line_error("linear.pt", f"not weights of {OPENAI}"):
        open_clip_file(OPENAI, path, known=True)


def test_weights_of_another_vision_tower_are_refused(folder: Path) -> None:
    with torch.device("meta"):
        shapes = open_clip.CLIP(**open_clip.get_model_config("ViT-B-32")).state_dict()
    path = folder / "ViT-B-32.bin"  # small: every tensor is one number, seen many times
    torch.save({name: torch.zeros(()).expand(t.shape) for name, t in shapes.items()}, path)
    with one_line_error("ViT-B-32.bin", "not weights of ViT-B-16", "size mismatch"):
        open_clip_file(LAION, path)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("ViT-B-61", "did you mean 'ViT-B-16'?"),
        ("ViT-B-16-quickgelu ", "did you mean 'ViT-B-16-quickgelu'?"),
        ("hf-hub:laion/CLIP-ViT-B-16-laion2B-s34B-b88K", "work offline"),
        ("roberta-ViT-B-32", "work offline"),  # its text tower is fetched
        ("ViT-B-16-SigLIP", "work offline"),
        ("RN50", "vision transformers"),
    ],
)
def test_other_architectures_are_refused(name: str, hint: str, folder: Path) -> None:
    path = folder / "any.pt"
    path.write_bytes(b"anything")
    with one_line_error(name, hint):
        open_clip_file(name, path)


def test_architectures_are_clips_own() -> None:
    known = architectures()
    assert {OPENAI, LAION, "ViT-L-14-quickgelu", "ViT-H-14"} <= set(known) and len(known) > 20


def test_another_file_than_expected_and_none_at_all(archive: Path, folder: Path) -> None:
    with one_line_error(str(archive), "000000000000...", "fetch the right file"):
        find_weights(clip_spec(OPENAI, archive, "0" * 64))
    with one_line_error("absent.pt", "no such file", f"put the weights of {OPENAI} there"):
        find_weights(clip_spec(OPENAI, folder / "absent.pt"))


# broken files


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@pytest.mark.parametrize("kind", ["empty", "garbage", "truncated", "list", "nothing", "wider"])
def test_broken_files_are_one_line(
    kind: str, suffix: str, folder: Path, archive: Path, laion_file: Path
) -> None:
    path = folder / f"broken{suffix}"
    if kind in ("list", "nothing"):
        torch.save([1] if kind == "list" else {}, path)
    elif kind == "wider":
        tensors = {"positional_embedding": torch.zeros(77, 8)}
        torch.save(tensors, path) if suffix == ".pt" else save_file(tensors, path)
    else:
        whole = first_megabyte(archive if suffix == ".pt" else laion_file)
        path.write_bytes({"empty": b"", "garbage": b"garbage", "truncated": whole}[kind])
    with one_line_error(str(path), f"not weights of {SMALL}", "fetch the file anew"):
        open_clip_file(SMALL, path)
