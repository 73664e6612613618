"""Turns a class of the user's own code into one whose methods are shadows: what it is, and what is one, stays the same.

Classes of libraries are left as they are: they count their subclasses, or look at the type of an object.
"""

from __future__ import annotations

import sys
import sysconfig
import types
from collections.abc import Callable
from typing import Any

_LIBRARIES = tuple({sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")})
_WRAPPERS = (staticmethod, classmethod)


class Shadow(type):
    """The kind of these classes: objects of the real class are objects of them, too."""

    real: type

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.real)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, cls.real)


def own_class(found: type) -> bool:
    """Whether the class is the user's own and nothing watches over its subclasses."""
    if issubclass(found, (BaseException, tuple)) or "__slots__" in vars(found):
        return False
    if any("__init_subclass__" in vars(base) for base in found.__mro__[:-1]):
        return False
    file = getattr(sys.modules.get(found.__module__), "__file__", None)
    library = file is not None and (file.startswith(_LIBRARIES) or "site-packages" in file)
    return found.__module__ != "builtins" and not library


def shadow_class(real: type, shadow_of: Callable[[Any], Any]) -> type:
    """The class with shadows of its methods and of those it has from other classes of the user's."""
    own: dict[str, Any] = {}
    for base in reversed(real.__mro__[:-1]):
        if own_class(base):
            own.update({name: found for name, value in vars(base).items() if (found := _method(value, shadow_of))})
    own.update(__module__=real.__module__, __qualname__=real.__qualname__, __doc__=real.__doc__)
    made = Shadow(real.__name__, (real,), own)
    made.real = real
    return made


def _method(value: Any, shadow_of: Callable[[Any], Any]) -> Any:
    """A method's shadow; None of what is no method."""
    if isinstance(value, types.FunctionType):
        return shadow_of(value)
    if isinstance(value, _WRAPPERS) and isinstance(value.__func__, types.FunctionType):
        return type(value)(shadow_of(value.__func__))
    if isinstance(value, property):
        return property(*(get if get is None else shadow_of(get) for get in (value.fget, value.fset, value.fdel)))
    return None
