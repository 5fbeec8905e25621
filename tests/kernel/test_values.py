from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindling.values import Value


class Point(Value):
    x: int
    y: int = 0


class Named(Point):
    name: str = "origin"


class Other(Value):
    x: int
    y: int = 0


class Even(Value):
    number: int

    def check(self) -> None:
        if self.number % 2:
            msg = f"{self.number} is odd"
            raise ValueError(msg)


numbers = st.integers(-3, 3)


@given(numbers, numbers)
def test_values_are_equal_exactly_where_class_and_fields_are(x: int, y: int) -> None:
    assert Point(x, y) == Point(x=x, y=y)
    assert Point(x, y) != Point(x, y + 1)
    assert Point(x, y) != Other(x, y)
    assert Point(x, y) != (x, y)
    assert Named(x, y) != Point(x, y)


@given(numbers, numbers)
def test_equal_values_have_equal_hashes_and_survive_pickle_and_copy(x: int, y: int) -> None:
    value = Named(x, y, "home")
    for again in (pickle.loads(pickle.dumps(value)), copy.copy(value), copy.deepcopy(value), value.replace()):  # noqa: S301
        assert again == value
        assert hash(again) == hash(value)
        assert type(again) is Named


@given(numbers, numbers, numbers)
def test_replace_changes_the_copy_alone(x: int, y: int, z: int) -> None:
    value = Point(x, y)
    assert value.replace(y=z) == Point(x, z)
    assert value == Point(x, y)


def test_a_value_shows_its_fields_in_the_order_of_declaration() -> None:
    assert repr(Named(1, y=2)) == "Named(x=1, y=2, name='origin')"


def test_a_value_has_slots_and_no_dict() -> None:
    assert not hasattr(Named(1), "__dict__")


def test_values_are_frozen() -> None:
    value = Point(1)
    with pytest.raises(AttributeError) as error:
        value.x = 2  # type: ignore[misc]  # what is tested
    assert str(error.value) == "Point.x cannot be assigned: values are frozen"
    with pytest.raises(AttributeError) as error:
        del value.x
    assert str(error.value) == "Point.x cannot be deleted: values are frozen"


@pytest.mark.parametrize(
    ("args", "fields", "text"),
    [
        ((1, 2, 3), {}, "Point.__init__() takes from 2 to 3 positional arguments but 4 were given"),
        ((), {"y": 1}, "Point.__init__() missing 1 required positional argument: 'x'"),
        ((1,), {"z": 1}, "Point.__init__() got an unexpected keyword argument 'z'"),
    ],
)
def test_wrong_fields_are_refused(args: tuple[int, ...], fields: dict[str, int], text: str) -> None:
    with pytest.raises(TypeError) as error:
        Point(*args, **fields)
    assert str(error.value) == text


def test_check_refuses_at_construction_and_at_replacing() -> None:
    with pytest.raises(ValueError, match=r"^3 is odd$"):
        Even(3)
    with pytest.raises(ValueError, match=r"^5 is odd$"):
        Even(4).replace(number=5)
