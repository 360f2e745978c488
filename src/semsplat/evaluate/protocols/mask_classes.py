"""Protocol ``lerf_mask/classes@1``: masks of prompts, every prompt alike.

Definition: ``class_miou`` and ``class_mbiou`` are the two measures of ``lerf_mask/pairs@1``, mean
over the views that show a prompt, then over prompts.  A pair without a prediction counts as 0.
Source: Gaussian Grouping's ``script/eval_lerf_mask.py``.
Disputes: the script skips a prediction that has no file without a word, and a prompt that has none
at all drops out of its mean: what is not found does not count, which inflates the scores of methods
that miss.  A prompt that one view shows weighs as much as one that all show.
"""

from __future__ import annotations

from collections.abc import Sequence

from semsplat.evaluate.cases import Case, Numbers, grouped, means
from semsplat.evaluate.protocols import mask_pairs

NAME = "lerf_mask/classes@1"
METRICS = {"class_miou": 1.0, "class_mbiou": 1.0}
CASES = "masks"

score = mask_pairs.score


def aggregate(cases: Sequence[Case]) -> Numbers:
    """Return the means over prompts of the means over each prompt's pairs; empty without pairs."""
    groups = grouped(cases, "prompt").values()
    prompts = [means([case.found[NAME] for case in members]) for members in groups]
    named = dict(zip(METRICS, mask_pairs.METRICS, strict=True))
    return means([{metric: row[name] for metric, name in named.items()} for row in prompts])
