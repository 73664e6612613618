# Needs python3 >= 3.10 and make; everything else goes into .venv, once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test check lint types format bench quick results clean

demo: $(READY)
	$(BIN)/python -m bench.demo $(DEMO)

# every check: format, lint, types, tests; one thread a worker, one worker a core
test: check
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto $(TESTS)

check: lint types

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff format .

bench: $(READY)
	$(BIN)/python -m bench.compile_time

# an epoch of every benchmark task: minutes
quick: $(READY)
	$(BIN)/python -m bench.quick

# docs/results.md, docs/development.md and the figures, from the JSON under bench/runs
results: $(READY)
	$(BIN)/python -m bench.report

# torch first, at the version the numbers of this repository were made with; the project then keeps it
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("metric2loss needs Python 3.10 or newer") if sys.version_info < (3, 10) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing torch and the project into $(VENV) (once)"
	@$(PIP) install torch==2.13.0
	@$(PIP) install --editable '.[demo,bench,test,dev]'
	@touch $@

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
