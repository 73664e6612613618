"""The registry: every file of this folder is a group of tasks, its `TASKS` a tuple of `Task`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from bench.core.task import Task
from bench.core.unknown import UnknownName


@cache
def groups() -> dict[str, tuple[Task, ...]]:
    """Name of the file -> its tasks."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    found: dict[str, tuple[Task, ...]] = {name: importlib.import_module(f"{__name__}.{name}").TASKS for name in names}
    keys = [task.key for tasks in found.values() for task in tasks]
    assert len(keys) == len(set(keys)), f"two tasks have the same key: {sorted(keys)}"
    return found


def tasks() -> dict[str, Task]:
    """Key -> task, over all groups."""
    return {task.key: task for group in groups().values() for task in group}


def named(key: str) -> Task:
    """The task with this key."""
    known = tasks()
    if key not in known:
        raise UnknownName("task", key, list(known))
    return known[key]
