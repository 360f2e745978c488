"""Protocol ``lerf_mask/classes@1``: masks of prompts, every prompt alike.

Definition: ``class_miou`` and ``class_mbiou`` are the two measures of ``lerf_mask/pairs@1``, mean
over the views that show a prompt, then over prompts.  A pair without a prediction counts as 0.
Source: Gaussian Grouping's ``script/eval_lerf_mask.py``.
Disputes: the script skips a prediction that has no file without a word, and a prompt that has none
at all drops out of its mean: what is not found does not count, which inflates the scores of methods
that miss.  A prompt that one view shows weighs as much as one that all show.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

NAME = "lerf_mask/classes@1"
METRICS = ("class_miou", "class_mbiou")


def score(prompts: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return the metrics of {prompt: means over its views as ``lerf_mask/pairs@1`` names them}.

    Empty where there is no prompt.
    """
    if not prompts:
        return {}
    named = zip(METRICS, ("mask_miou", "mask_mbiou"), strict=True)
    return {metric: fmean(row[name] for row in prompts.values()) for metric, name in named}
