"""Parameters of the phase *features*: models, prompt templates, recipes."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from semsplat.params.base import Count, Fraction, Kind, Pixels, Positive, Precision, Sha256, Strict
from semsplat.params.hub import HubModel
from semsplat.params.teachers import Teacher


class _Network(Strict):
    """A network and its weights."""

    architecture: str
    weights: str
    """embedded, or the path of a checkpoint"""
    sha256: Sha256 | None
    """of the weights; others are refused; null: nobody has published it, that of the file found is
    recorded"""
    precision: Precision
    """what a GPU computes in; a CPU computes in float32"""

    @model_validator(mode="after")
    def _only_tiny_is_embedded(self) -> Self:
        if (self.weights == "embedded") != (self.architecture == "semsplat-tiny"):
            raise ValueError("semsplat-tiny has embedded weights, every other architecture a path")
        return self


class ClipModel(_Network):
    """A CLIP model of open_clip."""

    architecture: str
    """open_clip's name of the model, or semsplat-tiny"""


class SamModel(_Network):
    """A Segment Anything Model of the package segment_anything."""

    architecture: Literal["semsplat-tiny", "vit_b", "vit_l", "vit_h"]
    """the package's name of the model, or semsplat-tiny"""
    precision: Precision
    """what a GPU computes the image encoder in; a CPU computes in float32, and so does the mask
    decoder everywhere, because thresholds cut its scores"""


class SamFilter(Strict):
    """What is kept of SAM's answers to clicks; as in ``SamAutomaticMaskGenerator``."""

    model: str
    """name of the SAM"""
    points_per_batch: Count
    """clicks answered at once; decides memory and time only"""
    pred_iou_thresh: Fraction
    """masks whose predicted IoU is lower are dropped"""
    stability_score_thresh: Fraction
    """masks that change more when the cut-off moves are dropped"""
    stability_score_offset: Positive
    """how far the cut-off moves, in logits"""
    box_nms_thresh: Fraction
    """IoU of boxes above which the worse of two masks is dropped"""
    min_mask_region_area: int = Field(ge=0)
    """islands and holes of fewer pixels are removed from masks, which are then compared by their
    boxes again; 0 for none.  No mask is dropped for being small"""


class SamGrid(SamFilter):
    """A regular grid of clicks; as in ``SamAutomaticMaskGenerator``."""

    points_per_side: Count
    """clicks along each side"""
    crop_n_layers: int = Field(ge=0)
    """layers of image crops that are segmented too"""


class Regions(Strict):
    """From candidate masks to id maps (LangSplat's post-processing, METHODS 0.3)."""

    pool: bool
    """true: all layers of masks become one, called all"""
    min_score: Fraction
    """masks whose predicted IoU x stability is not above it are dropped"""
    max_overlap: Fraction
    """a mask is dropped if its IoU with a higher-ranked one exceeds it"""
    drop_nested: bool
    """drop the contained mask of every nested pair"""
    min_area_px: Count
    """smaller masks are dropped"""
    paint: Literal["listed", "large_first", "score_last"]
    """later masks overwrite: as the segmenter lists them; small over large; good over bad"""
    snap_px: Annotated[int, Field(ge=1, le=64)] | None
    """how far outlines move to where the image changes most; null: they stay as painted"""


class ValueMaps(Strict):
    """MaskCLIP's dense maps: one forward pass a view."""

    short_side_px: Count
    """images are resized to this short side, in whole patches"""


class WindowMaps(Strict):
    """Dense maps from overlapping square crops at several scales (OV-NeRF's preprocessing)."""

    short_side_shares: list[Annotated[float, Field(gt=0, le=1)]] = Field(min_length=1)
    """sides of the crops, in short sides of the image"""
    stride: Annotated[float, Field(gt=0, le=1)]
    """step between crops, in sides"""
    cell_px: Count
    """pixels per cell of the map"""


class PyramidMaps(Strict):
    """Dense maps from tiles of several sizes, a vector each (LERF; the input of LEGaussians)."""

    height_shares: list[Annotated[float, Field(gt=0, le=1)]] = Field(min_length=1)
    """sides of the tiles, in heights of the image; the first has the map's cells"""
    mixed: Count
    """how many of these, from the first on, a cell's vector is the sum of; LEGaussians' code leaves
    the last one out"""

    @model_validator(mode="after")
    def _mixes_what_there_is(self) -> Self:
        if self.mixed > len(self.height_shares):
            raise ValueError(f"mixes {self.mixed} of {len(self.height_shares)} sizes")
        return self


class DinoMaps(Strict):
    """Keys of DINO's last layer, resized to the cells of the dense maps (LEGaussians)."""

    model: HubModel
    """a ViTModel, such as facebook/dino-vits8"""
    short_side_px: Pixels
    """images are resized to this short side; LEGaussians' code: 224"""
    stride_px: Count
    """step between patches, which overlap where it is less than their side; LEGaussians' code: 2"""


class Recipe(Strict):
    """What is computed for every view."""

    segmenter: Kind
    """masks, by a file in src/semsplat/features/segmenters"""
    regions: Regions
    """what becomes of them"""
    clip: str
    """name of the CLIP model"""
    region_vectors: bool
    """encode a crop of every region"""
    crop_batch: Count
    """crops per forward pass"""
    value_maps: ValueMaps | None
    """dense maps in one pass; null for none"""
    window_maps: WindowMaps | None
    """dense maps from crops; null for none"""
    pyramid_maps: PyramidMaps | None
    """dense maps from tiles; null for none"""
    apart: bool
    """whether pyramid_maps are kept size by size too, or window_maps in the place of their mixture,
    for methods that choose among sizes"""
    dino_maps: DinoMaps | None
    """DINO's maps beside the dense ones; null for none"""
    templates: str
    """name of the prompt templates"""
    canonical: list[str]
    """generic phrases against which a relevancy is measured"""

    @property
    def dense(self) -> DenseMaps | None:
        """The dense maps of the recipe, if it makes any."""
        return self.value_maps or self.window_maps or self.pyramid_maps

    @model_validator(mode="after")
    def _one_kind_of_map(self) -> Self:
        kinds = (self.value_maps, self.window_maps, self.pyramid_maps)
        if sum(kind is not None for kind in kinds) > 1:
            raise ValueError("value_maps, window_maps, pyramid_maps: one at most; null the others")
        if self.apart and self.window_maps is None and self.pyramid_maps is None:
            raise ValueError("apart keeps sizes of window_maps or pyramid_maps; name one of these")
        if self.dino_maps and self.dense is None:
            raise ValueError("dino_maps takes the cells of dense maps; name these, or null it")
        return self


DenseMaps = ValueMaps | WindowMaps | PyramidMaps


class Features(Strict):
    """Masks and CLIP vectors of every view."""

    clip_models: dict[str, ClipModel]
    """CLIP models by name"""
    sam_models: dict[str, SamModel]
    """SAM models by name"""
    templates: dict[str, list[str]]
    """prompt templates with {} for the phrase; the vectors of all are averaged"""
    recipes: dict[str, Recipe]
    """what to compute, by name"""
    teachers: dict[str, Teacher]
    """what methods learn from, by name"""


class FeaturesJob(Strict):
    """Everything one extraction is told."""

    dataset: str
    scene: str
    name: str
    seed: int | None
    """of the geometry that the prompts follow; None where they follow none: for all seeds"""
    recipe: Recipe
    clip: ClipModel
    sam: SamModel | None
    templates: list[str]
