"""What the rules of the networks share; no rules here."""

from semsplat.params.networks import ClipJob, SamJob
from semsplat.params.quality import QualityJob, TuningJob

NETWORK_PICTURES = "scratch/networks/pictures"
SHIPPED = "src/semsplat/features/embedded/weights"
WORLDS_PER_SHARD = 100


def shards(purpose):
    """Return the picture archives of a purpose."""
    seeds = getattr(PARAMS.networks.pictures, purpose)
    count = -(-seeds.count // WORLDS_PER_SHARD)
    return [f"{NETWORK_PICTURES}/{purpose}_{k}.npz" for k in range(count)]


def shard_seeds(wildcards):
    """Return first seed and number of worlds of one archive."""
    seeds = getattr(PARAMS.networks.pictures, wildcards.purpose)
    start = int(wildcards.shard) * WORLDS_PER_SHARD
    return [seeds.first + start, min(WORLDS_PER_SHARD, seeds.count - start)]


def network_config(wildcards):
    """Return the training of a network as JSON."""
    job = {"sam": SamJob, "clip": ClipJob}[wildcards.network]
    shape = getattr(PARAMS.networks, wildcards.network)
    training = getattr(PARAMS.networks, f"{wildcards.network}_training")
    log_every = PARAMS.training.log_every
    return job(shape=shape, training=training, log_every=log_every).model_dump_json()


def judging_config(purpose):
    """Return what the networks are judged with, or the SAM's thresholds chosen by, as JSON."""
    networks = PARAMS.networks
    told = {
        "shape": networks.pictures.shape,
        "seeds": getattr(networks.pictures, purpose),
        "automatic": networks.automatic,
    }
    recipes = PARAMS.features.recipes
    if purpose == "tune":
        regions = recipes["regions"].regions
        return TuningJob(
            **told, regions=regions, grid=networks.tuning
        ).model_dump_json()
    on_a_grid = {name: r for name, r in recipes.items() if asks_tiny_on_a_grid(r)}
    return QualityJob(**told, recipes=on_a_grid).model_dump_json()


def asks_tiny_on_a_grid(recipe):
    """Tell whether a recipe's masks are the shipped SAM's and follow no geometry."""
    options = recipe.segmenter.options
    return options.get("model") == "tiny" and "points_per_side" in options
