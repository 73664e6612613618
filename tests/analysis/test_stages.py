"""What every stage finds: sites, levels, definitions, slices, frozen steps, supposed classes, rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import libcst as cst
import pytest

from metric2loss.analysis.aliases import aliases
from metric2loss.analysis.facts import FunctionFacts, Level
from metric2loss.analysis.graphs import needed_for_result
from metric2loss.codegen.g_side import GSide
from metric2loss.codegen.unit import Unit
from metric2loss.compiler import Compiled, Options, compile_text

METRICS = Path(__file__).resolve().parents[2] / "examples" / "metrics"
# line, rule, name, binaries of every site of every example
SITES = {
    "abstention": ["10 choose cost Σ m·(p−m) over rows"],
    "accuracy": ["6 choose choose n·(p−1)"],
    "accuracy_torch": ["6 choose choose n·(p−1)"],
    "average_precision": ["10 order order Σ nₐ·n_b over classes a < b"],
    "average_precision_torch": ["6 order order Σ nₐ·n_b over classes a < b"],
    "balanced_accuracy": ["6 choose y_pred n·p·(p−1)/2"],
    "concordance": ["14 compare concordant 2·n"],
    "dice_torch": ["7 compare compare n"],
    "expected_cost": ["15 choose choose Σ m·(p−m) over rows"],
    "f1_threshold": ["9 compare compare n"],
    "f1_torch": ["6 compare preds n"],
    "f_beta": ["6 compare said_yes n"],
    "fpr_at_tpr": ["14 compare compare n"],
    "hit_rate": ["7 compare compare n"],
    "jaccard_torch": ["7 compare compare n"],
    "ks_statistic": ["6 order order Σ nₐ·n_b over classes a < b"],
    "lrap": ["12 compare as_high 1"],
    "macro_f1": ["7 choose y_pred n·p·(p−1)/2"],
    "mcc": ["6 compare compare n"],
    "mean_iou": ["10 choose pred n·p·(p−1)/2"],
    "mrr": ["8 order order Σ nₐ·n_b over classes a < b"],
    "ndcg": ["24 order order Σ nₐ·n_b over classes a < b"],
    "ndcg_torch": ["9 order rank Σ nₐ·n_b over classes a < b"],
    "pairwise_accuracy": ["8 compare compare 2·1"],
    "pckh": ["13 choose found Σ m·(p−m) over rows"],
    "precision_at_k": ["8 order best_first n·(n−1)/2"],
    "qwk": ["6 rounding rounding n·K"],
    "recall_at_k": ["9 order order Σ nₐ·n_b over classes a < b"],
    "roc_auc": ["7 order order Σ nₐ·n_b or n·(n−1)/2"],
    "roc_auc_torch": ["8 compare compare 2·n"],
    "spearman": ["10 order order Σ nₐ·n_b or n·(n−1)/2"],
    "subset_accuracy": ["9 compare compare n"],
    "topk_accuracy": ["10 order pred Σ nₐ·n_b or n·(n−1)/2"],
    "worst_group": ["6 choose correct n·(p−1)"],
}


def compiled(text: str, **options: object) -> Compiled:
    return compile_text(text, "metric.py", Options(**options))  # type: ignore[arg-type]


def unit_of(text: str, **options: object) -> Unit:
    return compiled(text, **options).stages.parts[0].unit


def levels(facts: FunctionFacts) -> dict[str, set[str]]:
    """Name → the levels it is read at."""
    found: dict[str, set[str]] = {}
    for node in facts.reach:
        if isinstance(node, cst.Name) and facts.reach[node]:
            found.setdefault(node.value, set()).add(facts.level(node).name.lower())
    return found


def g_text(unit: Unit) -> str:
    return cst.Module(GSide(unit).body()).code


@pytest.mark.parametrize("path", sorted(METRICS.glob("*.py")), ids=lambda path: path.stem)
def test_sites_of_the_examples(path: Path) -> None:
    report = compile_text(path.read_text(), path.name).metrics[0]
    assert [f"{s.span.line} {s.rule} {s.name} {s.binaries}" for s in report.sites] == SITES[path.stem]


def test_a_step_makes_active_values_discrete() -> None:
    text = """
def metric(scores, labels):
    n = len(scores)
    shifted = scores - 0.5
    chosen = shifted > 0
    hits = (chosen * labels).sum()
    return hits / n
"""
    found = levels(unit_of(text).facts)
    assert found["scores"] == found["shifted"] == {"active"}
    assert found["chosen"] == found["hits"] == {"discrete"}
    assert found["n"] == found["labels"] == {"passive"}


def test_what_a_step_decides_is_discrete_even_when_it_is_written_as_a_constant() -> None:
    text = """
def metric(scores, labels):
    right = 0
    for s, y in zip(scores, labels):
        if s > 0.5:
            right = y
    return right
"""
    unit = unit_of(text)
    assert unit.facts.result is Level.DISCRETE


def test_subscript_and_augmented_writes_keep_the_definitions_before_them() -> None:
    text = """
import numpy as np
def metric(scores, labels):
    counts = np.zeros(2)
    counts[0] = (scores > 0.5).sum()
    counts[1] += labels.sum()
    np.add.at(counts, [0], 1)
    return counts[0] / counts[1]
"""
    unit = unit_of(text)
    final = [n for n in unit.facts.reach if isinstance(n, cst.Name) and n.value == "counts"][-1]
    assert len(unit.facts.reach[final]) == 4
    assert g_text(unit).count("counts") == 6


@pytest.mark.parametrize(
    ("line", "name", "changes"),
    [
        ("row = table[0]", "row", {"row", "table"}),
        ("a = b", "a", {"a", "b"}),
        ("view = x.reshape(-1).T", "view", {"view", "x"}),
        ("kept.append(row)", "row", {"kept", "row"}),
        ("kept.append(row)", "kept", {"kept"}),
        ("a, b = x, y", "a", {"a", "x"}),
        ("for i, row in enumerate(table): pass", "row", {"row", "table"}),
        ("copy = x + 1", "copy", {"copy"}),
        ("m = x[x > 0]", "m", {"m"}),
    ],
)
def test_names_that_share_memory(line: str, name: str, changes: set[str]) -> None:
    function = cst.parse_module(f"def f():\n    {line}\n").body[0]
    assert isinstance(function, cst.FunctionDef)
    assert aliases(function).get(name, frozenset({name})) == changes


@pytest.mark.parametrize("stem", ["average_precision", "macro_f1", "mrr", "qwk", "mean_iou", "f1_torch"])
def test_an_edge_less_in_the_graph_is_a_line_less_in_g(stem: str) -> None:
    path = METRICS / f"{stem}.py"
    unit = compile_text(path.read_text(), path.name).stages.parts[0].unit
    whole = g_text(unit)
    kept = [n for n in unit.factors.g if isinstance(n, int) and n >= 0 and n not in unit.facts.returns]
    assert kept
    for number in kept:
        graph = unit.factors.graph.copy()
        graph.remove_edges_from(list(graph.out_edges(number)))
        smaller = replace(unit.factors, graph=graph, g=needed_for_result(graph))
        assert len(g_text(replace(unit, factors=smaller))) < len(whole)


def test_a_step_that_only_prepares_scores_is_frozen() -> None:
    text = """
import numpy as np
def accuracy(scores, labels):
    if scores.min() < 0:
        scores = 1 / (1 + np.exp(-scores))
    return ((scores > 0.5) == labels).mean()
"""
    found = compiled(text)
    assert [s.source for s in found.metrics[0].sites] == ["scores > 0.5"]
    assert "if scores.min() < 0:" in found.text
    assert any("kept as written" in note for note in found.metrics[0].notes)


def test_where_an_order_does_more_than_gather_the_targets_are_supposed_to_tell_items_apart() -> None:
    path = METRICS / "roc_auc.py"
    assert "supposed_apart_by=(y_true,)" in compile_text(path.read_text(), path.name).text


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        ("return np.mean(np.argmax(scores, axis=1) == labels)", "return steps.choose.result(binaries)"),
        ("return 100 * (np.argmax(scores, axis=1) == labels).mean()", "return steps.choose.result(binaries)"),
        ("return np.mean([y[np.argmax(s)] for s, y in zip(scores, labels)])", "return {k: "),
        (
            "found = []\n    for s, y in zip(scores, labels):\n        found.append(y[np.argmax(s)])\n    return np.mean(found)",
            "found[k] = ",
        ),
        (
            "total = 0.0\n    for s, y in zip(scores, labels):\n        total += y[np.argmax(s)]\n    return total / len(scores)",
            "total[k] = ",
        ),
    ],
    ids=["array", "scaled array", "comprehension", "list", "sum"],
)
def test_a_mean_over_rows_is_recognised(body: str, rows: str) -> None:
    found = compiled(f"import numpy as np\ndef accuracy(scores, labels):\n    {body}\n")
    assert found.metrics[0].separable is not None
    assert rows in found.text.partition("def rows(")[2].partition("def g(")[0]


@pytest.mark.parametrize(
    "body",
    [
        "return labels[scores > 0.5].mean()",
        "found = []\n    for s, y in zip(scores, labels):\n        if s > 0.5:\n            found.append(y)\n    return np.mean(found)",
        "return np.mean([y for s, y in zip(scores, labels) if s > 0.5])",
    ],
    ids=["mask", "guarded append", "filter"],
)
def test_a_mean_over_what_a_step_lets_through_is_no_mean_over_rows(body: str) -> None:
    assert compiled(f"import numpy as np\ndef accuracy(scores, labels):\n    {body}\n").metrics[0].separable is None


def test_the_graphs_are_printed_one_below_the_other() -> None:
    path = METRICS / "average_precision.py"
    text = compile_text(path.read_text(), path.name).dump("graph")
    assert text.index("f-graph") < text.index("h-graph") < text.index("g-graph")
    assert "line 11: hits = labels[order]  <-  line 10: order = np.argsort(-scores), parameters" in text


@pytest.mark.parametrize(
    ("leaves", "told_apart"),
    [("continue", True), ("break", False), ("return 0.0", False)],
)
def test_what_skips_one_turn_of_a_loop_decides_nothing_about_the_others(leaves: str, told_apart: bool) -> None:
    text = (
        "import numpy as np\ndef mean_of_hits(scores, labels):\n    values = []\n    for c in range(scores.shape[1]):\n"
        "        y = (labels == c)[np.argsort(-scores[:, c])]\n"
        f"        if y[:3].sum() == 0:\n            {leaves}\n"
        "        values.append(y[:5].sum() / y.sum())\n    return np.mean(values)\n"
    )
    assert ("told_apart_by=((labels == c),)" in compiled(text).text) is told_apart


def test_in_a_loop_items_are_supposed_to_be_told_apart_by_what_the_turn_makes_of_the_targets() -> None:
    text = (
        "import numpy as np\ndef macro_auc(scores, labels):\n    found = []\n    for c in range(scores.shape[1]):\n"
        "        y = labels == c\n        p, n = y.sum(), (~y).sum()\n        if p == 0 or n == 0:\n            continue\n"
        "        rank = np.empty(len(y))\n        rank[np.argsort(scores[:, c])] = np.arange(1, len(y) + 1)\n"
        "        found.append((rank[y].sum() - p * (p + 1) / 2) / (p * n))\n    return np.mean(found)\n"
    )
    assert "supposed_apart_by=(labels == c,)" in compiled(text).text
