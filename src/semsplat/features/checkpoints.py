"""CLIP checkpoints: state dicts, safetensors and OpenAI's archives, read through open_clip.

Nothing is ever fetched: architectures that need a hub are unknown here.
"""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path
from typing import Any

import open_clip
import torch
from torch import Tensor, nn

from semsplat.errors import SemsplatError, did_you_mean
from semsplat.features.weights import Weights, one_line_misfit
from semsplat.params.features import ClipModel

PLAIN = {"embed_dim", "quick_gelu", "vision_cfg", "text_cfg"}
"""What open_clip's config of a CLIP as OpenAI defined it says."""


def load_checkpoint(weights: Weights[ClipModel]) -> nn.Module:
    """Return an open_clip model with the weights of a checkpoint, float32 on the CPU.

    Raises:
        SemsplatError: unknown architecture; the file cannot be read, holds another model, or might
            hold code.
    """
    name = weights.spec.architecture
    known = architectures()
    if name not in known:
        raise SemsplatError(
            f"params.yaml: features: architecture {name} is none of open_clip's vision transformers"
            f" that work offline{did_you_mean(name, known)}"
        )
    with one_line_misfit(weights):
        if is_torchscript(weights.path):
            return _openai_model(weights)
        # An absolute path is no tag, for which open_clip would go to the network.
        return open_clip.create_model(name, pretrained=str(weights.path.absolute()))


def architectures() -> list[str]:
    """Return open_clip's names of CLIPs whose two towers and tokenizer are part of it."""
    return [name for name in open_clip.list_models() if _is_plain(open_clip.get_model_config(name))]


def _is_plain(config: dict[str, Any]) -> bool:
    """Tell CLIPs of plain transformers from ResNets and from towers of other packages."""
    towers = (*config["vision_cfg"], *config["text_cfg"])
    foreign = any(option.startswith(("timm_", "hf_")) for option in towers)
    return (
        config.keys() <= PLAIN and not foreign and isinstance(config["vision_cfg"]["layers"], int)
    )


def is_torchscript(path: Path) -> bool:
    """Tell an archive of TorchScript, which may hold code, from a checkpoint of tensors."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(Path(name).name == "constants.pkl" for name in archive.namelist())


def _openai_model(weights: Weights[ClipModel]) -> nn.Module:
    """Return the model of an archive as OpenAI publishes them: TorchScript, in half precision."""
    path, name = weights.path, weights.spec.architecture
    if weights.expected is None:
        raise SemsplatError(
            f"{path}: a TorchScript archive may hold code; give the sha256 of the file you trust in"
            " params.yaml under features"
        )
    config = open_clip.get_model_config(name)
    if not config.get("quick_gelu"):
        raise SemsplatError(
            f"{path}: OpenAI's archives need QuickGELU; name the architecture {name}-quickgelu in"
            " params.yaml under features"
        )
    with warnings.catch_warnings():
        # torch.jit.load is deprecated, and nothing else reads such archives.
        warnings.simplefilter("ignore", FutureWarning)
        model: nn.Module = open_clip.load_openai_model(str(path.absolute()), "fp32", "cpu")
    # open_clip builds what it finds, whatever the architecture is called.
    with torch.device("meta"):
        named = open_clip.CLIP(**config)
    if _shapes(model) != _shapes(named):
        raise ValueError("its tensors have other shapes")
    return model


def _shapes(model: nn.Module) -> dict[str, torch.Size]:
    tensors: dict[str, Tensor] = model.state_dict()
    return {name: tensor.shape for name, tensor in tensors.items()}
