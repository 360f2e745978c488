"""The CPU rasteriser against brute force, and what blending promises."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from semsplat.bench.gpu.parity import make_gaussians
from semsplat.errors import SemsplatError
from semsplat.splat.rasterizer import rasterize
from semsplat.splat.reference import rasterize_reference

LEAVES = ("means", "quats", "scales", "opacities", "colors")


def leaves(scene, names=LEAVES):
    for name in names:
        scene[name].requires_grad_()
    return [scene[name] for name in names]


def reference(scene, sh_degree=None):
    cameras = {"viewmat": scene["viewmats"][0], "K": scene["Ks"][0]}
    rest = {k: v for k, v in scene.items() if k not in ("viewmats", "Ks")}
    return rasterize_reference(**rest, **cameras, sh_degree=sh_degree)


@pytest.mark.parametrize("n", [1, 40, 300])
def test_image_and_every_gradient_equal_brute_force(n):
    scene = make_gaussians(n, channels=5, seed=n)
    parameters = leaves(scene)
    image, alpha, _ = rasterize(**scene)
    expected, expected_alpha = reference(scene)
    torch.testing.assert_close(image[0], expected, rtol=1e-7, atol=1e-9)
    torch.testing.assert_close(alpha[0, ..., 0], expected_alpha, rtol=1e-7, atol=1e-9)
    weights = torch.rand(image.shape[1:], dtype=image.dtype)
    mask = torch.rand(alpha.shape[1:3], dtype=image.dtype)
    ours = torch.autograd.grad(
        (image[0] * weights).sum() + (alpha[0, ..., 0] * mask).sum(), parameters
    )
    theirs = torch.autograd.grad(
        (expected * weights).sum() + (expected_alpha * mask).sum(), parameters
    )
    for name, a, b in zip(LEAVES, ours, theirs, strict=True):
        torch.testing.assert_close(
            a, b, rtol=1e-5, atol=1e-8, msg=lambda m, name=name: f"{name}: {m}"
        )


def test_gradcheck_in_double_precision():
    # No opacity near 1/255 or 0.999 and no saturation: there the function is not differentiable.
    scene = make_gaussians(6, channels=3, seed=5, size=(14, 11))
    scene["opacities"] = scene["opacities"] * 0.5 + 0.2
    fixed = {k: v for k, v in scene.items() if k not in LEAVES}

    def render(*values):
        image, alpha, _ = rasterize(
            **dict(zip(LEAVES, values, strict=True)), **fixed, render_mode="RGB+D"
        )
        # Smooth weights that vanish where a footprint is cut at alpha = 1/255 are not needed: the
        # numerical step is smaller than the distance of any pixel to that edge for this seed.
        return image, alpha

    assert torch.autograd.gradcheck(render, leaves(scene), eps=1e-7, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_harmonics_and_their_gradients_equal_gsplats_torch_code(degree):
    scene = make_gaussians(60, channels=3, seed=degree)
    rng = torch.Generator().manual_seed(degree)
    scene["colors"] = torch.randn(60, 16, 3, generator=rng, dtype=torch.float64) * 0.5
    parameters = leaves(scene)
    image, _, _ = rasterize(**scene, sh_degree=degree)
    expected, _ = reference(scene, degree)
    torch.testing.assert_close(image[0], expected, rtol=1e-6, atol=1e-7)
    weights = torch.rand(image.shape[1:], dtype=image.dtype)
    ours = torch.autograd.grad((image[0] * weights).sum(), parameters)
    theirs = torch.autograd.grad((expected * weights).sum(), parameters)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 80))
def test_weights_sum_to_one_minus_transmittance(seed, n):
    scene = make_gaussians(n, channels=1, seed=seed)
    scene["colors"] = torch.ones(n, 1, dtype=torch.float64)
    image, alpha, _ = rasterize(**scene)
    torch.testing.assert_close(image, alpha)
    assert alpha.min() >= 0 and alpha.max() <= 1


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_the_gaussians_does_not_matter(seed):
    scene = make_gaussians(50, channels=3, seed=seed)
    shuffled = dict(scene)
    order = torch.randperm(50, generator=torch.Generator().manual_seed(seed))
    for name in LEAVES:
        shuffled[name] = scene[name][order]
    torch.testing.assert_close(rasterize(**scene)[0], rasterize(**shuffled)[0])


def test_many_channels_equal_one_at_a_time():
    scene = make_gaussians(80, channels=70, seed=2)
    together = rasterize(**scene)[0]
    for c in (0, 33, 69):
        alone = rasterize(**{**scene, "colors": scene["colors"][:, c : c + 1]})[0]
        torch.testing.assert_close(together[..., c : c + 1], alone)


def test_channels_behind_geometry_channels_train_only_themselves():
    scene = make_gaussians(60, channels=3, seed=4)
    extra = torch.rand(60, 4, dtype=torch.float64, requires_grad=True)
    parameters = leaves(scene)
    image, _, _ = rasterize(**scene, extra_signals=extra, geometry_channels=3)
    grads = torch.autograd.grad(
        (image[..., 3:] ** 2).sum(), [*parameters, extra], retain_graph=True
    )
    assert all(not g.any() for g in grads[:4]) and grads[-1].abs().sum() > 0
    # The colours still move the geometry exactly as without the extra channels.
    with_extra = torch.autograd.grad((image[..., :3] ** 2).sum(), parameters)
    alone = torch.autograd.grad((rasterize(**scene)[0] ** 2).sum(), parameters)
    for a, b in zip(with_extra, alone, strict=True):
        torch.testing.assert_close(a, b)


def test_depth_modes_agree_with_a_depth_channel():
    scene = make_gaussians(60, channels=3, seed=6)
    image, alpha, meta = rasterize(**scene, render_mode="RGB+D")
    as_color = rasterize(**{**scene, "colors": meta["depths"][0][:, None]})[0]
    torch.testing.assert_close(image[..., 3:], as_color)
    expected = rasterize(**scene, render_mode="ED")[0]
    torch.testing.assert_close(expected, as_color / alpha.clamp(min=1e-10))
    seen = alpha[..., 0] > 0.5
    near, far = meta["depths"][meta["radii"][..., 0] > 0].aminmax()
    assert (expected[..., 0][seen] >= near).all() and (expected[..., 0][seen] <= far).all()


def test_background_fills_what_stays_transparent():
    scene = make_gaussians(20, channels=3, seed=7)
    background = torch.tensor([[0.2, 0.5, 0.9]], dtype=torch.float64)
    plain, alpha, _ = rasterize(**scene)
    filled, _, _ = rasterize(**scene, backgrounds=background)
    torch.testing.assert_close(filled, plain + (1 - alpha) * background)


def test_two_cameras_equal_one_after_the_other():
    scene = make_gaussians(50, channels=3, seed=8)
    other = scene["viewmats"].clone()
    other[:, 0, 3] += 0.2
    both = rasterize(
        **{
            **scene,
            "viewmats": torch.cat([scene["viewmats"], other]),
            "Ks": scene["Ks"].repeat(2, 1, 1),
        }
    )
    torch.testing.assert_close(both[0][0], rasterize(**scene)[0][0])
    torch.testing.assert_close(both[0][1], rasterize(**{**scene, "viewmats": other})[0][0])
    assert both[2]["n_cameras"] == 2 and both[2]["means2d"].shape == (2, 50, 2)


def test_means2d_carry_the_gradient_that_densification_needs():
    scene = make_gaussians(30, channels=3, seed=9)
    leaves(scene)
    image, _, meta = rasterize(**scene)
    meta["means2d"].retain_grad()
    (image**2).sum().backward()
    seen = meta["radii"][0, :, 0] > 0
    assert meta["means2d"].grad.shape == (1, 30, 2)
    assert (
        meta["means2d"].grad[0][seen].abs().sum() > 0 and not meta["means2d"].grad[0][~seen].any()
    )


def test_gaussians_behind_the_camera_and_nothing_at_all_render_black():
    scene = make_gaussians(10, channels=3, seed=10)
    scene["means"][:, 2] -= 20
    image, alpha, meta = rasterize(**scene)
    assert not image.any() and not alpha.any() and not meta["radii"].any()
    empty = {k: v[:0] if k in LEAVES else v for k, v in scene.items()}
    assert not rasterize(**empty)[0].any()


def test_meta_has_gsplats_names():
    scene = make_gaussians(12, channels=3, seed=1)
    _, _, meta = rasterize(**scene)
    of_all = "width height n_batches n_cameras batch_ids camera_ids gaussian_ids"
    of_each = "radii means2d depths conics opacities"
    of_tiles = "tile_width tile_height tile_size isect_offsets flatten_ids"
    assert set(meta) == {*of_all.split(), *of_each.split(), *of_tiles.split()}
    assert (meta["n_batches"], meta["n_cameras"]) == (1, 1)
    assert meta["tile_width"] == math.ceil(scene["width"] / meta["tile_size"])
    assert meta["tile_height"] == math.ceil(scene["height"] / meta["tile_size"])
    (offsets,), (ids,) = meta["isect_offsets"], meta["flatten_ids"]
    assert len(offsets) == meta["tile_width"] * meta["tile_height"] + 1 and offsets[-1] == len(ids)
    assert set(ids.tolist()) <= set(range(12))
    assert torch.equal(meta["opacities"][0], scene["opacities"])


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"quats": torch.zeros(10, 3, dtype=torch.float64)}, "quats"),
        ({"opacities": torch.zeros(10)}, "opacities"),
        ({"sh_degree": 2}, "sh_degree 2"),
        ({"geometry_channels": 0}, "geometry_channels 0; detach the geometry"),
    ],
)
def test_inputs_that_do_not_fit_are_one_line(change, word):
    scene = {**make_gaussians(10, channels=3, seed=0), **change}
    with pytest.raises(SemsplatError, match=word) as error:
        rasterize(**scene)
    assert "\n" not in str(error.value)


def test_no_channels_leave_the_gradient_of_alpha():
    scene = make_gaussians(20, channels=3, seed=3)
    opacities = leaves(scene, ["opacities"])
    expected = torch.autograd.grad(rasterize(**scene)[1].sum(), opacities)
    scene["colors"] = scene["colors"][:, :0]
    image, alpha, _ = rasterize(**scene)
    assert image.shape[-1] == 0
    torch.testing.assert_close(torch.autograd.grad(alpha.sum(), opacities), expected)


def test_frozen_gaussians_give_their_values_the_same_gradient():
    scene = make_gaussians(60, channels=5, seed=4)
    weights = torch.rand(rasterize(**scene)[0].shape, dtype=torch.float64)

    def gradient(*moving):
        parameters = leaves(scene, moving)
        return torch.autograd.grad((rasterize(**scene)[0] * weights).sum(), parameters)[0]

    frozen = gradient("colors")
    assert torch.equal(gradient("colors", "means", "opacities"), frozen)


def test_products_of_many_channels_start_no_threads_within_threads(
    capfd: pytest.CaptureFixture[str],
):
    scene = make_gaussians(120, channels=200, seed=5)  # OpenBLAS warns that it may hang
    parameters = leaves(scene, ["colors", "means"])
    torch.autograd.grad(rasterize(**scene)[0].sum(), parameters)
    assert "OpenBLAS" not in capfd.readouterr().err
