.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python cli.py
DEMO := var/demo

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 8

setup: .venv/installed ## make a virtual environment with all packages

.venv/installed: requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

demo: setup ## synthetic videos -> features -> two heads -> a prediction and a report
	rm -rf $(DEMO)
	$(RUN) demo $(DEMO)/corpus
	$(RUN) extract $(DEMO)/corpus/videos.csv --columns $(DEMO)/corpus/columns.yaml --cache $(DEMO)/cache
	$(RUN) fit-head $(DEMO)/corpus/videos.csv --columns $(DEMO)/corpus/columns.yaml --cache $(DEMO)/cache --head linear --target engagement --out $(DEMO)/linear
	$(RUN) fit-head $(DEMO)/corpus/videos.csv --columns $(DEMO)/corpus/columns.yaml --cache $(DEMO)/cache --head gbm --target engagement --out $(DEMO)/gbm
	$(RUN) predict $(DEMO)/linear --manifest $(DEMO)/corpus/new.csv --cache $(DEMO)/cache --out $(DEMO)/predictions.csv
	$(RUN) predict $(DEMO)/linear $(DEMO)/corpus/new/new-1.mp4 --title "Wait for it: learning a language" --field followers=13173 --field category=talk --cache $(DEMO)/cache
	@echo "what the cause says of it: $$(grep new-1 $(DEMO)/corpus/new_truth.csv | cut -d, -f2)"
	@echo "the report: $(DEMO)/linear/report.html"

test: setup ## run the tests
	$(BIN)/python -m pytest -n 2

lint: setup ## check format, style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

check: lint test ## all that must hold before a commit

bench: setup ## measure what docs/performance.md tells
	for name in cache resume plan extract encoders quantised gbm knn ablate smtpd curves real_sets real_weights; do $(BIN)/python -m bench.$$name || exit 1; done

clean: ## remove the environment, caches, runs and the demo
	rm -rf .venv var .pytest_cache .mypy_cache .ruff_cache .hypothesis

.PHONY: help setup demo test lint check bench clean
