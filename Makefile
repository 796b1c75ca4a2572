# Everything a developer does with Daylight; `make help` lists it.
PYTHON ?= python3.11
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help demo test check fix docs openapi serve bench fuzz audit intervals kills lock clean

help: ## list these commands
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20

.venv/installed: requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) is not there; name a Python 3.11 or later with make PYTHON=..."; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: .venv/installed ## build three releases, serve them, ask a question; Ctrl-C ends it
	$(BIN)/python demo.py

test: .venv/installed ## the whole suite, on every core; then, alone, what measures time
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile -m "not alone"
	$(BIN)/python -m pytest -m alone

check: .venv/installed ## lint, format, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: .venv/installed ## mend what can be mended by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/installed ## check that every command, link, setting and target in the documents is true
	$(BIN)/python -m pytest tests/test_house.py

openapi: .venv/installed ## write openapi/openapi.json and docs/problems.md anew
	$(BIN)/daylight openapi

serve: .venv/installed ## serve the releases under DAYLIGHT_HOME
	$(BIN)/daylight serve

bench: .venv/installed ## benchmarks, as ratios against peers and limits; DAYLIGHT_BENCH_ROWS=100000000 builds as many rows
	$(BIN)/python -m bench

fuzz: .venv/installed ## ask a live server 20,000 made-up questions
	$(BIN)/python -m tests.fuzzing 20000

audit: .venv/installed ## attack 400 builds of each input of every dataset, as an adversary would: hours
	for dataset in moderation ads recommendations; do \
		$(BIN)/daylight release audit $$dataset --builds $${BUILDS:-400} || failed=1; \
	done; test -z "$$failed"

intervals: .venv/installed ## whether intervals of reports cover the truth, over 20 builds of a synthetic month
	DAYLIGHT_TEST_BUILDS=20 $(BIN)/python -m pytest tests/datasets/reports/test_coverage.py

kills: .venv/installed ## builds killed at every place and at 100 random moments, two at once 50 times
	DAYLIGHT_TEST_KILLS=100 DAYLIGHT_TEST_ROUNDS=50 $(BIN)/python -m pytest tests/datasets/pipeline/test_interruption.py \
		tests/datasets/pipeline/state/test_lock.py

lock: .venv/installed ## choose the newest dependencies anew, with hashes
	$(BIN)/pip-compile --quiet --upgrade --extra dev --generate-hashes --no-strip-extras --allow-unsafe --no-header \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options \
		--output-file requirements.lock pyproject.toml

clean: ## remove the environment and what the demo made
	rm -rf .venv var/demo
