"""The pretended GPU refuses what a GPU refuses, and counts what it costs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from tests.pretend_cuda.device import Counts, Pretended, pretended_gpu


@pytest.fixture
def counts() -> Iterator[Counts]:
    with pretended_gpu() as found:
        yield found


def test_what_is_asked_for_on_the_gpu_is_there_and_its_results_are(counts):
    for made in (
        torch.ones(3, device="cuda"),
        torch.tensor([1.0, 1.0, 1.0], device=torch.device("cuda")),
        torch.ones(3).to("cuda:0"),
        torch.ones(3).cuda(),
        torch.zeros_like(torch.ones(3, device="cuda")) + 1,
        torch.ones(3, dtype=torch.int32).to(device="cuda", dtype=torch.float32),
        torch.ones(3).to(torch.ones(1, device="cuda")),
    ):
        assert isinstance(made, Pretended) and made.device.type == "cuda" and made.is_cuda
        assert made.dtype == torch.float32 and made.cpu().tolist() == [1.0, 1.0, 1.0]
        assert type((made * 2)[1:].exp()) is Pretended
        assert type(made.cpu()) is torch.Tensor and type(made.to("cpu")) is torch.Tensor


def test_two_devices_do_not_meet(counts):
    here, there = torch.ones(3), torch.ones(3, device="cuda")
    for mix in (
        lambda: here + there,
        lambda: there * here,
        lambda: torch.cat([here, there]),
        lambda: there.add_(here),
        lambda: here.add_(there),
        lambda: here[there > 0],
        lambda: torch.where(there > 0, here, there),
    ):
        with pytest.raises(RuntimeError, match="two devices"):
            mix()
    assert (there + torch.tensor(2.0)).cpu().tolist() == [3.0] * 3  # a number may come from the CPU
    there.copy_(torch.full((3,), 7.0))
    assert there[torch.tensor([1])].cpu().tolist() == [7.0]  # and so may an index


def test_numpy_is_refused(counts):
    there = torch.ones(3, device="cuda")
    for ask in (there.numpy, lambda: np.asarray(there)):
        with pytest.raises(TypeError, match="numpy"):
            ask()


def test_every_wait_of_the_host_is_counted_where_it_happens(counts):
    there = torch.arange(4.0, device="cuda")
    for wait in (
        there.sum().item,
        there.tolist,
        there.cpu,
        there.nonzero,
        lambda: bool((there > 1).any()),
        lambda: there[there > 1],
        lambda: torch.unique(there),
        lambda: torch.equal(there, there),
    ):
        before = counts.syncs.total()
        wait()
        assert counts.syncs.total() == before + 1
    before = counts.syncs.total()
    there.masked_fill_(there > 1, 0.0)
    torch.where(there > 1, there, there + 1).sort()
    assert counts.syncs.total() == before
    assert any("test_device.py" in where for where in counts.syncs)


def test_copies_to_the_device_are_counted_in_bytes(counts):
    torch.ones(5).to("cuda")
    assert counts.copied.total() == 20
    torch.ones(5, device="cuda").to("cuda")
    assert counts.copied.total() == 20


def test_gradients_and_adam_stay_on_the_device(counts):
    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0], device="cuda"))
    layer = torch.nn.Linear(2, 1).to("cuda")
    adam = torch.optim.Adam([weight, *layer.parameters()], 0.1)
    here = torch.tensor([3.0, 4.0], requires_grad=True)
    (layer(weight * here.to("cuda")).sum() + weight.square().sum()).backward()
    assert isinstance(weight.grad, Pretended) and type(here.grad) is torch.Tensor
    expected = 2 * weight.detach().cpu() + layer.weight.detach().cpu()[0] * here.detach()
    assert torch.allclose(weight.grad.cpu(), expected)
    before = weight.detach().cpu()
    adam.step()
    moved = weight.detach().cpu() - before
    assert torch.allclose(moved, -0.1 * expected.sign(), atol=1e-5)


def test_views_share_their_values(counts):
    there = torch.zeros(2, 2, device="cuda")
    there[0] = 1.0
    there[:, 1] += 2.0
    assert there.cpu().tolist() == [[1.0, 3.0], [0.0, 2.0]]


def test_outside_there_is_no_gpu():
    with pretended_gpu():
        pass
    assert not torch.cuda.is_available()
