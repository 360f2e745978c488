"""How much more a vector looks like a prompt than like anything in particular."""

from __future__ import annotations

import torch
from torch import Tensor

from semsplat.train.mixture import Mixture
from semsplat.train.scaled import Scaled

TEMPERATURE = 10.0  # LERF, LangSplat and GAGS in code; GAGS's Eq. 8 has none (METHODS 2.1)


def relevancy(
    vectors: Tensor | Mixture | Scaled,
    query: Tensor,
    canonical: Tensor,
    temperature: float = TEMPERATURE,
) -> Tensor:
    """Return LERF's relevancy in [0, 1]: min_i exp(t f.q) / (exp(t f.q) + exp(t f.c_i)).

    Above 0.5 a vector is more similar to the prompt than to every canonical phrase.  Source: LERF
    (Kerr et al. 2023), section 3.4; GAGS, Eq. 8.

    Args:
        vectors: float [..., D], of length 1, a mixture of rows that stands for them, or scales of
            which each prompt takes its own, [1, H, W, D].
        query: float [P, D], one row per prompt, of length 1; or [D].
        canonical: float [C, D], one row per canonical phrase, of length 1.
        temperature: t.

    Returns:
        float [P, ...]; [...] for a query [D].
    """
    if isinstance(vectors, Scaled):
        asked = torch.atleast_2d(query)
        chosen = vectors.chosen(lambda part: relevancy(part, asked, canonical, temperature))
        return chosen if query.ndim == 2 else chosen[0]
    # The smallest of the pairwise softmaxes is that with the phrase that fits best.
    if isinstance(vectors, Mixture):
        best = vectors.similarity(canonical).amax(dim=-1)  # [...]
        similarity = vectors.similarity(torch.atleast_2d(query)).movedim(-1, 0)
    else:
        best = (vectors @ canonical.T).amax(dim=-1)
        similarity = torch.einsum("...d,pd->p...", vectors, torch.atleast_2d(query))
    scores = preferred(similarity, best, temperature)
    return scores if query.ndim == 2 else scores[0]


def preferred(similarity: Tensor, best: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    """Return the relevancy of cosines with prompts [P, ...], beside those of the best phrase [...].

    exp(t a) / (exp(t a) + exp(t b)), see `relevancy`.
    """
    return torch.sigmoid(temperature * (similarity - best))
