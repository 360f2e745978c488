"""A pretended GPU: tensors that compute on the CPU and refuse what tensors on a GPU refuse.

Whatever asks for the device "cuda" inside `pretended_gpu` gets a `Pretended`.  It answers with
CUDA's errors to tensors of two devices in one operation and to NumPy, and it counts: `Counts`
holds where the host waited for a result, and how many bytes went to the device.
"""

from __future__ import annotations

import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map_only

GPU = torch.device("cuda", 0)
SYNCHRONISING = {
    "_local_scalar_dense", "nonzero", "_unique2", "unique_dim", "unique_consecutive", "bincount",
    "masked_select", "equal", "_linalg_check_errors", "repeat_interleave",
}  # fmt: skip
"""Operations whose result the host needs before it can go on, by their names in ATen."""
MAY_MIX = {"copy_", "_to_copy", "set_"}
"""Operations that take tensors of two devices."""


PRODUCTS = {"mm", "addmm", "bmm", "baddbmm"}
"""Operations that a GPU computes in TF32 where it may."""
LOST_BITS = 13
"""Of a number in single precision, in TF32."""


class Counts:
    """What one use of the GPU cost."""

    def __init__(self) -> None:
        """Start from nothing."""
        self.syncs: Counter[str] = Counter()  # by what waits, and where
        self.copied: Counter[str] = Counter()  # bytes to the device, by where
        self.copies: Counter[str] = Counter()  # how many these were

    def sync(self, name: str) -> None:
        """Count a wait of the host; a thread may wait, which trains nothing."""
        if threading.current_thread() is threading.main_thread():
            self.syncs[f"{name} {_caller()}"] += 1

    def copy(self, tensor: Tensor, waits: bool) -> None:
        """Count a copy to the device, and the wait for it where memory is not pinned."""
        where = _caller()
        self.copied[where] += tensor.numel() * tensor.element_size()
        self.copies[where] += 1
        if waits:
            self.sync("copy")


COUNTS = Counts()
TF32 = False
KERNELS_FILE = str(Path(__file__).with_name("kernels.py"))


class Pretended(Tensor):
    """A tensor on the pretended GPU; ``inner`` holds its values."""

    inner: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, inner: Tensor) -> Pretended:
        """Return a tensor that shows the values' shape and strides, and hides where they are."""
        made = Tensor._make_wrapper_subclass(
            cls,
            inner.size(),
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            requires_grad=inner.requires_grad,
        )
        made.inner = inner
        return made

    @property
    def device(self) -> torch.device:
        """Return the device that it is said to be on."""
        return GPU

    @property
    def is_cuda(self) -> bool:
        """Say that it is on a GPU."""
        return True

    @property
    def is_cpu(self) -> bool:
        """Say that it is not on the CPU."""
        return False

    def numpy(self, *_: Any, **__: Any) -> Any:
        """Refuse, as a tensor on a GPU does."""
        raise TypeError("can't convert cuda:0 device type tensor to numpy; use Tensor.cpu() first")

    __array__ = numpy

    def tolist(self) -> Any:
        """Return the values on the host."""
        COUNTS.sync("tolist")
        return self.inner.tolist()

    def __tensor_flatten__(self) -> tuple[list[str], None]:
        """Name what holds the values; modules that are moved swap such tensors in place."""
        return ["inner"], None

    @staticmethod
    def __tensor_unflatten__(inner: dict[str, Tensor], *_: Any) -> Pretended:
        """Return the tensor of these values."""
        return Pretended(inner["inner"])

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Be written as values on the CPU."""
        return self.inner.detach().__reduce_ex__(protocol)

    def __repr__(self, **_: Any) -> str:  # type: ignore[override]
        """Return the values, named as what they pretend to be."""
        return f"Pretended({self.inner!r})"

    @classmethod
    def __torch_dispatch__(
        cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Compute on the values what a GPU would, and refuse what it would not."""
        name = func._schema.name.removeprefix("aten::")
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        _check_devices(name, tensors)
        if name in SYNCHRONISING or _asks_by_mask(name, args):
            COUNTS.sync(name)
        asked = tree_map_only(Pretended, lambda one: one.inner, (args, kwargs or {}))
        if TF32 and name in PRODUCTS and torch.backends.cuda.matmul.fp32_precision == "tf32":
            asked = tree_map_only(Tensor, rounded, asked[0]), asked[1]
        found = func(*asked[0], **asked[1])
        if func._schema.is_mutable:  # what was changed in place is the tensor that was given
            return args[0] if isinstance(found, Tensor) and found is asked[0][0] else found
        return tree_map_only(Tensor, Pretended, found)


def rounded(tensor: Tensor) -> Tensor:
    """Return what TF32 keeps of numbers in single precision: a sign, 8 bits and 10."""
    if tensor.dtype != torch.float32 or tensor.dim() < 2:  # a bias is added in single precision
        return tensor
    bits = tensor.contiguous().view(torch.int32) + (1 << (LOST_BITS - 1))
    return (bits & -(1 << LOST_BITS)).view(torch.float32)


def _check_devices(name: str, tensors: list[Tensor]) -> None:
    """Raise where tensors of two devices meet; numbers and indices may come from the CPU."""
    if name in MAY_MIX:
        return
    if name in ("index", "index_put_", "index_put") and isinstance(tensors[0], Pretended):
        tensors = tensors[:1]
    if any(not isinstance(one, Pretended) and one.dim() for one in tensors):
        raise RuntimeError(
            "Expected all tensors to be on the same device, but found at least two devices, cuda:0"
            f" and cpu! (in {name}, {_caller()})"
        )


def _asks_by_mask(name: str, args: tuple[Any, ...]) -> bool:
    """Tell whether a tensor is read or written by a mask, whose true places have to be counted."""
    if name not in ("index", "index_put_", "index_put"):
        return False
    return any(index is not None and index.dtype == torch.bool for index in args[1])


def _caller() -> str:
    """Return file and line, of the project or else of a library, that led here."""
    frames = [f for f in traceback.extract_stack() if f.filename not in (__file__, KERNELS_FILE)]
    ours = [f for f in frames if "/semsplat/" in f.filename or "/gsplat/" in f.filename]
    last = (ours or frames)[-1]
    return f"{'/'.join(last.filename.rsplit('/', 2)[-2:])}:{last.lineno}"


def on_gpu(device: Any) -> bool | None:
    """Tell whether a device is the GPU; None where none is named."""
    if isinstance(device, Tensor):
        device = device.device
    if not isinstance(device, str | torch.device):
        return None
    return torch.device(device).type == "cuda"


class _ToGpu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tensor: Tensor, waits: bool) -> Tensor:
        COUNTS.copy(tensor, waits)
        return Pretended(tensor.detach().clone())

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> Any:
        return gradient.inner, None


COMING: list[tuple[Tensor, Tensor]] = []
"""Memory of the host with what the device will have written to it once it is waited for."""


class Event:
    """Marks a place in the device's work (torch.cuda.Event)."""

    def record(self) -> None:
        """Mark all that was asked for until now."""
        self.asked = list(COMING)
        COMING.clear()

    def synchronize(self) -> None:
        """Wait for it."""
        COUNTS.sync("event")
        for there, values in self.asked:
            there.copy_(values)


class _ToHost(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tensor: Any, waits: bool) -> Tensor:
        if waits:
            COUNTS.sync("to the CPU")
            return tensor.inner.detach().clone()
        values = tensor.inner.detach().clone()
        there = torch.full_like(values, 77)  # whatever was there before
        COMING.append((there, values))
        return there

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return Pretended(gradient), None


FACTORIES = (
    "arange", "as_tensor", "empty", "eye", "full", "linspace", "ones", "rand", "randint", "randn",
    "randperm", "tensor", "zeros",
)  # fmt: skip


def _factory(make: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that makes tensors, on the pretended GPU where it is asked to."""

    def made(*args: Any, **kwargs: Any) -> Any:
        if not on_gpu(kwargs.get("device")):
            return make(*args, **kwargs)
        data = tree_map_only(Pretended, lambda one: one.inner, args)
        found = make(*data, **kwargs | {"device": "cpu"})
        if make in DATA:
            COUNTS.copy(found, True)
        return Pretended(found)

    return made


DATA, _TO, _NEW = (torch.tensor, torch.as_tensor), Tensor.to, Tensor.new_tensor


def _moved(tensor: Tensor, *rest: Any, **kwargs: Any) -> Tensor:
    """Return a tensor where it is asked to be, of the type that it is asked to have (Tensor.to)."""
    asked = [*rest, kwargs.pop("device", None), kwargs.pop("dtype", None)]
    device, dtype = None, None
    for one in asked:
        device = device if on_gpu(one) is None else on_gpu(one)
        dtype = one if isinstance(one, torch.dtype) else getattr(one, "dtype", dtype)
    blocks = not kwargs.pop("non_blocking", False)
    if device is not None and device != isinstance(tensor, Pretended):
        kind, waits = _ToHost, blocks  # which pins the memory that it writes to
        if device:
            kind, waits = _ToGpu, blocks or not hasattr(tensor, "pinned")
        tensor = kind.apply(tensor, waits)
    if dtype is None and not kwargs:
        return tensor
    return _TO(tensor, dtype or tensor.dtype, **kwargs)


def _new_tensor(tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """Return a tensor of data from the host, where another tensor is."""
    if not isinstance(tensor, Pretended):
        return _NEW(tensor, *args, **kwargs)
    made = _NEW(tensor.inner, *args, **kwargs)
    COUNTS.copy(made, True)
    return Pretended(made)


def _pinned(tensor: Tensor) -> Tensor:
    """Return a copy in memory from which nothing has to wait for a copy to the device."""
    assert not isinstance(tensor, Pretended), "only dense CPU tensors can be pinned"
    copy = tensor.clone()
    copy.pinned = True  # type: ignore[attr-defined]
    return copy


METHODS: dict[str, Callable[..., Tensor]] = {
    "to": _moved,
    "cpu": lambda tensor: _moved(tensor, "cpu"),
    "cuda": lambda tensor, *_: _moved(tensor, "cuda"),
    "new_tensor": _new_tensor,
    "pin_memory": _pinned,
}


@contextmanager
def pretended_gpu(tf32: bool = False) -> Iterator[Counts]:
    """Let "cuda" be the pretended GPU for the life of the block; yield what it costs.

    ``tf32``: products that may be computed in TF32 are; else all are those of the CPU.
    """
    global COUNTS, TF32
    before, COUNTS, TF32 = (COUNTS, TF32), Counts(), tf32
    quiet: dict[str, Callable[..., Any]] = {
        "synchronize": lambda *_: COUNTS.sync("synchronize"),
        "is_available": lambda: True,
        "is_current_stream_capturing": lambda: False,
        "get_rng_state_all": lambda: [],
        "get_device_name": lambda *_: "pretended",
        "max_memory_allocated": lambda *_: 0,
        "reset_peak_memory_stats": lambda *_: None,
        "empty_cache": lambda: None,
        "Event": Event,
    }
    health = "_accelerator_graph_capture_health_check"  # of Adam, which asks the driver
    with ExitStack() as stack:
        stack.enter_context(patch.object(torch.optim.Optimizer, health, lambda _: None))
        for name, stand_in in quiet.items():
            stack.enter_context(patch.object(torch.cuda, name, stand_in))
        for name in FACTORIES:
            stack.enter_context(patch.object(torch, name, _factory(getattr(torch, name))))
        for name, method in METHODS.items():
            stack.enter_context(patch.object(Tensor, name, method))
        try:
            yield COUNTS
        finally:
            COUNTS, TF32 = before
