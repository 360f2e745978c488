"""SAM 2 as a tracker: it follows regions of a view through the views after it (transformers)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import Sam2VideoModel, Sam2VideoProcessor

from semsplat.data.scene import Frame, load_image
from semsplat.features import hub
from semsplat.features.precision import computing
from semsplat.features.teachers import Ids
from semsplat.params.hub import HubModel


class Follower:
    """A SAM 2 that is asked about a few views at a time and remembers nothing between questions."""

    def __init__(self, spec: HubModel, device: str) -> None:
        """Open the model; raises what `semsplat.features.hub.open_model` raises."""
        self.spec, self.device = spec, device
        self.model = hub.open_model(Sam2VideoModel, spec, device)
        self.processor = hub.open_processor(Sam2VideoProcessor, spec)

    def __call__(self, frames: tuple[Frame, ...], ids: Ids) -> Iterator[Ids]:
        """Yield the ids int32 [H, W] of every view but the first, -1 for none.

        Args:
            frames: consecutive views, of any sizes: SAM 2 sees every view as a square of its own.
            ids: int32 [H, W] of the first view, -1 for none; each is a prompt.
        """
        tracks = np.unique(ids[ids >= 0]).tolist()
        if not tracks or len(frames) == 1:
            yield from (np.full((f.height, f.width), -1, np.int32) for f in frames[1:])
            return
        session = self._session(frames)
        masks = [ids == track for track in tracks]
        self.processor.process_new_mask_for_video_frame(session, 0, [*tracks], masks)
        for index, frame in enumerate(frames):
            logits = self._logits(session, index)
            if index:
                yield largest(logits, tracks, (frame.height, frame.width))

    def _session(self, frames: tuple[Frame, ...]) -> Any:
        """Return transformers' memory of the views, without prompts."""
        session = self.processor.init_video_session(inference_device=self.device)
        for frame in frames:
            image = load_image(frame).copy()  # torch warns of arrays that are read-only
            inputs = self.processor(images=image, return_tensors="pt")
            session.add_new_frame(inputs["pixel_values"])
        return session

    # No context stays open over a yield: autocast would reach into the caller's computations.
    @torch.inference_mode()
    def _logits(self, session: Any, index: int) -> Tensor:
        """Return float32 [O, h, w], the logits of all prompts in a view."""
        with computing(self.device, self.spec.precision):
            logits: Tensor = self.model(session, frame_idx=index).pred_masks
        # Kept by the session, though all that reads them has done so: 4 MB per object and view.
        for outputs in session.output_dict_per_obj.values():
            for views in outputs.values():
                views.get(index, {}).pop("high_res_masks", None)
        return logits[:, 0].float()


def largest(logits: Tensor, tracks: list[int], size: tuple[int, int]) -> Ids:
    """Return int32 [H, W]: the track whose logit is largest, -1 where none is above 0.

    Args:
        logits: float32 [O, h, w] of any size; they are upscaled one by one, as a large view's do
            not fit into memory together.
        tracks: the id of each.
        size: H, W.
    """
    best = logits.new_zeros(size)
    ids = torch.full(size, -1, dtype=torch.int32, device=logits.device)
    for track, small in zip(tracks, logits, strict=True):
        own = functional.interpolate(small[None, None], size, mode="bilinear")[0, 0]
        ids[own > best] = track
        best = torch.maximum(best, own)
    return ids.cpu().numpy()
