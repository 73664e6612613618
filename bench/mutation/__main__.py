"""How many altered programs the self-checks catch: python -m bench.mutation [--most N] [--minutes N] [--json FILE] [--only NAME]."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import math
import random
import time
import types
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch

from bench.mutation import alterations, programs, sites, text
from bench.mutation.programs import Program
from metric2loss.runtime import selfcheck

RUNS = Path(__file__).resolve().parents[1] / "runs" / "mutation.json"
COMPILING, VERIFY = "compilation with an example", "verify"
CONTROL = "nothing altered"


@dataclass(frozen=True)
class Fate:
    """caught: the check that failed first, "" none; by: who made it; equivalent: no batch tells it from the metric."""

    program: str
    form: str
    kind: str
    place: str
    caught: str
    by: str
    equivalent: bool


@click.command()
@click.option("--most", default=12, help="Mutants of one program, drawn evenly over the kinds.")
@click.option("--json", "output", type=click.Path(path_type=Path), default=None)
@click.option("--only", default="", help="Programs whose name contains this.")
@click.option("--seed", default=0)
@click.option("--minutes", default=0.0, help="Stop after so many; the programs come in random order.")
@click.option("--table", "as_table", is_flag=True, help="Print the committed run as a table in Markdown.")
@click.option("--show", is_flag=True, help="Print the survivors.")
def main(most: int, output: Path | None, only: str, seed: int, minutes: float, as_table: bool, show: bool) -> None:
    """Alters compiled programs, one thing at a time, and counts what the self-checks catch."""
    if as_table:
        click.echo(table(json.loads(RUNS.read_text())))
        return
    torch.set_num_threads(1)
    fates: list[Fate] = []
    every = [program for kind in programs.KINDS for program in kind()]
    random.Random(seed).shuffle(every)
    end = time.monotonic() + 60 * minutes if minutes else math.inf
    for program in every:
        if only in program.name and time.monotonic() < end:
            for fate in examined(program, most, seed):
                fates.append(fate)
                if show and fate.kind == CONTROL and fate.caught:
                    click.echo(f"FALSE ALARM {fate.program} {fate.form} {fate.caught} {fate.by}")
                if show and fate.kind != CONTROL and not fate.caught and not fate.equivalent:
                    click.echo(f"SURVIVED {fate.program} {fate.form} {fate.kind} {fate.place}")
    report = summary(fates, most, seed)
    click.echo(shown(report))
    if output:
        survivors = [asdict(one) for one in fates if not one.caught and not one.equivalent]
        output.write_text(json.dumps({**report, "survivors": survivors}, indent=1) + "\n")


def examined(program: Program, most: int, seed: int) -> Iterator[Fate]:
    """The fates of a sample of one program's mutants."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = list(_mutants(program))
    for form, kind, place, loss in sample(found, most, random.Random(f"{seed} {program.name}")):
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            check, by = caught(program, loss)
            same = not check and equivalent(program, loss)
        yield Fate(program.name, form, kind, place, check, by, same)


def _mutants(program: Program) -> Iterator[tuple[str, str, str, Any]]:
    own = program.compiled() if not program.name.startswith(("live/", "published/")) else None
    if own is not None:
        yield "own text", CONTROL, "", _executed(own, own.source)
        for one in text.mutants(own.source):
            yield "own text", one.kind, one.place, _executed(own, one.text)
        return
    loss = program.dispatched()
    if loss is not None:
        yield "dispatch", CONTROL, "", loss
        for kind, place, mutated in sites.mutants(loss, program.batch("floats", 0)):
            yield "dispatch", kind, place, mutated


def _executed(loss: Any, source: str) -> Any:
    """The loss class of a mutated text; `_hard` in g is what f records at the scores at hand."""
    module = types.ModuleType(loss.__module__)
    known = vars(__import__("sys").modules[loss.__module__])
    given = {name: value for name, value in known.items() if not name.startswith("__")}
    module.__dict__.update({**given, **alterations.NAMES})
    exec(compile(_hardened(source), "<mutant>", "exec"), module.__dict__)  # noqa: S102 - our own text
    made = getattr(module, loss.__name__)
    for name in ("bound", "returns", "ideal"):
        if name in vars(loss):
            setattr(made, name, vars(loss)[name])
    return made


def _hardened(source: str) -> str:
    """Gives g and rows that read `_hard` all parameters of f, and the recorded steps at these arguments."""
    import ast

    if "_hard" not in source:
        return source
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            methods = {one.name: one for one in node.body if isinstance(one, ast.FunctionDef)}
            if "f" not in methods:
                continue  # a class of the user's
            wanted = [a.arg for a in methods["f"].args.args[1:]] + [a.arg for a in methods["f"].args.kwonlyargs]
            for name in ("g", "rows"):
                if name in methods:
                    _widened(methods[name], wanted, methods)
    return ast.unparse(ast.fix_missing_locations(tree))


def _widened(method: Any, wanted: list[str], methods: Any) -> None:
    import ast

    method.args.args = [*method.args.args[:2], *(ast.arg(name) for name in wanted)]
    method.args.defaults, method.args.kwonlyargs, method.args.kw_defaults = [], [], []
    given = ", ".join(f"{name}={name}" for name in wanted)
    for call in ast.walk(method):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "self.rows":
            call.args = [ast.Name("binaries", ast.Load()), *(ast.Name(name, ast.Load()) for name in wanted)]
    if any(isinstance(one, ast.Name) and one.id == "_hard" for one in ast.walk(method)):
        first = 1 if isinstance(method.body[0], ast.Expr) and isinstance(method.body[0].value, ast.Constant) else 0
        method.body.insert(first, ast.parse(f"_hard = self.f({given})").body[0])


def sample(found: list[Any], most: int, draw: random.Random) -> list[Any]:
    """At most so many, one of every kind before a second of any."""
    by_kind: dict[str, list[Any]] = {}
    control = [one for one in found if one[1] == CONTROL]
    found = [one for one in found if one[1] != CONTROL]
    for one in draw.sample(found, len(found)):
        by_kind.setdefault(one[1], []).append(one)
    kinds = draw.sample(list(by_kind), len(by_kind))
    turns = itertools.chain.from_iterable(itertools.zip_longest(*(by_kind[kind] for kind in kinds)))
    return [*control, *(one for one in turns if one is not None)][: most + len(control)]


def caught(program: Program, loss: Any) -> tuple[str, str]:
    """The check that fails first, in compilation with an example or else in `verify` (also on a batch with ties)."""
    for by, kind, seconds in (
        (COMPILING, "floats", selfcheck.SECONDS),
        (VERIFY, "floats", None),
        (VERIFY, "ties", None),
    ):
        try:
            arguments = program.batch(kind, 0 if by == COMPILING else 5)
            program.value(arguments)
        except Exception:  # noqa: BLE001, S112 - the metric may refuse ties
            continue
        for check in selfcheck.CHECKS:
            (found,) = selfcheck.self_check(loss(), arguments, metric=program.metric, seconds=seconds, checks=(check,))
            if found.passed is False:
                return found.check, by
    return "", ""


def equivalent(program: Program, loss: Any) -> bool:
    """Whether nothing tells the mutant from the metric: on 24 batches, half of them tied, and across their scores."""
    for seed in range(100, 112):
        for kind in ("floats", "ties"):
            if not _agrees(program, loss, kind, seed):
                return False
    return True


def _agrees(program: Program, loss: Any, kind: str, seed: int) -> bool:
    here, other = program.batch(kind, seed), program.batch("ties" if seed % 3 == 0 else kind, seed + 1000)
    there = {**here, **{name: other[name] for name in program.scores}}
    if any(np.shape(there[name]) != np.shape(here[name]) for name in program.scores):
        there = here
    try:
        want, wanted = program.value(here), program.value(there)
    except Exception:  # noqa: BLE001 - not for this batch, says the metric
        return True
    try:
        criterion = loss()
        recorded, moved = criterion.record(**here), criterion.record(**there)
        if not _close(float(criterion.replay(recorded.with_flat(recorded.flat), **here)), want):
            return False
        if criterion.mixed or there is here:
            return True
        same = len(recorded.flat) == len(moved.flat) and kind == "floats" and seed % 3
        carried = (recorded if same else moved).with_flat(moved.flat)
        return _close(float(criterion.replay(carried, **here)), wanted)
    except Exception:  # noqa: BLE001 - a mutant that breaks is no equivalent
        return False


def _close(ours: float, theirs: float) -> bool:
    return math.isclose(ours, theirs, rel_tol=2e-5, abs_tol=2e-6) or (math.isnan(ours) and math.isnan(theirs))


def summary(fates: list[Fate], most: int, seed: int) -> dict[str, Any]:
    """Counts by kind and by check."""
    controls = [one for one in fates if one.kind == CONTROL]
    fates = [one for one in fates if one.kind != CONTROL]
    kinds = {}
    for kind in dict.fromkeys(one.kind for one in fates):
        mine = [one for one in fates if one.kind == kind]
        kinds[kind] = {
            "tried": len(mine),
            "equivalent": sum(one.equivalent for one in mine),
            "caught": sum(bool(one.caught) for one in mine),
            "by compilation": sum(one.by == COMPILING for one in mine),
            "checks": dict(Counter(one.caught for one in mine if one.caught).most_common()),
        }
    different = [one for one in fates if not one.equivalent]
    return {
        "programs": len({one.program for one in fates}),
        "unaltered programs": len(controls),
        "unaltered but failed": [(one.program, one.caught, one.by) for one in controls if one.caught],
        "mutants": len(fates),
        "equivalent": len(fates) - len(different),
        "different": len(different),
        "caught": sum(bool(one.caught) for one in different),
        "caught by compilation": sum(one.by == COMPILING for one in different),
        "share": sum(bool(one.caught) for one in different) / max(len(different), 1),
        "share by compilation": sum(one.by == COMPILING for one in different) / max(len(different), 1),
        "most": most,
        "seed": seed,
        "kinds": kinds,
        "forms": {
            form: [sum(bool(one.caught) for one in different if one.form == form),
                   sum(one.form == form for one in different)]
            for form in dict.fromkeys(one.form for one in fates)
        },
    }  # fmt: skip


def table(report: dict[str, Any]) -> str:
    """The kinds as a table in Markdown, for docs/internals.md."""
    lines = ["| what is altered | tried | equivalent | caught | by which check first |", "|---|---|---|---|---|"]
    for kind, row in sorted(report["kinds"].items()):
        checks = ", ".join(f"`{check}` {count}" for check, count in row["checks"].items()) or "–"
        lines.append(f"| {kind} | {row['tried']} | {row['equivalent']} | {row['caught']} | {checks} |")
    return "\n".join(lines)


def shown(report: dict[str, Any]) -> str:
    """The report as lines."""
    lines = [
        f"{kind:30s} tried {row['tried']:4d}  equivalent {row['equivalent']:3d}  caught {row['caught']:4d}  "
        f"by compilation {row['by compilation']:4d}  {row['checks']}"
        for kind, row in report["kinds"].items()
    ]
    return "\n".join([*lines, str({k: v for k, v in report.items() if k != "kinds"})])


if __name__ == "__main__":
    main()
