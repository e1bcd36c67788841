# make run: environment, demo study, scores, dashboard.  make test: environment, all tests, browser tests last.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
UV := $(VENV)/tools/bin/uv
PORT ?= 8501
JOBS ?= 2
# a file of tests stays in one process, so that what its tests share is made once
IN_PARALLEL := -n $(JOBS) --dist loadfile

unexport PYTHONDONTWRITEBYTECODE # where it is set, every start compiles torch and streamlit anew: 15 s, not 5

.PHONY: run test lint bench env clean

env: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "sharpline: Python $$($(PYTHON) -V 2>&1) was found; 3.11 or newer is needed; try make PYTHON=python3.12"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(UV) || { $(PYTHON) -m venv $(VENV)/tools && $(VENV)/tools/bin/pip install -q uv; }
	$(UV) pip install -q --python $(BIN)/python -r requirements.lock
	$(UV) pip install -q --python $(BIN)/python --no-deps -e .
	@touch $@

run: env
	$(BIN)/sharpline serve --demo --port $(PORT)

test: env
	@failed=0; \
	$(BIN)/python -m pytest $(IN_PARALLEL) -m "not browser" || failed=1; \
	$(BIN)/python -m pytest $(IN_PARALLEL) -m browser || { \
		echo "Browser tests failed beside the others: once more, alone. One that passes now depends on speed."; \
		$(BIN)/python -m pytest --last-failed --last-failed-no-failures none -m browser; } || failed=1; \
	exit $$failed

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: env
	$(BIN)/python -m tests.bench

lock: env
	$(UV) pip compile pyproject.toml --extra dev --universal --python-version 3.11 --no-header --no-emit-index-url --no-annotate -o requirements.lock

clean:
	rm -rf $(VENV) build *.egg-info
