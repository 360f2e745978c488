"""The box that Grounding DINO finds for a prompt, and SAM's mask of it (CGC, section 4.2.2).

The reference is the first held-out view that shows what the prompt asks for; of the truth only the
names of what views show is read.  Both networks see its photograph, as the features of the grounder
clip_regions do; Gaussian Grouping asks the view that it rendered.  Of several boxes the best is
clicked; the mask is that of all boxes, as Gaussian Grouping's.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from segment_anything import SamPredictor
from transformers import GroundingDinoForObjectDetection, GroundingDinoProcessor

from semsplat.data.scene import load_image
from semsplat.errors import SemsplatError
from semsplat.evaluate.boundary import Mask
from semsplat.evaluate.grounding import Place, World, interior
from semsplat.features import hub, sam
from semsplat.features.precision import computing
from semsplat.features.weights import find_weights
from semsplat.params.evaluate import GroundingDino
from semsplat.params.features import SamModel

Image = NDArray[np.uint8]  # [H, W, 3]
GIVES_MASKS = True


class Box(NamedTuple):
    """Where a picture shows a prompt."""

    corners: NDArray[np.float32]  # x1, y1, x2, y2 in pixels
    score: float
    words: str  # of the prompt


class Detector:
    """Grounding DINO."""

    def __init__(self, options: GroundingDino, device: str) -> None:
        """Open the model; raises what `semsplat.features.hub.open_model` raises."""
        self.options, self.device = options, device
        self.model = hub.open_model(GroundingDinoForObjectDetection, options.model, device)
        self.processor = hub.open_processor(GroundingDinoProcessor, options.model)

    def boxes(self, image: Image, prompt: str) -> list[Box]:
        """Return the boxes that pass the threshold; they may reach beyond the picture."""
        options = self.options
        size = {"shortest_edge": options.short_side_px, "longest_edge": options.long_side_px}
        inputs = self.processor(
            images=image, text=asked_as(prompt), size=size, return_tensors="pt"
        ).to(self.device)
        with torch.inference_mode(), computing(self.device, options.model.precision):
            outputs = self.model(**inputs)
        (detected,) = self.processor.post_process_grounded_object_detection(
            outputs,
            inputs["input_ids"],
            threshold=options.box_threshold,
            text_threshold=options.text_threshold,
            target_sizes=[image.shape[:2]],
        )
        corners, scores = (detected[key].float().cpu().numpy() for key in ("boxes", "scores"))
        rows = zip(corners, scores.tolist(), detected["text_labels"], strict=True)
        return [Box(*row) for row in rows]


class Cutter:
    """SAM, which looks at one picture at a time."""

    def __init__(self, spec: SamModel, device: str) -> None:
        """Open the model; raises what `find_weights` and `sam.open_model` raise."""
        self.predictor = SamPredictor(sam.open_model(find_weights(spec), device))

    def look(self, image: Image) -> None:
        """Take the picture that is cut from then on."""
        self.predictor.set_image(image)

    def mask(self, box: Box) -> Mask:
        """Return SAM's one mask [H, W] of what is in a box; it may be empty."""
        masks, _, _ = self.predictor.predict(box=box.corners, multimask_output=False)
        return masks[0]


def ground(world: World) -> dict[str, Place]:
    """Return SAM's masks of every prompt's boxes, and the most interior pixel of the best one's.

    Raises a one-line `SemsplatError` where a model is not named, missing or another one.
    """
    options, spec = world.run.grounding_dino, world.run.sam
    if options is None or spec is None:
        raise SemsplatError("grounding_dino: no model; name one under evaluate.grounding_dino")
    detector, cutter = Detector(options, world.device), Cutter(spec, world.device)
    places = {}
    for view, group in groupby(world.references.items(), lambda item: item[1].name):
        asked = dict(group)
        image = load_image(next(iter(asked.values()))).copy()  # torch warns of read-only arrays
        cutter.look(image)
        for prompt in asked:
            boxes = inside(detector.boxes(image, prompt), image.shape[:2])
            places[prompt] = _place(view, prompt, boxes, cutter)
    return places


def asked_as(prompt: str) -> str:
    """Return a prompt as Grounding DINO was taught: in lower case, with a dot at its end."""
    return f"{prompt.lower().strip().rstrip('.')}."


def inside(boxes: Iterable[Box], size: tuple[int, ...]) -> list[Box]:
    """Return what of each box lies in a picture of H, W pixels, without boxes that do not."""
    height, width = size
    limits = np.array([width, height, width, height], np.float32)
    clipped = [box._replace(corners=np.clip(box.corners, 0, limits)) for box in boxes]
    return [box for box in clipped if (box.corners[:2] < box.corners[2:]).all()]


def _place(view: str, prompt: str, boxes: list[Box], cutter: Cutter) -> Place:
    """Return the place of one prompt; of equally good boxes the first."""
    if not boxes:
        return Place(missing=f"no box in view '{view}'")
    best = max(range(len(boxes)), key=lambda row: boxes[row].score)
    told = f"'{prompt}' in view '{view}': best of {len(boxes)} boxes {boxes[best].score:.2f}"
    print(f"grounding_dino: {told}, words '{boxes[best].words}'", file=sys.stderr)
    masks = [cutter.mask(box) for box in boxes]
    whole = np.logical_or.reduce(masks)
    mask = whole if whole.any() else None
    if not masks[best].any():
        return Place(view, missing=f"SAM finds nothing in the box in view '{view}'", mask=mask)
    return Place(view, interior(masks[best]), mask=mask)
