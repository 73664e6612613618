"""Turns the text of a generated module into a real module: importable by name, debuggable, and its losses picklable."""

from __future__ import annotations

import hashlib
import linecache
import sys
import types
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from metric2loss.runtime import SurrogateLoss


@dataclass(frozen=True, eq=False)
class Generated:
    """A generated text and what it does not say: live values of names, and attributes of the class."""

    module_name: str
    text: str
    class_name: str
    given: Mapping[str, object] = field(default_factory=dict)
    attributes: Mapping[str, object] = field(default_factory=dict)


def generated_module(
    stem: str, text: str, class_name: str, given: Mapping[str, object], attributes: Mapping[str, object]
) -> Generated:
    """Names the module: two processes agree on the name of a text; with live values it is one of its kind."""
    live = given or attributes
    key = uuid.uuid4().hex if live else hashlib.sha256(text.encode()).hexdigest()
    return Generated(f"{stem}_{key[:12]}", text, class_name, given, attributes)


def load(generated: Generated) -> type[SurrogateLoss]:
    """The loss class of a generated text; the same text is executed once in a process."""
    module = sys.modules.get(generated.module_name) or _execute(generated)
    loss: type[SurrogateLoss] = getattr(module, generated.class_name)
    return loss


def _execute(generated: Generated) -> types.ModuleType:
    name = generated.module_name
    filename = f"<metric2loss {name}>"
    lines = generated.text.splitlines(keepends=True)
    linecache.cache[filename] = (len(generated.text), None, lines, filename)  # tracebacks show the generated lines
    module = types.ModuleType(name)
    module.__file__ = filename
    module.__dict__.update(generated.given)
    sys.modules[name] = module
    try:
        exec(compile(generated.text, filename, "exec"), module.__dict__)  # noqa: S102 - our own text
    except BaseException:
        del sys.modules[name]
        raise
    loss = getattr(module, generated.class_name)
    for attribute, value in generated.attributes.items():
        setattr(loss, attribute, value)
    loss.__reduce__ = _reducer(loss, generated)
    return module


def _reducer(loss: type[SurrogateLoss], generated: Generated) -> Any:
    """Pickles an instance with its text, so that another process can build the class it has never seen."""

    def reduce(self: SurrogateLoss) -> str | tuple[Any, ...]:
        if type(self) is not loss:  # a subclass has a home of its own
            return object.__reduce_ex__(self, 2)
        return blank, (generated,), self.__dict__.copy()

    return reduce


def blank(generated: Generated) -> SurrogateLoss:
    """An instance whose state pickle will fill."""
    loss: Any = load(generated)
    return loss.__new__(loss)  # type: ignore[no-any-return]


def stem_of(path: str, function: str) -> str:
    """A module name after the file, or after the function where there is no file (`<ipython-input-3>`)."""
    stem = Path(path).stem
    plain = stem if stem.isidentifier() and Path(path).exists() else function
    return f"{plain}_loss"
