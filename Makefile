# The commands for developing Daylight; `make help` lists them.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13; do $$python -c '' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
OTHER_PYTHON := $(if $(filter-out file,$(origin PYTHON)),$(shell [ ! -d .venv ] || [ "$$($(BIN)/python -V)" = "$$("$(PYTHON)" -V)" ] || echo .venv/other))
COVERAGE := $(if $(CI),--cov --cov-report=)
PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --quiet
UV_COMPILE := $(BIN)/uv pip compile --quiet --no-config --upgrade --universal --python-version 3.11 --fork-strategy fewest \
	--no-build --generate-hashes --no-strip-extras --no-header --no-emit-index-url --no-emit-find-links

.DEFAULT_GOAL := help
.PHONY: help demo quick test test-all check fix docs openapi serve bench fuzz audit intervals kills promises lock clean

help: ## list these commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

.venv/other: # no such file: an environment of another version than the PYTHON that was given is made anew

.venv/runtime: requirements.lock pyproject.toml $(OTHER_PYTHON)
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null || { \
		echo "make: Daylight needs CPython 3.11, 3.12 or 3.13, but found $(or $(PYTHON),none); name one: make PYTHON=/path/to/python3.11"; exit 1; }
	"$(PYTHON)" -m venv $(if $(OTHER_PYTHON),--clear) .venv
	$(PIP_INSTALL) --require-hashes --requirement requirements.lock
	$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/installed: .venv/runtime requirements-dev.lock
	$(PIP_INSTALL) --require-hashes --requirement requirements-dev.lock
	@touch $@

demo: .venv/runtime ## build three releases, serve them and ask a question; stop it with Ctrl-C
	$(BIN)/python demo.py

quick: check ## in less than a minute: everything that check does, then the unit tests
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile -m unit

test: .venv/installed ## the core suite on all cores; then, one at a time, its tests that measure time; CI=1 measures coverage
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile -m "not alone and not extended" $(COVERAGE)
	$(BIN)/python -m pytest -m "alone and not extended"
	$(if $(CI),$(BIN)/python -m tests.coverage)

test-all: .venv/installed ## what test leaves out: the tests that take minutes, and each promise broken on purpose
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile -m extended
	$(BIN)/python -m tests.promises

check: .venv/installed ## lint, format, types, import contracts, sizes and names
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.structure

fix: .venv/installed ## fix lint errors that can be fixed automatically, and format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/installed ## check that the commands, links, settings and targets in the documents exist
	$(BIN)/python -m pytest tests/test_repository.py

openapi: .venv/installed ## regenerate openapi/openapi.json and docs/problems.md
	$(BIN)/daylight openapi

serve: .venv/runtime ## serve the releases under DAYLIGHT_HOME
	$(BIN)/daylight serve

bench: .venv/installed ## benchmarks, as ratios to peers and limits; DAYLIGHT_BENCH_ROWS=100000000 sets the number of rows to build
	$(BIN)/python -m bench

fuzz: .venv/installed ## send 20,000 generated requests to a running server
	$(BIN)/python -m tests.fuzzing 20000

audit: .venv/installed ## try to distinguish neighbouring inputs by 400 builds of each, for every dataset; takes hours
	for dataset in $$($(BIN)/python -c 'from datasets.catalogue import DATASETS; print(*(d.name for d in DATASETS))'); do \
		$(BIN)/daylight release audit $$dataset --builds $${BUILDS:-400} || failed=1; \
	done; test -z "$$failed"

intervals: .venv/installed ## check over 20 builds of a synthetic month that intervals of reports cover the true values
	DAYLIGHT_TEST_BUILDS=20 $(BIN)/python -m pytest tests/datasets/reports/test_coverage.py

kills: .venv/installed ## kill builds at every step and at 100 random moments, and run two builds at once 50 times
	DAYLIGHT_TEST_KILLS=100 DAYLIGHT_TEST_ROUNDS=50 $(BIN)/python -m pytest tests/datasets/pipeline/test_interruption.py \
		tests/datasets/pipeline/state/test_lock.py

promises: .venv/installed ## break every promise of docs/architecture.md in a scratch copy; its test must fail
	$(BIN)/python -m tests.promises

lock: .venv/installed ## update requirements.lock and requirements-dev.lock to the newest versions, with hashes
	$(UV_COMPILE) --extra build --output-file requirements.lock pyproject.toml
	$(UV_COMPILE) --extra build --extra dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml

clean: ## remove the virtual environment and the files of the demo
	rm -rf .venv var/demo
