# Every target sets up what it needs by itself, once: Python 3.11 or later, make and git are enough.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
INSTALL := $(UV) pip install --quiet --python $(BIN)/python
ARGS ?=

.PHONY: help demo serve test test-faults check format format-check lint types layers bench \
  requirements clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.runtime ## Let a live job speak, slice it, verify every callback; one minute
	@$(BIN)/airslice demo $(ARGS)

serve: $(VENV)/.runtime ## Run a server with airslice.toml, made at the first time
	@test -e airslice.toml || $(BIN)/airslice init airslice.toml
	@$(BIN)/airslice serve --config airslice.toml $(ARGS)

# Who runs out of tests takes over half of those that another worker still has.
PYTEST := $(BIN)/python -m pytest -n auto --dist worksteal

test: $(VENV)/.dev $(VENV)/.test-programs $(VENV)/.versitygw ## Run all tests, on all cores; ARGS=... goes to pytest
	@$(PYTEST) $(ARGS)

check: format-check lint types layers test ## Everything that CI checks; the tests come last

format: $(VENV)/.dev ## Rewrite the code in the one format
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix --exit-zero --quiet

format-check: $(VENV)/.dev
	@echo "format"
	@$(BIN)/ruff format --check --quiet || { echo "run: make format" >&2; exit 1; }

lint: $(VENV)/.dev
	@echo "lint"
	@$(BIN)/ruff check --quiet
	@$(BIN)/python -m tests.support.checks.layout

types: $(VENV)/.dev
	@echo "types"
	@$(BIN)/mypy --no-error-summary

layers: $(VENV)/.dev
	@echo "layers"
	@report=$$($(BIN)/lint-imports) || { echo "$$report" >&2; exit 1; }

test-faults: $(VENV)/.dev $(VENV)/.test-programs $(VENV)/.versitygw ## Long fault tests: 200 kills, hours without storage; ARGS=... to pytest
	@AIRSLICE_TEST_FAULTS=long AIRSLICE_TEST_EXAMPLES=5 \
	  $(PYTEST) tests/faults tests/fuzz -rP $(ARGS)

bench: $(VENV)/.dev ## Measure streams per core and the other figures of the README
	@for program in benchmarks/*.py; do PYTHONPATH=. $(BIN)/python "$$program" $(ARGS); done

requirements: $(VENV)/.uv ## Resolve the pinned versions again; ARGS=--upgrade for newer ones
	@compile() { $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header --no-annotate $(ARGS) "$$@"; }; \
	echo "uv==$$($(UV) --version | cut -d' ' -f2)" | compile - -o requirements/uv.txt; \
	compile pyproject.toml --extra demo --group dev -o requirements/dev.txt; \
	compile pyproject.toml --extra demo --group build -c requirements/dev.txt -o requirements/demo.txt; \
	compile pyproject.toml --extra presenter -c requirements/dev.txt -o requirements/runtime.txt

clean: ## Remove what was set up
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# --- set-up: one stamp file per step, made again when its input changes ---

$(VENV)/.uv: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "airslice needs Python 3.11 or later; name one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@echo "setting up $(VENV) (once; a minute or less) ..." >&2
	@$(PYTHON) -m venv $(VENV) || { echo "on Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(VENV)/.runtime: requirements/demo.txt pyproject.toml $(VENV)/.uv
	@echo "installing what airslice runs on ..." >&2
	@$(INSTALL) --require-hashes -r $<
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	@echo "installing what airslice is tested with ..." >&2
	@$(INSTALL) --require-hashes -r $<
	@touch $@

# Programs of other makers that tests run against, from Debian where that is possible;
# a test whose program is missing says so and is skipped, except in CI.
$(VENV)/.test-programs: $(VENV)/.uv
	@missing=(); \
	for program in chromium faketime ffmpeg node:nodejs npm; do \
	  command -v "$${program%%:*}" >/dev/null || missing+=("$${program##*:}"); \
	done; \
	if [ $${#missing[@]} -gt 0 ]; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing $${missing[*]} from Debian ..." >&2; \
	    apt-get update -qq; \
	    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
	      "$${missing[@]}" >/dev/null; \
	  else \
	    echo "not found: $${missing[*]}; the tests that need them are skipped" >&2; exit 0; \
	  fi; \
	fi; \
	touch $@

# An S3 server that checks signatures and permissions, as the vendors' do.
VERSITYGW := github.com/versity/versitygw/cmd/versitygw@v1.8.0
$(VENV)/.versitygw: $(VENV)/.uv
	@if command -v versitygw >/dev/null; then :; \
	elif command -v go >/dev/null; then \
	  echo "building $(VERSITYGW) (once; two minutes) ..." >&2; \
	  GOBIN="$$PWD/$(BIN)" go install $(VERSITYGW) 2>&1 | tail -n 5; \
	else \
	  echo "not found: versitygw, nor go to build it; the tests that need it are skipped" >&2; exit 0; \
	fi; \
	touch $@
