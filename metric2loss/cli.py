"""Turns command lines into compiled, explained and verified losses; answers without torch wherever it can."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from metric2loss import __version__, inputs, names, writing
from metric2loss.diagnostics import Diagnostic, MetricError
from metric2loss.names import Direction

if TYPE_CHECKING:
    from metric2loss.compiler import Compiled, Options

FAILED, REFUSED = 1, 2


def _names(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    """`a,b` as the tuple ("a", "b")."""
    if value is None:
        return None
    found = tuple(part.strip() for part in value.split(","))
    if not all(part.isidentifier() for part in found):
        raise click.BadParameter(f"{value!r} is not a list of parameter names like `scores` or `pos,neg`")
    return found


def _key_or_index(ctx: click.Context, param: click.Parameter, value: str | None) -> str | int | None:
    """`2` as the index 2, anything else as a key."""
    return int(value) if value is not None and value.removeprefix("-").isdecimal() else value


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="metric2loss")
def main() -> None:
    """Turn the function that computes your metric into the PyTorch loss that trains it.

    \b
    metric2loss compile my_metric.py         write my_metric_loss.py beside it
    metric2loss explain my_metric.py         the same decisions, shown on your own source
    metric2loss verify  my_metric_loss.py    check the loss against your metric
    metric2loss rules                        the step operations that are understood

    \b
    Then, where you train:
        from my_metric_loss import AccuracyLoss
        criterion = AccuracyLoss()
        loss = criterion(model(x), y); loss.backward()
        print(criterion.metric)              the exact metric of the batch

    Exit codes: 0 all is well, 1 a check failed or a module is stale, 2 refused (the reason is printed).
    """


@dataclass(frozen=True)
class Reading:
    """The options that say how a metric is to be read, as given on the command line."""

    functions: tuple[str, ...]
    scores: tuple[str, ...] | None
    targets: tuple[str, ...] | None
    direction: Direction | None
    returns: str | int | None

    def options(self) -> Options:
        from metric2loss.compiler import Options  # libcst: not for --help or --version

        return Options(self.functions or None, self.scores, self.targets, self.direction, self.returns)


_READING = (
    click.option(
        "--function",
        "-f",
        "functions",
        multiple=True,
        metavar="NAME",
        help="Compile this function (repeatable). Default: every public function that has a score parameter and that "
        "no other one calls.",
    ),
    click.option(
        "--scores",
        metavar="NAME[,NAME]",
        callback=_names,
        help="The parameters that hold scores. Default: found by name.",
    ),
    click.option(
        "--targets",
        metavar="NAME[,NAME]",
        callback=_names,
        help="The parameters that hold targets. Default: all others.",
    ),
    click.option(
        "--direction",
        type=click.Choice(["maximize", "minimize"]),
        help="Whether larger is better. Default: by name, else at first use.",
    ),
    click.option(
        "--returns",
        metavar="KEY|INDEX",
        callback=_key_or_index,
        help="Which value of a tuple, list or dict is the metric.",
    ),
)


def _reading_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options of `Reading`, which `compile` and `explain` share, and hands them over as one argument."""

    @functools.wraps(command)
    def collected(**given: Any) -> None:
        command(reading=Reading(**{field.name: given.pop(field.name) for field in fields(Reading)}), **given)

    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(_READING), collected)


@main.command("compile", short_help="Write FILE_loss.py beside FILE.py.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Where to write. Default: FILE_loss.py.")
@_reading_options
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if the generated module is missing or stale.")
@click.option(
    "--dump", metavar="STAGE", help="Print one stage of the compiler instead of writing; '--dump help' lists."
)
@click.option(
    "--example",
    metavar="DATA",
    help="Try the loss on this batch: FILE.npz, or module:function that returns the arguments. Decides what only a "
    "run can tell.",
)
@click.option("--force", is_flag=True, help="Replace an output file even if metric2loss did not generate it.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but refusals.")
def compile_command(
    files: tuple[Path, ...],
    output: Path | None,
    reading: Reading,
    check: bool,
    dump: str | None,
    example: str | None,
    force: bool,
    quiet: bool,
) -> None:
    """Write the loss of every metric in FILE to FILE_loss.py and say what was decided.

    FILE is read, never imported or run. If one metric is refused, nothing is written.

    \b
    metric2loss compile accuracy.py
    metric2loss compile metrics.py --function ndcg --scores predicted -o losses/ndcg.py
    metric2loss compile detection.py --returns mAP         the metric returns a dict
    metric2loss compile metrics/*.py --check               for continuous integration
    metric2loss compile accuracy.py --example batch.npz    try it on arrays named like the parameters
    """
    if output is not None and len(files) > 1:
        raise click.UsageError("-o names one file, but several are to be compiled; leave it out or compile one by one")
    with _reporting("nothing written"):
        options = reading.options()
        files = _without_generated(files)
        if dump is not None:
            return _dump(files, options, dump)
        compiled = _compile_all(files, options)
        texts = {output or names.loss_path(path): found.text for path, found in compiled.items()}
        if check:
            return _check(texts, quiet)
        writing.check_targets(texts, compiled, force)
        unchanged = {path for path, text in texts.items() if path.exists() and writing.read_source(path) == text}
        batch = inputs.read_example(example) if example is not None else None
        writing.write_all({path: text for path, text in texts.items() if path not in unchanged})
    if not quiet:
        _tell(compiled, tuple(texts), unchanged)
    if batch is not None:
        _try(tuple(texts), batch)


@main.command("explain", short_help="Show the decisions on your own source.")
@click.argument("file", type=click.Path(path_type=Path))
@_reading_options
def explain_command(
    file: Path,
    reading: Reading,
) -> None:
    """Show FILE with each line marked by where it goes, and each step with its rule.

    \b
    f   computes score differences             (differentiable, runs once a batch)
    h   is a step: turns differences into binary variables
    g   the rest of the metric                 (evaluated exactly at many configurations)

    FILE is read, never imported or run.

    \b
    metric2loss explain accuracy.py
    metric2loss explain metrics.py --function ndcg
    """
    with _reporting():
        compiled = _compile_all((file,), reading.options())[file]
        text = writing.read_source(file)
    from metric2loss.explain import explain  # rich: only where something is drawn

    explain(file, text, compiled.metrics)


@main.command("verify", short_help="Check a generated loss against the metric it came from.")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE_loss.py")
@click.option(
    "--source", type=click.Path(path_type=Path), help="The metric's file. Default: the one named in the module."
)
@click.option(
    "--example",
    metavar="DATA",
    help="Check on this batch: FILE.npz, or module:function that returns the arguments. Default: random batches made "
    "from the parameter names.",
)
@click.option(
    "--returns",
    metavar="KEY|INDEX",
    callback=_key_or_index,
    help="Which value of the metric's tuple, list or dict the loss was made for.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the random batches and configurations.")
@click.option(
    "--certificate",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the certificate, too: as JSON to FILE.json, as Markdown to any other.",
)
def verify_command(
    file: Path,
    source: Path | None,
    example: str | None,
    returns: str | int | None,
    seed: int,
    certificate: Path | None,
) -> None:
    """Run the loss against the metric and print a certificate: of what, where, and what every check found.

    This is the one command that imports and runs your own file. The exit code is 1 when a check failed.

    \b
    metric2loss verify accuracy_loss.py
    metric2loss verify accuracy_loss.py --example batch.npz
    metric2loss verify accuracy_loss.py --example my_data:one_batch
    metric2loss verify accuracy_loss.py --certificate accuracy.json
    """
    with _reporting():
        from metric2loss.verify import verify  # torch: only where something is run

        passed = verify(file, source, example, seed, returns, certificate)
    if not passed:
        sys.exit(FAILED)


@main.command("rules", short_help="List the step operations that are understood.")
@click.argument("name", required=False)
def rules_command(name: str | None) -> None:
    """List every rule: its identity and the spellings it answers to; NAME shows one in full."""
    with _reporting():
        from metric2loss.explain import show_rules  # rich: only where something is drawn

        show_rules(name)


@contextmanager
def _reporting(consequence: str = "", code: int = REFUSED) -> Iterator[None]:
    """Prints the diagnostics of a `MetricError` and leaves with an exit code, that for a refusal if no other."""
    try:
        yield
    except MetricError as error:
        for line in str(error).splitlines():
            click.echo(_paint(line), err=True)
        count = len(error.diagnostics)
        summary = f"{count} {'error' if count == 1 else 'errors'}{consequence and ', '}{consequence}"
        click.secho(f"\n{summary}", bold=True, err=True)
        sys.exit(code)


def _paint(line: str) -> str:
    """One line of a rendered diagnostic, coloured by what it is."""
    stripped = line.lstrip()
    if stripped.startswith(("error[", "warning[")):
        return click.style(line, fg="red" if stripped.startswith("error") else "yellow", bold=True)
    if stripped.strip("|^ \t") == "" and "^" in stripped:
        return click.style(line, fg="red")
    if stripped.startswith("= hint:"):
        return click.style(line, fg="green")
    return line


def _without_generated(files: tuple[Path, ...]) -> tuple[Path, ...]:
    """Of several files those that a person wrote, so that `metrics/*.py` means the metrics."""
    if len(files) == 1:
        return files
    return tuple(path for path in files if not path.is_file() or not writing.is_generated(writing.read_source(path)))


def _compile_all(files: tuple[Path, ...], options: Options) -> dict[Path, Compiled]:
    """Every file compiled, or one error with the diagnostics of all."""
    from metric2loss.compiler import compile_text

    compiled: dict[Path, Compiled] = {}
    refused: list[Diagnostic] = []
    sources: dict[str, str] = {}
    for path in files:
        try:
            compiled[path] = compile_text(writing.read_source(path), str(path), options)
        except MetricError as error:
            refused.extend(error.diagnostics)
            sources.update(error.sources)
    if refused:
        raise MetricError(refused, sources)
    return compiled


def _dump(files: tuple[Path, ...], options: Options, stage: str) -> None:
    from metric2loss.compiler import STAGES

    if stage == "help":
        click.echo("\n".join(STAGES))
        return
    if stage not in STAGES:
        hint = f"One of {', '.join(STAGES)}."
        raise MetricError(
            Diagnostic("M2L109", None, f"there is no stage `{stage}`", "--dump takes one stage of the compiler.", hint)
        )
    for path, compiled in _compile_all(files, options).items():
        if len(files) > 1:
            click.secho(f"# {path}", bold=True)
        click.echo(compiled.dump(stage))


def _check(texts: dict[Path, str], quiet: bool) -> None:
    found = {path: writing.stale(path, text) for path, text in texts.items()}
    for path, diagnostic in found.items():
        if diagnostic is not None:
            click.echo("\n".join(map(_paint, diagnostic.render().splitlines())), err=True)
        elif not quiet:
            click.echo(f"{path} is up to date")
    if any(found.values()):
        sys.exit(FAILED)


def _tell(compiled: dict[Path, Compiled], outputs: tuple[Path, ...], unchanged: set[Path]) -> None:
    from metric2loss import report

    for (path, found), output in zip(compiled.items(), outputs, strict=True):
        click.echo(report.written(path, output, unchanged=output in unchanged))
        for metric in found.metrics:
            click.echo("\n".join(report.decisions(metric)))


def _try(outputs: tuple[Path, ...], example: inputs.Example) -> None:
    """What only a run can tell, on the batch the user gave; the generated module runs, the user's file does not."""
    with _reporting("written, but wrong on the example", FAILED):
        from metric2loss.verify import try_example

        for output in outputs:
            try_example(output, example)
