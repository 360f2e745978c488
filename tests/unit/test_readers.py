"""Every reader of every format: damaged files are one line with the file's name, or read alike."""

from __future__ import annotations
