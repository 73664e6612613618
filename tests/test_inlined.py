"""A metric inside an evaluation loop is found, wherever the loop stands, and the lines to lift out of it compile."""

from __future__ import annotations

import re

import pytest

from metric2loss.compiler import Options, compile_text
from metric2loss.diagnostics import MetricError

SCRIPT = """import torch

correct = total = 0
for x, y in loader:
    out = model(x)
    pred = out.argmax(1)
    correct += (pred == y).sum()
    total += len(y)
print(correct / total)
"""
EVALUATE = """import torch


def evaluate(model, loader, device):
    model.eval()
    hits, n = 0, 0
    with torch.no_grad():
        for batch in loader:
            images, labels = batch[0].to(device), batch[1].to(device)
            logits = model(images)
            _, pred = logits.topk(5, 1)
            match = pred.eq(labels.view(-1, 1))
            hits += match.any(1).float().sum().item()
            n += labels.size(0)
    return hits / n
"""
METHOD = """import numpy as np


class Trainer:
    def validate(self, val_loader):
        f1s = []
        for i, (images, masks) in enumerate(val_loader):
            images = images.cuda()
            with torch.no_grad():
                output = torch.sigmoid(self.net(images))
                loss = self.criterion(output, masks)
            binary = output > 0.5
            overlap = (binary * masks).sum()
            f1s.append(2 * overlap / (binary.sum() + masks.sum()))
        return np.mean(f1s)
"""
CASES = {
    "script": (SCRIPT, 6, "def metric(out, y):", "(pred == y).sum() / len(y)"),
    "function": (EVALUATE, 11, "def metric(logits, labels):", "match.any(1).float().sum() / labels.size(0)"),
    "method": (METHOD, 12, "def metric(output, masks):", "2 * overlap / (binary.sum() + masks.sum())"),
}


def refusal(text):
    with pytest.raises(MetricError) as caught:
        compile_text(text, "train.py")
    return caught.value.diagnostics[0]


@pytest.mark.parametrize("case", CASES)
def test_the_lines_to_lift_are_shown(case):
    text, line, head, value = CASES[case]
    found = refusal(text)
    assert (found.code, found.span.line) == ("M2L114", line)
    assert head in found.hint
    assert f"return {value}" in found.hint


@pytest.mark.parametrize("case", CASES)
def test_what_is_shown_compiles(case):
    hint = refusal(CASES[case][0]).hint
    lifted = hint[hint.index("def metric") : hint.index("\nCompile it")]
    scores = re.search(r"--scores ([\w,]+)", hint)[1]
    compiled = compile_text(f"import torch\nimport numpy as np\n\n\n{lifted}\n", "lifted.py", Options(scores=(scores,)))
    assert compiled.metrics[0].class_name == "MetricLoss"


@pytest.mark.parametrize(
    "text",
    [
        "for x, y in loader:\n    loss = criterion(model(x), y)\n    loss.backward()\n",
        "total = 0\nfor x in loader:\n    total += model(x).sum()\n",
        "def evaluate(model, loader):\n    return [model(x) for x in loader]\n",
    ],
    ids=["a training loop", "no step", "no loop"],
)
def test_other_loops_are_not_taken_for_one(text):
    assert refusal(text).code in ("M2L103", "M2L104")
