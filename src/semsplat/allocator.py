"""The C library's allocator, told that what is freed will be wanted again."""

from __future__ import annotations

import ctypes

TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3  # names of parameters in glibc's malloc.h
KEPT = {MMAP_THRESHOLD: 2**25, TRIM_THRESHOLD: 2**28, TOP_PAD: 2**25}
"""Bytes: arrays up to 32 MiB (glibc's limit) come from the heap, which keeps up to 256 MiB."""


def keep_freed_memory() -> None:
    """Let arrays of the next step take the pages of the last one's; elsewhere than glibc nothing.

    By default each array of more than 128 KiB is asked of the kernel, which clears it page by page.
    """
    tune = getattr(ctypes.CDLL(None), "mallopt", None)
    if tune:
        for parameter, value in KEPT.items():
            tune(parameter, value)
