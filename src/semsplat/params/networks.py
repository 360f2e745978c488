"""Parameters of the embedded networks: their training pictures, shapes and training."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from semsplat.params.base import Count, Fraction, Pixels, Positive, Strict


class Pictures(Strict):
    """How procedural pictures are drawn for the networks."""

    views_per_world: Count
    """pictures of each world"""
    width_px: Pixels
    """picture width"""
    height_px: Pixels
    """picture height"""
    hfov_min_deg: Annotated[float, Field(gt=0, lt=180)]
    """smallest horizontal field of view"""
    hfov_max_deg: Annotated[float, Field(gt=0, lt=180)]
    """largest horizontal field of view"""


class SeedRange(Strict):
    """Consecutive world seeds, far above those of any suite's scenes."""

    first: int = Field(ge=1_000_000)
    """the first seed"""
    count: Count
    """how many"""


class PictureSets(Strict):
    """Which worlds serve which purpose; no two sets, and no suite, share a seed."""

    shape: Pictures
    """how all of them are drawn"""
    train: SeedRange
    """for learning"""
    check: SeedRange
    """for the curves during training; nothing is chosen by them"""


class SamShape(Strict):
    """The tiny SAM's shape; its classes are those of the package segment_anything."""

    image_px: Pixels
    """side of the square input"""
    patch_px: Pixels
    """side of a patch"""
    width: Count
    """channels of the image encoder"""
    depth: Count
    """blocks of the image encoder"""
    heads: Count
    """attention heads of the image encoder"""
    mlp_ratio: Positive
    """hidden over outer channels in a block"""
    window: Count
    """side of attention windows, in patches"""
    global_blocks: list[int]
    """blocks that attend to the whole image"""
    prompt_dim: Count
    """channels of image embedding and prompts"""
    decoder_mlp: Count
    """hidden channels of the mask decoder's blocks"""


class Shares(Strict):
    """Shares of a whole."""

    @model_validator(mode="after")
    def _add_up(self) -> Self:
        total = sum(self.model_dump().values())
        if abs(total - 1.0) > 1e-9:
            raise ValueError(f"shares add up to {total:g}, not 1")
        return self


class LevelShare(Shares):
    """Shares of levels; they add up to 1."""

    subpart: Fraction
    """a primitive"""
    part: Fraction
    """all primitives of a part"""
    whole: Fraction
    """an instance"""


class PromptShare(Shares):
    """Shares of prompt kinds; they add up to 1."""

    click: Fraction
    """one click: the three outputs mean sub-part, part and whole"""
    box: Fraction
    """a loose bounding box"""
    points: Fraction
    """several clicks inside and one outside"""
    mask: Fraction
    """an earlier answer and one click that corrects it"""


class SamTraining(Strict):
    """How the tiny SAM is trained, in four phases.

    First the encoder alone, on dense codes; then everything, all four outputs learning from prompts
    that leave no choice; then only the single output does, as in SAM, so that the other three can
    part into sub-part, part and whole.  Up to there masks are compared on the decoder's own grid,
    at last on the picture's pixels, so that their outlines become true.
    """

    seed: int = Field(ge=0)
    """of initialisation, batches and prompts"""
    steps_dense: Count
    """steps of the first phase"""
    steps_joint: Count
    """steps of the second phase"""
    steps_separate: Count
    """steps of the third phase"""
    steps_fine: Count
    """steps of the fourth phase"""
    batch_dense: Count
    """pictures a step in the first phase"""
    batch_joint: Count
    """pictures a step after the first phase"""
    prompts: Count
    """prompts a picture after the first phase"""
    lr: Positive
    """peak of AdamW's learning rate in the first three phases"""
    lr_fine: Positive
    """peak of AdamW's learning rate in the fourth phase"""
    weight_decay: Positive
    """of AdamW"""
    warmup: Count
    """steps of rising learning rate, at the start and at that of the fourth phase"""
    flat_until: Fraction
    """share of the first three phases after which the learning rate falls as a cosine"""
    prompt_share: PromptShare
    """how often a step's prompts are of each kind in the second phase"""
    level_share: LevelShare
    """how often a prompt means each level in the second phase"""
    prompt_share_separate: PromptShare
    """as prompt_share, in the third and fourth phase"""
    level_share_separate: LevelShare
    """as level_share, in the third and fourth phase"""


class ClipShape(Strict):
    """The tiny CLIP's shape, an open_clip model config."""

    image_px: Pixels
    """side of the square input"""
    patch_px: Pixels
    """side of a patch"""
    width: Count
    """channels of the image tower"""
    layers: Count
    """blocks of the image tower"""
    head_width: Count
    """channels of an attention head"""
    mlp_ratio: Positive
    """hidden over outer channels in the image tower"""
    embedding: Count
    """dimensions that image and text share"""
    context: Count
    """longest text in tokens"""
    text_width: Count
    """channels of the text tower"""
    text_layers: Count
    """blocks of the text tower"""
    text_heads: Count
    """attention heads of the text tower"""
    text_mlp_ratio: Positive
    """hidden over outer channels in the text tower"""


class ClipTraining(Strict):
    """How the tiny CLIP is trained: crops and dense maps against captions.

    In a short second phase crops keep their light and tint: colours are called what they look like.
    """

    seed: int = Field(ge=0)
    """of initialisation, crops and captions"""
    steps: Count
    """optimisation steps of the first phase"""
    steps_calm: Count
    """optimisation steps of the second phase"""
    batch: Count
    """crops a step"""
    dense_batch: Count
    """whole pictures a step, whose instances are regions of a dense map"""
    dense_scales: list[Positive] = Field(min_length=1)
    """by which whole pictures are resized, one a step"""
    dense_weight: Positive
    """of the dense loss against that of crops"""
    lr: Positive
    """peak of AdamW's learning rate in the first phase"""
    lr_calm: Positive
    """peak of AdamW's learning rate in the second phase"""
    weight_decay: Positive
    """of AdamW"""
    warmup: Count
    """steps of rising learning rate"""


class Networks(Strict):
    """The two networks that the repository ships."""

    pictures: PictureSets
    """what they learn from"""
    clip: ClipShape
    """shape of the tiny CLIP"""
    clip_training: ClipTraining
    """training of the tiny CLIP"""
    sam: SamShape
    """shape of the tiny SAM"""
    sam_training: SamTraining
    """training of the tiny SAM"""


class SamJob(Strict):
    """Everything the training of the tiny SAM is told."""

    shape: SamShape
    training: SamTraining
    log_every: int


class ClipJob(Strict):
    """Everything the training of the tiny CLIP is told."""

    shape: ClipShape
    training: ClipTraining
    log_every: int
