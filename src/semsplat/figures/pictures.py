"""What figures made of pictures share: the grid, colours of regions and classes, overlays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import wrap
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL.ImageColor import getrgb

from semsplat.data.images import resize_ids
from semsplat.data.scene import Frame, load_image
from semsplat.figures import PictureSheet
from semsplat.figures.style import save_figure, styled

T = TypeVar("T")
Picture = NDArray[np.uint8]  # [H, W, 3] sRGB

REGION_OPACITY = 0.6
CLICK, CLICK_POINTS = "#FF00AA", 8
HALO = "#FFFFFF"
LINE_PX, HALO_PX = 2, 4
RELEVANCY_COLOURS, TINT = "RdBu_r", 0.65
PALE = 0.4  # what is left of a picture outside a mask
LEGEND_ENTRY_IN = 0.85
TITLE_CHARACTER_IN = 0.09
TITLE_LINE_IN = 0.16
TITLE_GAP_IN = 0.06


def evenly(items: Sequence[T], count: int) -> list[T]:
    """Return up to ``count`` items, spread evenly from the first to the last."""
    chosen = np.unique(np.linspace(0, len(items) - 1, count).round().astype(int))
    return [items[index] for index in chosen] if items else []


@contextmanager
def sheet(
    out: Path,
    sources: list[str],
    options: PictureSheet,
    views: Sequence[Frame],
    titles: Sequence[str],
    extra_in: float = 0.0,
) -> Iterator[tuple[Any, Any]]:
    """Give a figure and its axes to draw on, in our style, and write it afterwards.

    Args:
        out: the file to write.
        sources: see `save_figure`.
        options: of the sheet.
        views: one per row; all pictures have the shape of the first.
        titles: see `picture_grid`.
        extra_in: see `picture_grid`.
    """
    with styled():
        aspect = views[0].width / views[0].height
        figure, axes = picture_grid(len(views), titles, aspect, options.row_height_in, extra_in)
        yield figure, axes
        save_figure(figure, out, sources, options.dpi)


def picture_grid(
    n_rows: int, titles: Sequence[str], aspect: float, row_height_in: float, extra_in: float = 0.0
) -> tuple[Any, Any]:
    """Return a figure of bare axes [n_rows, len(titles)] with titles over the columns.

    Args:
        n_rows: rows of pictures.
        titles: one per column, in several lines where a column is narrow.
        aspect: width over height of the pictures.
        row_height_in: inches per row.
        extra_in: further inches of height, for a legend or a title of the figure.
    """
    import matplotlib.pyplot as plt

    n_columns, column_in = len(titles), row_height_in * aspect
    titles = [wrapped(title, column_in) for title in titles]
    further_lines = max(title.count("\n") for title in titles)
    height = n_rows * row_height_in + 0.3 + extra_in + further_lines * TITLE_LINE_IN
    size = (n_columns * column_in + 0.3, height)
    figure, axes = plt.subplots(n_rows, n_columns, figsize=size, squeeze=False)
    for axis in axes.flat:
        axis.set_xticks([])
        axis.set_yticks([])
        axis.spines[:].set_visible(False)
        axis.grid(visible=False)
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title)
    return figure, axes


def add_title(figure: Any, text: str) -> None:
    """Put a title over a figure; one that is too long for one line makes the figure taller."""
    lines = wrapped(text, figure.get_figwidth())
    figure.set_figheight(figure.get_figheight() + lines.count("\n") * TITLE_LINE_IN)
    figure.get_layout_engine().set(h_pad=TITLE_GAP_IN)
    figure.suptitle(lines)


def wrapped(title: str, width_in: float) -> str:
    """Return a title in as many lines as it needs in a width of so many inches."""
    columns = max(1, int(width_in / TITLE_CHARACTER_IN))
    parts = [wrap(part, columns, break_on_hyphens=False) for part in title.split("\n")]
    return "\n".join(line for lines in parts for line in lines)


def add_legend(figure: Any, entries: Sequence[tuple[str, Any]]) -> None:
    """Put a legend of (text, colour) below the pictures of a figure."""
    from matplotlib.patches import Patch

    handles = [Patch(facecolor=c, edgecolor="black", linewidth=0.4, label=t) for t, c in entries]
    if handles:
        columns = max(1, int(figure.get_figwidth() / LEGEND_ENTRY_IN))
        figure.legend(
            handles=handles, loc="outside lower center", ncols=min(columns, len(handles)),
            frameon=False, handlelength=1, handleheight=1,
        )  # fmt: skip


def region_overlay(photograph: Picture, ids: NDArray[np.int16], height_px: int) -> Picture:
    """Return regions in colours over the grey photograph, thinly outlined.

    Drawn at the size in which it is shown, so that outlines are one pixel of the page.

    Args:
        photograph: uint8 [H, W, 3].
        ids: int16 [H, W], -1 = none.
        height_px: height of the result.
    """
    from semsplat.palette import region_colours

    size = (round(height_px * ids.shape[1] / ids.shape[0]), height_px)
    grey = cv2.resize(grey_picture(photograph), size, interpolation=cv2.INTER_AREA)
    ids = resize_ids(ids, size)
    colours = region_colours(int(ids.max(initial=-1)) + 1)
    picture = grey.astype(np.float32)
    inside = ids >= 0
    painted = colours[ids[inside]] * REGION_OPACITY + picture[inside] * (1 - REGION_OPACITY)
    picture[inside] = painted
    outline = np.zeros(ids.shape, bool)
    outline[:, 1:] |= ids[:, 1:] != ids[:, :-1]
    outline[1:] |= ids[1:] != ids[:-1]
    picture[outline] = 0
    return picture.round().astype(np.uint8)


def show_photograph(axis: Any, frame: Frame) -> Picture:
    """Draw a view's photograph with its name beside it, and return it."""
    photograph = load_image(frame)
    axis.imshow(photograph)
    axis.set_ylabel(frame.name)
    return photograph


def show_regions(axis: Any, photograph: Picture, ids: NDArray[np.int16], height_px: int) -> None:
    """Draw regions over the photograph by `region_overlay`, and say how many cover how much."""
    axis.imshow(region_overlay(photograph, ids, height_px))
    inside = ids >= 0
    count = len(np.unique(ids[inside]))
    axis.set_xlabel(f"{count} regions, {inside.mean():.0%} covered")


def show_click(axis: Any, photograph: Picture, pixel: tuple[int, int]) -> None:
    """Draw a photograph with a ring around the pixel (x, y) that was clicked."""
    axis.imshow(photograph)
    axis.plot(*pixel, "o", ms=CLICK_POINTS, mfc="none", mec=CLICK, mew=2)


def enlarged(picture: Picture, height_px: int) -> Picture:
    """Return a picture at the height in which it is shown."""
    size = (round(height_px * picture.shape[1] / picture.shape[0]), height_px)
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8)


def outlined(picture: Picture, mask: NDArray[np.bool_], colour: str) -> Picture:
    """Return a picture [H, W, 3] with the outline of a mask of any size, on a white halo."""
    shown = resize_ids(mask.astype(np.uint8), picture.shape[1::-1])
    contours, _ = cv2.findContours(shown, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    drawn = picture.copy()
    for line_colour, width_px in ((HALO, HALO_PX), (colour, LINE_PX)):
        cv2.drawContours(drawn, contours, -1, getrgb(line_colour), width_px)
    return drawn


def lit(picture: Picture, mask: NDArray[np.bool_]) -> Picture:
    """Return a picture [H, W, 3] that is grey and pale outside a mask of any size."""
    inside = resize_ids(mask.astype(np.uint8), picture.shape[1::-1]).astype(bool)
    pale = 255 - PALE * (255.0 - grey_picture(picture))
    return np.where(inside[..., None], picture, pale.astype(np.uint8))


def grey_picture(photograph: Picture) -> Picture:
    """Return the photograph without colours, uint8 [H, W, 3]."""
    grey = cv2.cvtColor(photograph, cv2.COLOR_RGB2GRAY)
    return np.repeat(grey[..., None], 3, axis=2)


def tinted(grey: Picture, relevancy: NDArray[np.floating], reach: float) -> Picture:
    """Return a grey picture tinted with relevancy [h, w], white at 0.5.

    The colours reach as far to both sides.
    """
    from matplotlib import colormaps

    values = cv2.resize(relevancy.astype(np.float32), grey.shape[1::-1])
    colours = colormaps[RELEVANCY_COLOURS](0.5 + (values - 0.5) / (2 * reach))[..., :3] * 255
    picture: Picture = (TINT * colours + (1 - TINT) * grey).round().astype(np.uint8)
    return picture
