# make demo: pictures, and the way to a served model of your own. make test: the checks. Both set everything up in .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Processes that share the tests; each takes up to 5 GB of memory. Tests of a file stay together, as they share what they train.
WORKERS ?= 2

.PHONY: demo test test-slow lint clean help

help:
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

demo: $(VENV)/installed  ## pictures of the shipped model, then: train on from it, export, serve, ask (ten minutes at most)
	$(BIN)/outfit-gan demo demo

test: $(VENV)/installed  ## all checks but the slow ones
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder

test-slow: $(VENV)/installed  ## the slow checks
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/installed  ## ruff's checks, the layout of code, and types
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check
	$(BIN)/python -m mypy

clean:  ## remove what make made, the demo with it
	rm -rf $(VENV) demo build *.egg-info

# The marker is written last: an interrupted installation is not taken for a whole one.
$(VENV)/installed: setup.py pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else "outfit-gan needs Python 3.11 to 3.13, but $(PYTHON) is %d.%d: try make PYTHON=python3.12" % v)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $@
