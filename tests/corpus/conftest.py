"""Says, with `-v`, which way each metric of the corpus was compiled."""

from __future__ import annotations

import sys

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    module = sys.modules.get("tests.corpus.test_corpus")
    routes: dict[str, str] = getattr(module, "ROUTES", {})
    if routes and terminalreporter.config.getoption("verbose") >= 0:  # -v takes back the -q of the settings
        terminalreporter.section("routes of the corpus")
        for name, route in sorted(routes.items()):
            terminalreporter.write_line(f"{name:28} {route}")
