# What people do most. Every target sets up what it needs by itself: a virtual environment with pinned
# dependencies, the models (from MODELS_FROM when that folder exists, otherwise from their public source; where that
# cannot be reached, the built-in demonstration set, which is part of the checkout).

SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
MODELS_FROM ?= ../shared/models
PHOTOS ?=
DATA ?= var
TEST_REPORT := var/tests.xml

.PHONY: help demo test test-times soak lint hooks serve screenshots models setup lock accuracy stages clean
.DEFAULT_GOAL := help

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: models  ## the whole story in under two minutes; PHOTOS=DIR uses your own photographs, a folder a person
	$(BIN)/python -m demo $(if $(PHOTOS),--photos "$(PHOTOS)")

test: models  ## every test; what needs photographs or PostgreSQL and does not find them is skipped and says so
	$(BIN)/python -m pytest -n 2 -q -rs --junit-xml $(TEST_REPORT)

test-times: setup  ## how long each part of the last `make test` took, beside its budget in CONTRIBUTING.md
	$(BIN)/python -m tests.times $(TEST_REPORT)

soak: models  ## the long runs behind docs/security.md: faults, kills, appends, hostile input; bounded, on this machine only
	nice -n 10 $(BIN)/python -m pytest -q -rs -s -m soak

lint: setup  ## ruff, mypy --strict and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports

hooks:  ## run `make lint` before each of your commits in this checkout; undo: git config --unset core.hooksPath
	git config core.hooksPath .githooks

serve: models  ## the verification API on http://127.0.0.1:8080 with an embedded database in DATA
	@export IDVERIFY_DATA_DIR="$(DATA)"; \
	test -e "$(DATA)/root.key" || $(BIN)/idverify keys new; \
	$(BIN)/idverify database migrate && exec $(BIN)/python -m api

screenshots: models  ## the pictures of pages in docs/, of rendered citizens, taken by the tests that walk through them
	$(BIN)/python -m pytest -q tests/enrolment tests/staff tests/analysis --screenshots docs

accuracy: models  ## error rates on PHOTOS=DIR (a folder a person)
	$(BIN)/python -m benchmarks.accuracy --photos "$(PHOTOS)" --json accuracy.json --det accuracy.svg

stages: models  ## the time of every stage on PHOTOS=DIR
	$(BIN)/python -m benchmarks.stages --photos "$(PHOTOS)" --json stages.json

models: setup  ## fetch the reference models, unless they are here; the built-in set does where they cannot be had
	@IDVERIFY_MODEL_SET=reference $(BIN)/idverify models check --quiet 2>/dev/null || { \
	if [ -d "$(MODELS_FROM)" ]; then $(BIN)/idverify models pull --from "$(MODELS_FROM)"; \
	else $(BIN)/idverify models pull || $(BIN)/idverify models check; fi; }

setup: .venv/.ready  ## .venv with the pinned dependencies and this project

.venv/.ready: requirements-dev.lock pyproject.toml idverify_receipts/pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
		--editable ./idverify_receipts --editable .
	@touch $@

# What is locked are other people's packages: our own two are installed from the checkout, whatever a registry holds.
# Versions that a lock file names already are kept; what it names no more is found anew.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-package idverify-receipts --custom-compile-command "make lock"

lock:  ## pin every dependency with hashes again
	$(COMPILE) --extra service -o requirements.lock pyproject.toml
	$(COMPILE) --extra dev --constraint requirements.lock -o requirements-dev.lock pyproject.toml
	$(COMPILE) --extra training --constraint requirements.lock -o requirements-training.lock pyproject.toml

clean:  ## delete .venv, var, dist and caches: the data of `make serve` too
	rm -rf .venv var dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
