"""Whatever the shapes, number types and texts: what is written is read again, bit by bit."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from session_samples import differences

from cassi_core.errors import SessionError
from cassi_core.io.session.codec import bytes_of, read, write
from cassi_core.io.session.leaves import CHUNK_BYTES, chunk_shape
from cassi_core.io.session.meter import Meter

QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def round_trip(value: Any, hint: Any) -> Any:
    with h5py.File(io.BytesIO(), "w") as file:
        write(file, "it", value, hint, Meter(1))
        return read(file, "it", hint, Meter(1))


texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=()), max_size=12).filter(
    lambda t: all(not "\ud800" <= c <= "\udfff" for c in t)
)
floats = st.floats(allow_nan=True, allow_infinity=True, width=64)
ints = st.integers(-(2**63), 2**63 - 1)
number_types = st.one_of(
    hnp.floating_dtypes(endianness="="),
    hnp.integer_dtypes(endianness="="),
    hnp.unsigned_integer_dtypes(endianness="="),
    st.just(np.dtype(bool)),
)
arrays = hnp.arrays(number_types, hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=7))


@QUICK
@given(arrays)
def test_arrays_of_any_shape_and_type(array: np.ndarray) -> None:
    assert differences(array, round_trip(array, NDArray[Any])) == []


@QUICK
@given(
    st.sampled_from([np.uint8, np.float32, np.float64, np.int64]),
    st.lists(st.integers(1, 3000), min_size=1, max_size=3).filter(lambda s: 5000 < np.prod(s) < 600_000),
)
def test_arrays_of_many_chunks(dtype: type, shape: list[int]) -> None:
    array = np.arange(np.prod(shape)).astype(dtype).reshape(shape)
    assert differences(array, round_trip(array, NDArray[Any])) == []
    chunk = chunk_shape(array.shape, array.itemsize)
    assert all(1 <= c <= s for c, s in zip(chunk, shape, strict=True))
    assert np.prod(chunk) * array.itemsize <= CHUNK_BYTES


def test_strided_and_reversed_arrays_come_back_by_value() -> None:
    base = np.arange(40_000, dtype=np.float32).reshape(100, 400)
    for view in (base.T, base[::-1, ::2], np.asfortranarray(base)):
        assert np.array_equal(round_trip(view, NDArray[np.float32]), view)


@dataclass(frozen=True)
class Flat:
    """A row of a table with everything that may be in one."""

    text: str
    number: float
    count: int
    there: bool
    kind: Literal["one", "two"]
    maybe: float | None
    maybe_text: str | None
    maybe_count: int | None
    pair: tuple[int, int]
    place: tuple[int, int, int] | None
    vector: tuple[float | None, ...] | None


def rows(width: int) -> st.SearchStrategy[Flat]:
    vector = st.tuples(*[st.none() | floats] * width)
    return st.builds(
        Flat, texts, floats, ints, st.booleans(), st.sampled_from(["one", "two"]), st.none() | floats, st.none() | texts,
        st.none() | ints, st.tuples(ints, ints), st.none() | st.tuples(ints, ints, ints), st.none() | vector,
    )  # fmt: skip


@QUICK
@given(st.integers(0, 4).flatmap(lambda width: st.lists(rows(width), max_size=6)))
def test_tables_keep_what_is_missing_apart_from_what_is_not_a_number(table: list[Flat]) -> None:
    assert differences(tuple(table), round_trip(tuple(table), tuple[Flat, ...])) == []


@dataclass(frozen=True, eq=False)
class Inner:
    """A record that fits no table."""

    picture: NDArray[Any]
    names: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Outer:
    """Records within records."""

    when: datetime
    inner: Inner | None
    several: tuple[Inner, ...]
    arrays: tuple[NDArray[Any], ...]
    turn: tuple[bool, int]
    mapping: dict[str, float]
    chosen: frozenset[int]
    title: str = "untitled"
    later: tuple[float, ...] = field(default=())


inners = st.builds(Inner, arrays, st.lists(texts, max_size=3).map(tuple))


@QUICK
@given(
    st.builds(
        Outer,
        st.datetimes(),
        st.none() | inners,
        st.lists(inners, max_size=3).map(tuple),
        st.lists(arrays, max_size=3).map(tuple),
        st.tuples(st.booleans(), ints),
        st.dictionaries(texts.filter(bool), floats, max_size=3).map(
            lambda d: dict(sorted(d.items(), key=lambda i: i[0].encode()))
        ),
        st.frozensets(ints, max_size=4),
        texts,
        st.lists(floats, max_size=3).map(tuple),
    )
)
def test_records_within_records(record: Outer) -> None:
    assert differences(record, round_trip(record, Outer)) == []


def test_what_a_file_lacks_takes_its_default_or_is_told() -> None:
    record = Outer(datetime(2026, 1, 2), None, (), (np.zeros(3),), (True, 2), {}, frozenset(), "named", (1.0,))
    with h5py.File(io.BytesIO(), "w") as file:
        write(file, "it", record, Outer, Meter(1))
        del file["it"].attrs["title"], file["it/later"]
        again = read(file, "it", Outer, Meter(1))
        assert (again.title, again.later) == ("untitled", ())
        del file["it/turn"]
        with pytest.raises(SessionError, match="/it/turn is missing"):
            read(file, "it", Outer, Meter(1))


def test_a_type_that_cannot_be_stored_is_a_mistake_of_the_programmer() -> None:
    with pytest.raises(TypeError, match="cannot be stored"):
        round_trip(1, int | str)


def test_sizes_count_every_array_once() -> None:
    inner = Inner(np.zeros((3, 4), np.float32))
    record = Outer(datetime(2026, 1, 2), inner, (inner, inner), (np.zeros(5),), (True, 1), {}, frozenset())
    assert bytes_of(record) == 3 * 48 + 40
