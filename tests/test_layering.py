"""Holds the imports to the order of the pipeline, and functions and modules to a readable size; run as a module it prints the sizes."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from pathlib import Path
from statistics import median

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "metric2loss"
ROOT = PACKAGE.parent

BOTTOM = {"_version", "diagnostics", "step", "names"}  # standard library only
STREET = (  # each sees what is before it
    "source",
    "frontend",
    "analysis",
    "factor",
    "lowering",
    "rows",
    "codegen",
    "describe",
    "dump",
    "compiler",
)
FACES = {
    "__init__",
    "__main__",
    "cli",
    "decorator",
    "live",
    "loading",
    "inputs",
    "explain",
    "verify",
    "report",
    "routes",
    "writing",
}

THIRD_PARTY = {
    "libcst": set(STREET),
    "networkx": {"analysis", "factor", "rows"},
    "torch": {"runtime", "verify"},
    "numpy": {"runtime", "verify"},
    "click": FACES,
    "rich": FACES,
}

LONGEST_FUNCTION = 40
LONGEST_MODULE = 600


@dataclass(frozen=True)
class Module:
    """One file of the package."""

    path: Path

    @property
    def name(self) -> str:
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def part(self) -> str:
        """The module or folder directly under metric2loss that this file belongs to."""
        return self.path.relative_to(PACKAGE).parts[0].removesuffix(".py")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"))

    def imports(self, everywhere: bool) -> Iterator[str]:
        """Dotted names imported; with `everywhere` also inside functions, never those for type checking only."""
        nodes: list[ast.AST] = [self.tree]
        while nodes:
            node = nodes.pop()
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.name}: relative import in line {node.lineno}"
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            elif is_type_checking(node) or (not everywhere and isinstance(node, ast.FunctionDef)):
                continue
            nodes.extend(ast.iter_child_nodes(node))

    def functions(self) -> Iterator[tuple[str, int]]:
        """Name and length of every function, docstring not counted."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
                assert node.end_lineno is not None
                yield f"{self.name}.{node.name}", node.end_lineno - first.lineno + 1


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def modules() -> list[Module]:
    return [Module(path) for path in sorted(PACKAGE.rglob("*.py"))]


def allowed(part: str) -> set[str]:
    """The parts of the package that a part may import, beside itself."""
    if part in BOTTOM:
        return BOTTOM - {part}
    if part == "rules":
        return {"step"}
    if part == "runtime":
        return BOTTOM | {"rules"}
    if part in STREET:
        return BOTTOM | {"rules"} | set(STREET[: STREET.index(part)])
    assert part in FACES, f"{part} has no place in the layering; give it one in {Path(__file__).name}"
    return BOTTOM | FACES | set(STREET) | {"rules", "runtime"}


def part_of(imported: str) -> str | None:
    """`metric2loss.rules.order` -> rules; `metric2loss.__version__` -> __init__; None for other packages."""
    head, _, rest = imported.partition(".")
    if head != "metric2loss":
        return None
    part = rest.partition(".")[0]
    return part if (PACKAGE / part).is_dir() or (PACKAGE / f"{part}.py").exists() else "__init__"


def ids(module: Module) -> str:
    return module.name


@pytest.mark.parametrize("module", modules(), ids=ids)
def test_imports_run_down_the_street(module: Module) -> None:
    parts = {part_of(imported) for imported in module.imports(everywhere=True)} - {None, module.part}
    may = allowed(module.part)
    assert parts <= may, f"{module.name} may not import {sorted(map(str, parts - may))}"


@pytest.mark.parametrize("module", modules(), ids=ids)
def test_third_party_packages_stay_where_they_belong(module: Module) -> None:
    roots = {imported.partition(".")[0] for imported in module.imports(everywhere=module.part not in FACES)}
    wrong = {name for name in roots if module.part not in THIRD_PARTY.get(name, {module.part})}
    assert not wrong, f"{module.name} may not import {sorted(wrong)}"
    assert not any(name.startswith("libcst.matchers") for name in module.imports(everywhere=True)), "slow to import"


def test_the_bottom_needs_the_standard_library_only() -> None:
    for module in modules():
        if module.part in BOTTOM:
            roots = {imported.partition(".")[0] for imported in module.imports(everywhere=True)}
            assert roots <= {*sys.stdlib_module_names, "metric2loss"}, module.name


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    names = {module.name for module in modules()}
    graph: dict[str, set[str]] = {}
    for module in modules():
        found = set(module.imports(everywhere=False))
        targets = {name if name in names else name.rpartition(".")[0] for name in found} & names
        graph[module.name] = targets - {module.name, "metric2loss"}
    TopologicalSorter(graph).prepare()  # raises CycleError with the circle


@pytest.mark.parametrize("module", modules(), ids=ids)
def test_modules_and_functions_are_of_readable_size(module: Module) -> None:
    lines = len(module.path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST_MODULE, f"{module.name} has {lines} lines"
    too_long = {name: length for name, length in module.functions() if length > LONGEST_FUNCTION}
    assert not too_long


@pytest.mark.parametrize("module", modules(), ids=ids)
def test_every_module_opens_with_one_sentence(module: Module) -> None:
    assert ast.get_docstring(module.tree), f"{module.name} says nowhere what it turns into what"


def loaded_by(code: str) -> set[str]:
    """Top-level packages loaded in a fresh interpreter after `code`."""
    report = f"{code}\nimport sys; print('loaded', *{{name.partition('.')[0] for name in sys.modules}})"
    answer = subprocess.run([sys.executable, "-c", report], cwd=ROOT, check=True, capture_output=True, text=True)
    return set(answer.stdout.rpartition("loaded")[2].split())


def test_importing_the_package_is_light() -> None:
    assert not loaded_by("import metric2loss") & {"torch", "libcst", "networkx", "numpy", "rich"}


def test_compiling_a_file_needs_no_torch(tmp_path: Path) -> None:
    output = tmp_path / "accuracy_loss.py"
    arguments = ["compile", str(ROOT / "examples/metrics/accuracy.py"), "-o", str(output)]
    loaded = loaded_by(f"from metric2loss.cli import main\nmain({arguments!r}, standalone_mode=False)")
    assert output.exists()
    assert not loaded & {"torch", "numpy"}


def test_a_generated_module_needs_nothing_of_the_compiler(tmp_path: Path) -> None:
    output = tmp_path / "accuracy_loss.py"
    arguments = ["compile", str(ROOT / "examples/metrics/accuracy.py"), "-o", str(output)]
    loaded_by(f"from metric2loss.cli import main\nmain({arguments!r}, standalone_mode=False)")
    assert not loaded_by(f"import runpy; runpy.run_path({str(output)!r})") & {"libcst", "networkx", "click", "rich"}


def report_sizes() -> None:
    """Sizes of modules and functions, for a look now and then."""
    lengths = {module.name: len(module.path.read_text(encoding="utf-8").splitlines()) for module in modules()}
    functions = dict(pair for module in modules() for pair in module.functions())
    ordered = sorted(functions.values())
    print(f"{len(lengths)} modules, {sum(lengths.values())} lines, median {median(lengths.values()):.0f}")
    print(f"{len(functions)} functions, median {median(ordered):.0f}, 90 % up to {ordered[int(0.9 * len(ordered))]}")
    for what, sizes in (("longest modules", lengths), ("longest functions", functions)):
        print(what)
        for name, size in sorted(sizes.items(), key=lambda item: -item[1])[:12]:
            print(f"  {size:4d}  {name}")


if __name__ == "__main__":
    report_sizes()
