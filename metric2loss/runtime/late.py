"""Fields that may be given as a function, called when somebody first reads them: lists of pairs that mostly nobody reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")
_NONE: Any = object()


class Late(Generic[T]):
    """A data descriptor for dataclass fields; `x.name = f` with a function makes the value of `x.name` be `f()`, once."""

    def __init__(self, default: T = _NONE) -> None:
        self.default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self.place = f"_{name}"

    @overload
    def __get__(self, instance: None, owner: type) -> T: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object | None, owner: type) -> T:
        if instance is None:
            if self.default is _NONE:
                raise AttributeError("no default")  # tells dataclasses that the field must be given
            return self.default
        value = instance.__dict__[self.place]
        if isinstance(value, _Given):
            value = instance.__dict__[self.place] = value.make()
        return value  # type: ignore[no-any-return]

    def __set__(self, instance: object, value: T | Callable[[], T]) -> None:
        instance.__dict__[self.place] = _Given(value) if callable(value) else value


class Once(Generic[T]):
    """A function without arguments that is called when it is first asked, and not again."""

    __slots__ = ("make", "value")

    def __init__(self, make: Callable[[], T]) -> None:
        self.make: Callable[[], T] | None = make

    def __call__(self) -> T:
        if self.make is not None:
            self.value = self.make()
            self.make = None
        return self.value


class _Given:
    """A function that waits to be called."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make
