# The manual of this project: each target is one thing a person wants to do.
PYTHON ?= python3
ARGS ?=
BIN := .venv/bin

.PHONY: help run test serve check docs bench

help:           ## this list
	@grep -hE '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/: *## */: /'

run: setup      ## set up, run the main job through Dagster, serve the UI (ARGS="--no-serve" to stop before)
	@$(BIN)/hotspot run $(ARGS)

serve: setup    ## the Dagster UI with schedules and sensors on http://127.0.0.1:3000
	@$(BIN)/hotspot serve $(ARGS)

test: setup-dev ## set up, then the tests, file by file on all cores
	@$(BIN)/pytest -n auto $(ARGS)

check: setup-dev ## style, types, walls, definitions, docs
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/dg check defs
	@$(BIN)/python tools/make_docs.py --check

bench:          ## the benchmarks with their peers; writes benchmarks/README.md (about half an hour)
	@$(PYTHON) tools/setup.py --dev --bench
	@$(BIN)/python -m benchmarks $(ARGS)

docs: setup-dev ## write the generated pages and pictures again
	@$(BIN)/python tools/make_docs.py

.PHONY: setup setup-dev
setup:
	@command -v $(PYTHON) >/dev/null || { echo "setup: there is no $(PYTHON); install Python 3.11 or later, or name one: make run PYTHON=..."; exit 1; }
	@$(PYTHON) tools/setup.py

setup-dev:
	@command -v $(PYTHON) >/dev/null || { echo "setup: there is no $(PYTHON); install Python 3.11 or later, or name one: make test PYTHON=..."; exit 1; }
	@$(PYTHON) tools/setup.py --dev
