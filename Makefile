# `make help` lists what there is. Needs Python 3.11 or newer, nothing else.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
FAST = -m "not slow and not browser and not postgres"

.DEFAULT_GOAL := help
.PHONY: help demo test check audit format soak relevance bench clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/installed ## Install, load content/, serve on port 8000, show keys and a first answer
	@$(BIN)/python -m ingest articles content/articles
	@exec $(BIN)/kb demo

test: $(VENV)/installed-dev ## Run the whole suite
	$(BIN)/python -m pytest -n 2

check: audit ## Audit, format, lint, types, layers and the fast tests
	$(BIN)/ruff format --check kb ingest tests
	$(BIN)/ruff check kb ingest tests
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -n 2 $(FAST)

audit: $(VENV)/installed-dev ## Known advisories, pins and reasons of what we build on
	$(BIN)/python tests/audit.py

format: $(VENV)/installed-dev ## Put the code into its format
	$(BIN)/ruff format kb ingest tests
	$(BIN)/ruff check --fix kb ingest tests

soak: $(VENV)/installed-dev ## kill -9 in 1,000 rounds on each kind of installation (an hour)
	KB_KILL_ROUNDS=1000 $(BIN)/python -m pytest -q -n 2 tests/durability

relevance: $(VENV)/installed-dev ## Measure search on all judged collections; fails below the floors (an hour the first time)
	$(BIN)/kb relevance $(wildcard ../shared/eval) content --floors tests/relevance/floors.tsv

bench: $(VENV)/installed-dev ## Measure speed at 10,000 passages and quality on content/
	$(BIN)/kb bench --passages 10000
	$(BIN)/kb eval content

clean: ## Remove what was installed and built (not data/)
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("kb needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Installing kb and what it needs (a few minutes the first time) ..."
	@$(INSTALL) -e .
	@touch $@

$(VENV)/installed-dev: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Installing kb with its development tools (a few minutes the first time) ..."
	@$(INSTALL) -e ".[dev]"
	@touch $@ $(VENV)/installed
