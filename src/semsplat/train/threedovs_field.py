"""3D-OVS's fields of features and of chosen scales (Liu et al., NeurIPS 2023), and its losses."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from semsplat.params.methods import Radiance
from semsplat.radiance.field import SPREAD, RadianceField
from semsplat.radiance.march import Samples
from semsplat.radiance.planes import Planes
from semsplat.radiance.volume import composed

TINY = 1e-12


class ThreeDovsField(nn.Module):
    """A radiance field, CLIP's vectors of its points, and which size of crops they come from.

    ``classes`` [C, D]: text vectors of the class list.
    """

    classes: Tensor
    samples: int
    """Of a ray when it is drawn."""

    def __init__(
        self, radiance: Radiance, components: int, cells: int, dim: int, scales: int, classes: int
    ) -> None:
        """Make an untrained field.

        Args:
            radiance: of density and colours.
            components: of the features' planes, and of those that choose.
            cells: of these planes, each way.
            dim: length of CLIP's vectors.
            scales: how many sizes of crops there are.
            classes: how many classes there are.
        """
        super().__init__()
        self.radiance = RadianceField(radiance)
        self.feature_grid, self.choice_grid = (Planes(components, cells, SPREAD) for _ in range(2))
        self.features = nn.Linear(self.feature_grid.width, dim, bias=False)
        self.choices = nn.Linear(self.choice_grid.width, scales, bias=False)
        self.register_buffer("classes", torch.zeros(classes, dim))

    def rendered(self, samples: Samples) -> Tensor:
        """Return CLIP's vectors [R, D] of rays, of no length; none learns where samples lie."""
        found = self.features(self.feature_grid(samples.inside.reshape(-1, 3)))
        shape = samples.weights.shape
        return composed(samples.weights.detach(), found.unflatten(0, shape))

    def chosen(self, samples: Samples) -> Tensor:
        """Return the share [R, S] that each size of crops has at rays, in (0, 1), of sum 1.

        A softmax at every point (3D-OVS, section 3.2), blended; what of a ray is not stopped has no
        say.
        """
        found = self.choices(self.choice_grid(samples.inside.reshape(-1, 3))).softmax(-1)
        weights = samples.weights.detach()
        blended = composed(weights, found.unflatten(0, weights.shape))
        return blended / weights.sum(-1, keepdim=True).clamp(min=TINY)

    def class_scores(self, rendered: Tensor) -> Tensor:
        """Return the cosines [R, C] of vectors with the class list."""
        return F.normalize(rendered, dim=-1) @ self.classes.T


def cosine_loss(rendered: Tensor, chosen: Tensor, crops: Tensor) -> Tensor:
    """Return the mean of -cos between vectors and the chosen mixture of crops' vectors.

    Args:
        rendered: [R, D].
        chosen: [R, S], shares of the sizes of crops.
        crops: [R, S, D], the vectors of crops around each ray's pixel, of length 1.
    """
    wanted = torch.einsum("rs,rsd->rd", chosen, crops)
    return -F.cosine_similarity(rendered, wanted, dim=-1).mean()


def relevancy_loss(
    rendered: Tensor, chosen: Tensor, crops: Tensor, classes: Tensor, temperature: float
) -> Tensor:
    """Return the mean Jensen-Shannon divergence of two distributions over classes, in nats.

    softmax(cos(f, t) / temperature) of what is rendered, and of the chosen mixture of the crops'
    own cosines: the relevancy-distribution alignment (3D-OVS, section 3.3).

    Args:
        rendered: [R, D].
        chosen: [R, S].
        crops: [R, S, D], of length 1.
        classes: [C, D], of length 1.
        temperature: of both softmaxes.
    """
    said = F.normalize(rendered, dim=-1) @ classes.T
    told = torch.einsum("rs,rsc->rc", chosen, crops @ classes.T)
    return divergence((said / temperature).softmax(-1), (told / temperature).softmax(-1))


def divergence(p: Tensor, q: Tensor) -> Tensor:
    """Return the mean Jensen-Shannon divergence of distributions [R, C], in nats."""
    middle = ((p + q) / 2).clamp(min=TINY).log()
    parts = [(x * (x.clamp(min=TINY).log() - middle)).sum(-1) for x in (p, q)]
    return ((parts[0] + parts[1]) / 2).mean()


def correlation_terms(
    scores: Tensor, keys: Tensor, shift: float, temperature: float
) -> tuple[Tensor, Tensor]:
    """Return the positive and the negative part of the alignment with DINO's correlations.

    For pairs of rays, -(cos(d_i, d_j) - shift) cos(p_i, p_j), with p the class distribution: pairs
    above the shift shall agree, those below it differ (feature-distribution alignment, 3D-OVS,
    section 3.3).  How the parts are averaged is a reconstruction: over all pairs of other rays.

    Args:
        scores: [R, C], cosines with the class list.
        keys: [R, K], DINO's.
        shift: cosine of DINO's keys from which on a pair belongs together.
        temperature: of the softmax over classes.
    """
    shares = F.normalize((scores / temperature).softmax(-1), dim=-1)
    alike, keys = shares @ shares.T, F.normalize(keys, dim=-1)
    above = keys @ keys.T - shift
    n = len(keys)
    pairs = 1 - torch.eye(n, device=keys.device)
    n_pairs = max(n * (n - 1), 1)
    positive = -(above.clamp(min=0) * alike * pairs).sum() / n_pairs
    negative = -(above.clamp(max=0) * alike * pairs).sum() / n_pairs
    return positive, negative
