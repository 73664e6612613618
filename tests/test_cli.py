"""The command line as a new user meets it: real files, real output, real exit codes."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from metric2loss.cli import main

ROOT = Path(__file__).parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
EXAMPLES = ROOT / "examples" / "metrics"
ACCURACY = (EXAMPLES / "accuracy.py").read_text(encoding="utf-8")
REFUSED = "def mean_score(scores, labels):\n    return (scores * labels).mean()\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("accuracy.py").write_text(ACCURACY, encoding="utf-8")
    return tmp_path


def run(*arguments, code=0):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output + repr(result.exception)
    return result.output


def test_help_teaches_by_examples():
    assert "metric2loss compile my_metric.py" in run("--help")
    for command in ("compile", "explain", "verify"):
        assert f"  metric2loss {command} accuracy" in run(command, "--help")


def test_compile_writes_the_module_beside_its_source_and_tells(folder):
    output = run("compile", "accuracy.py")
    assert "accuracy.py → accuracy_loss.py" in output
    assert "AccuracyLoss" in output
    assert "np.argmax(scores, axis=1)" in output
    assert "class AccuracyLoss(SurrogateLoss):" in Path("accuracy_loss.py").read_text(encoding="utf-8")


def test_compile_never_runs_the_file(folder):
    Path("accuracy.py").write_text(ACCURACY + "\nopen('ran', 'w').close()\n", encoding="utf-8")
    run("compile", "accuracy.py")
    assert not Path("ran").exists()


def test_compiling_again_changes_nothing(folder):
    run("compile", "accuracy.py")
    before = Path("accuracy_loss.py").stat()
    assert "(unchanged)" in run("compile", "accuracy.py")
    assert Path("accuracy_loss.py").stat().st_mtime_ns == before.st_mtime_ns


def test_quiet_prints_nothing(folder):
    assert run("compile", "accuracy.py", "-q") == ""


def test_output_goes_where_it_is_told(folder):
    run("compile", "accuracy.py", "-o", "other.py")
    assert Path("other.py").exists()
    assert not Path("accuracy_loss.py").exists()


def test_several_files_are_written_together_or_not_at_all(folder):
    Path("mean.py").write_text(REFUSED, encoding="utf-8")
    output = run("compile", "accuracy.py", "mean.py", code=2)
    assert "error[M2L201]" in output
    assert sorted(os.listdir()) == ["accuracy.py", "mean.py"]


def test_generated_modules_among_several_files_are_passed_over(folder):
    run("compile", "accuracy.py")
    run("compile", "accuracy.py", "accuracy_loss.py")
    assert sorted(os.listdir()) == ["accuracy.py", "accuracy_loss.py"]


def test_all_refusals_are_shown_at_once(folder):
    Path("mean.py").write_text(REFUSED + "\n\ndef worst(scores, labels):\n    return (scores - labels).sum()\n")
    assert run("compile", "mean.py", code=2).count("error[M2L201]") == 2


def test_one_output_for_several_files_is_a_usage_error(folder):
    assert "-o names one file" in run("compile", "accuracy.py", "accuracy.py", "-o", "x.py", code=2)


def test_a_file_that_a_person_wrote_is_not_replaced(folder):
    Path("accuracy_loss.py").write_text("mine = 1\n")
    assert "error[M2L107]" in run("compile", "accuracy.py", code=2)
    assert Path("accuracy_loss.py").read_text() == "mine = 1\n"
    run("compile", "accuracy.py", "--force")
    assert "AccuracyLoss" in Path("accuracy_loss.py").read_text()


@pytest.mark.parametrize(
    "output", [".", "missing/accuracy_loss.py", "accuracy.py"], ids=["folder", "no folder", "source"]
)
def test_impossible_outputs_are_refused(folder, output):
    assert "error[M2L107]" in run("compile", "accuracy.py", "-o", output, code=2)
    assert os.listdir() == ["accuracy.py"]


def test_writing_leaves_no_temporary_file(folder):
    run("compile", "accuracy.py")
    assert sorted(os.listdir()) == ["accuracy.py", "accuracy_loss.py"]


def test_check_tells_missing_fresh_and_stale_apart(folder):
    assert "does not exist" in run("compile", "accuracy.py", "--check", code=1)
    assert not Path("accuracy_loss.py").exists()
    run("compile", "accuracy.py")
    assert "up to date" in run("compile", "accuracy.py", "--check")
    Path("accuracy.py").write_text(ACCURACY.replace("predicted", "guessed"), encoding="utf-8")
    assert "error[M2L108]" in run("compile", "accuracy.py", "--check", code=1)


def test_options_reach_the_compiler(folder):
    Path("m.py").write_text("def share(values, kind):\n    return {'high': (values > 0.5).mean(), 'n': len(kind)}\n")
    run("compile", "m.py", "-f", "share", "--scores", "values", "--direction", "minimize", "--returns", "high")
    text = Path("m_loss.py").read_text()
    assert '"minimize"' in text
    assert '("values",)' in text


def test_a_misspelt_option_value_names_what_there_is(folder):
    output = run("compile", "accuracy.py", "--scores", "score", code=2)
    assert "error[M2L109]" in output
    assert "scores" in output
    assert "is not a list of parameter names" in run("compile", "accuracy.py", "--scores", "a b", code=2)


def test_every_stage_can_be_dumped(folder):
    stages = run("compile", "accuracy.py", "--dump", "help").split()
    assert "lowered" in stages
    for stage in stages:
        assert run("compile", "accuracy.py", "--dump", stage).strip()
    assert "error[M2L109]" in run("compile", "accuracy.py", "--dump", "soup", code=2)
    assert os.listdir() == ["accuracy.py"]


def test_an_example_decides_what_only_a_run_can_tell(folder):
    rng = np.random.default_rng(0)
    np.savez("batch.npz", scores=rng.normal(size=(8, 3)), labels=rng.integers(3, size=8))
    output = run("compile", "accuracy.py", "--example", "batch.npz")
    assert "batching" in output
    assert "16" in output  # 8 examples, 3 classes: n(p - 1) binaries


def test_explain_shows_the_source_with_marks(folder):
    output = run("explain", "accuracy.py")
    assert "predicted = np.argmax(scores, axis=1)" in output
    assert "choose" in output
    assert os.listdir() == ["accuracy.py"]


def test_verify_certifies_a_good_module_and_fails_a_spoiled_one(folder):
    run("compile", "accuracy.py")
    output = run("verify", "accuracy_loss.py")
    assert "AccuracyLoss" in output
    assert "FAILED" not in output
    Path("accuracy.py").write_text(ACCURACY + "# more\n", encoding="utf-8")
    assert "error[M2L108]" in run("verify", "accuracy_loss.py", code=1)
    Path("accuracy.py").write_text(ACCURACY, encoding="utf-8")
    spoiled = Path("accuracy_loss.py").read_text(encoding="utf-8").replace("return np.mean(", "return 0.5 * np.mean(")
    Path("accuracy_loss.py").write_text(spoiled, encoding="utf-8")
    assert "error[M2L508]" in run("verify", "accuracy_loss.py", code=1)


def test_verify_writes_its_certificate_as_json_or_as_a_page(folder):
    run("compile", "accuracy.py")
    output = run("verify", "accuracy_loss.py", "--certificate", "accuracy.json")
    (found,) = json.loads(Path("accuracy.json").read_text(encoding="utf-8"))
    assert found["passed"]
    assert found["verdict"] in output
    assert found["digest"] == hashlib.sha256(Path("accuracy.py").read_bytes()).hexdigest()
    assert {"python", "torch", "numpy", "metric2loss"} <= set(found["environment"])
    assert [one["batch"].endswith("many ties") for one in found["checked"]] == [False, True]
    assert all(one["binaries"] and one["configurations"] for one in found["checked"])
    assert "replay(record(x'), x) == metric(x')" in {check["check"] for check in found["checked"][0]["findings"]}
    run("verify", "accuracy_loss.py", "--certificate", "accuracy.md")
    assert f"**{found['verdict']}**" in Path("accuracy.md").read_text(encoding="utf-8")


def test_a_failed_certificate_is_written_too(folder):
    run("compile", "accuracy.py")
    spoiled = Path("accuracy_loss.py").read_text(encoding="utf-8").replace("return np.mean(", "return 0.5 * np.mean(")
    Path("accuracy_loss.py").write_text(spoiled, encoding="utf-8")
    assert "FAILED: " in run("verify", "accuracy_loss.py", "--certificate", "accuracy.json", code=1)
    (found,) = json.loads(Path("accuracy.json").read_text(encoding="utf-8"))
    assert not found["passed"]
    assert {one["code"] for one in found["diagnostics"]} == {"M2L508"}
    assert {one["span"]["path"] for one in found["diagnostics"]} == {str(Path("accuracy.py").resolve())}


def test_verify_takes_a_batch_from_a_function(folder):
    Path("batch_of_accuracy.py").write_text(
        "import numpy as np\n\n\ndef batch():\n    return np.eye(4)[[0, 1, 2, 2]], np.array([0, 1, 2, 3])\n"
    )
    run("compile", "accuracy.py")
    assert "the example" in run("verify", "accuracy_loss.py", "--example", "batch_of_accuracy:batch")


def test_the_module_says_which_of_several_values_the_loss_is_for(folder):
    text = (
        "def rates(scores, labels):\n    above = scores > 0.5\n    return {'hit': sum(above == labels) / 12, 'n': 3}\n"
    )
    Path("rates.py").write_text(text)
    run("compile", "rates.py", "--returns", "hit")
    assert 'returns, alone = "hit", True' in Path("rates_loss.py").read_text()
    assert "FAILED" not in run("verify", "rates_loss.py")


def test_rules_lists_every_rule_of_the_registry():
    from metric2loss.rules import RULES

    output = run("rules")
    assert all(name in output for name in RULES)
    assert "def identity" in run("rules", "order")
    assert "error[M2L109]" in run("rules", "sorting", code=2)


def test_compile_imports_neither_torch_nor_numpy_nor_rich(folder):
    code = (
        "import json, sys; from metric2loss.cli import main\n"
        "main(['compile', 'accuracy.py'], standalone_mode=False)\n"
        "json.dump(sorted({'torch', 'numpy', 'rich'} & set(sys.modules)), sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    assert json.loads(done.stderr) == []


def test_the_module_runs_as_a_command():
    done = subprocess.run(
        [sys.executable, "-m", "metric2loss", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("metric2loss, version ")
