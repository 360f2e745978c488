"""A row of a tile as one value: TILE numbers that the vector units hold together.

Numba leaves it to the compiler to find vectors in loops.  For rows as short as ours it guards every
loop against arrays that overlap and lengths that do not fit, and turns conditions into masked
stores, which some processors take twenty times as long for.  Here each operation is written as
what it is to become, so its bits are the same in every process, too.

Arrays that hold rows are [R, TILE], contiguous.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, overload, register_model

from semsplat.splat.cpu.bins import TILE

HAS_FMA = bool(llvmlite.binding.get_host_cpu_features().get("fma", False))


class Row(types.Type):
    """TILE numbers of one float type."""

    def __init__(self, dtype: types.Float) -> None:
        """Remember the numbers' type."""
        super().__init__(name=f"Row({dtype})")
        self.dtype = dtype


class Mask(types.Type):
    """TILE truth values."""

    def __init__(self) -> None:
        """Name it."""
        super().__init__(name="Mask")


MASK = Mask()


@register_model(Row)
class _RowModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: Row) -> None:
        element = manager.lookup(fe_type.dtype).get_value_type()
        super().__init__(manager, fe_type, ir.VectorType(element, TILE))


@register_model(Mask)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: Mask) -> None:
        super().__init__(manager, fe_type, ir.VectorType(ir.IntType(1), TILE))


def _place(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    """Return the pointer to row ``index`` of an array, and the alignment of its numbers."""
    data = context.make_array(array_type)(context, builder, array).data
    vector = context.get_value_type(Row(array_type.dtype))
    start = builder.gep(data, [builder.mul(index, ir.Constant(index.type, TILE))])
    return builder.bitcast(start, vector.as_pointer()), array_type.dtype.bitwidth // 8


def _call(builder: Any, name: str, args: Any) -> Any:
    """Call LLVM's function of that name for our rows."""
    vector = args[0].type
    function = ir.FunctionType(vector, [vector] * len(args))
    name = f"{name}.v{TILE}{vector.element.intrinsic_name}"
    return builder.call(cgutils.get_or_insert_function(builder.module, function, name), args)


@intrinsic
def load(typingctx, array, index):
    """Return a row of an array."""

    def codegen(context, builder, signature, args):
        pointer, align = _place(context, builder, signature.args[0], *args)
        return builder.load(pointer, align=align)

    return Row(array.dtype)(array, types.intp), codegen


@intrinsic
def store(typingctx, array, index, row):
    """Write a row of an array."""

    def codegen(context, builder, signature, args):
        pointer, align = _place(context, builder, signature.args[0], *args[:2])
        builder.store(args[2], pointer, align=align)
        return context.get_dummy_value()

    return types.void(array, types.intp, row), codegen


@intrinsic
def spread(typingctx, number):
    """Return a row of one number."""

    def codegen(context, builder, signature, args):
        vector = context.get_value_type(signature.return_type)
        row, lane = ir.Constant(vector, ir.Undefined), ir.IntType(32)
        row = builder.insert_element(row, args[0], ir.Constant(lane, 0))
        return builder.shuffle_vector(row, row, ir.Constant(ir.VectorType(lane, TILE), [0] * TILE))

    return Row(number)(number), codegen


@intrinsic
def numbered(typingctx, like):
    """Return the row 0, 1, 2, ... of the type of the number ``like``."""

    def codegen(context, builder, signature, args):
        vector = context.get_value_type(signature.return_type)
        return ir.Constant(vector, [float(i) for i in range(TILE)])

    return Row(like)(like), codegen


@intrinsic
def choose(typingctx, mask, yes, no):
    """Return ``yes`` where the mask is set, ``no`` elsewhere."""

    def codegen(context, builder, signature, args):
        return builder.select(*args)

    return yes(mask, yes, no), codegen


@intrinsic
def times_plus(typingctx, a, b, c):
    """Return a b + c, rounded once where the processor can."""

    def codegen(context, builder, signature, args):
        if HAS_FMA:
            return _call(builder, "llvm.fma", args)
        return builder.fadd(builder.fmul(args[0], args[1]), args[2])

    return a(a, b, c), codegen


@intrinsic
def each_exp(typingctx, row):
    """Return exp of every number."""

    def codegen(context, builder, signature, args):
        return _call(builder, "llvm.exp", args)

    return row(row), codegen


@intrinsic
def total(typingctx, row):
    """Return the sum of a row: halves are added until one number is left."""

    def codegen(context, builder, signature, args):
        value, half, lane = args[0], TILE // 2, ir.IntType(32)
        while half:
            places = ir.Constant(
                ir.VectorType(lane, TILE), [(i + half) % TILE for i in range(TILE)]
            )
            value = builder.fadd(value, builder.shuffle_vector(value, value, places))
            half //= 2
        return builder.extract_element(value, ir.Constant(lane, 0))

    return row.dtype(row), codegen


def _operation(emit: Callable[[Any, Any, Any], Any], result: Any = None) -> Any:
    """Return the intrinsic of two rows (or masks) that ``emit``s one instruction."""

    @intrinsic
    def operation(typingctx, a, b):
        def codegen(context, builder, signature, args):
            return emit(builder, *args)

        return (result or a)(a, b), codegen

    return operation


def _define(symbol: Any, operation: Any) -> None:
    """Give an operator a meaning between two rows, and between a row and a number."""

    @overload(symbol)
    def of_rows(a, b):
        if isinstance(a, Row) and isinstance(b, Row):
            return lambda a, b: operation(a, b)
        if isinstance(a, Row) and a.dtype == b:
            return lambda a, b: operation(a, spread(b))
        if isinstance(b, Row) and b.dtype == a:
            return lambda a, b: operation(spread(a), b)
        return None


_define(operator.add, _operation(lambda builder, a, b: builder.fadd(a, b)))
_define(operator.sub, _operation(lambda builder, a, b: builder.fsub(a, b)))
_define(operator.mul, _operation(lambda builder, a, b: builder.fmul(a, b)))
_define(operator.truediv, _operation(lambda builder, a, b: builder.fdiv(a, b)))
_define(operator.lt, _operation(lambda builder, a, b: builder.fcmp_ordered("<", a, b), MASK))
_define(operator.le, _operation(lambda builder, a, b: builder.fcmp_ordered("<=", a, b), MASK))
_define(operator.gt, _operation(lambda builder, a, b: builder.fcmp_ordered(">", a, b), MASK))
_define(operator.ge, _operation(lambda builder, a, b: builder.fcmp_ordered(">=", a, b), MASK))

_both = _operation(lambda builder, a, b: builder.and_(a, b))


@overload(operator.and_)
def _of_masks(a, b):
    if isinstance(a, Mask) and isinstance(b, Mask):
        return lambda a, b: _both(a, b)
    return None
