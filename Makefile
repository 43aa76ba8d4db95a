# From a bare checkout: `make quickstart` or `make test`. Each makes .venv, installs the pinned versions, and runs.
# A stamp file in .venv says what is installed there; it is written last, so an interrupted install starts over.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MADE := $(VENV)/.made-in
CORE := $(VENV)/.installed-core
TEST := $(VENV)/.installed-test
DEV := $(VENV)/.installed-dev

.DELETE_ON_ERROR:
.PHONY: help venv quickstart test test-slow lint audit format bench image clean clean-venv

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-12s %s\n", $$1, $$2}' Makefile

venv: $(DEV) ## Make .venv with everything, development tools included

quickstart: $(CORE) ## Train the first job and write its report
	$(BIN)/gandist run jobs/quickstart.yaml --storage runs
	@echo
	@echo "the report, for a browser:  $(CURDIR)/runs/quickstart/report.html"
	@echo "next:  source $(BIN)/activate"
	@echo "       gandist run jobs/mnist_fast.yaml      # MNIST, downloaded: readable digits in about a minute"

# Each process takes 1 to 2 GB.
test: $(TEST) ## Run the tests, in as many processes as there are CPUs, 4 at most
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist worksteal

test-slow: $(TEST) ## Run the slow tests too
	$(BIN)/python -m pytest -m "slow or not slow"

lint: $(DEV) ## Check style, types and the direction of imports; all of it, even where one fails
	@status=0; \
	for tool in "ruff check ." "ruff format --check ." mypy lint-imports; do \
		echo "$$tool"; $(BIN)/$$tool || status=1; \
	done; \
	exit $$status

# Strict: a version that the index knows nothing about, like all of them on a mirror, is not taken for a safe one.
audit: $(DEV) ## Look the pinned versions up in PyPI's list of vulnerabilities
	$(BIN)/pip-audit --requirement constraints.txt --no-deps --disable-pip --strict --progress-spinner off

format: $(DEV) ## Format the code and fix what can be fixed safely
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: $(CORE) ## Time gandist's training against the usual tutorial loop, on this machine
	$(BIN)/python benchmarks/against_plain_loop.py

# BASE is the Dockerfile's unless it is given. IMAGE_FLAGS goes to the builder as it is: secrets, platforms, isolation.
BUILDER ?= docker
IMAGE ?= gandist$(if $(EXTRAS),:$(EXTRAS))

image: ## Build the container image; BUILDER=docker|podman|buildah, IMAGE=name, BASE=image, EXTRAS=gpu
	$(BUILDER) build $(if $(BASE),--build-arg BASE=$(BASE)) --build-arg EXTRAS=$(EXTRAS) $(IMAGE_FLAGS) --tag $(IMAGE) .

clean: ## Remove caches and build files; runs/ and .venv stay
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

clean-venv: ## Remove .venv
	rm -rf $(VENV)

# The scripts of a virtual environment hold its absolute path, so the one of a copied or moved checkout is remade.
ifneq ($(shell cat $(MADE) 2>/dev/null),$(CURDIR))
.PHONY: $(MADE)
endif

SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

# An environment without a stamp was made by other means: it is kept, and completed.
$(MADE):
	@$(PYTHON) -c '$(SUPPORTED)' 2>/dev/null || \
		{ echo "gandist needs Python 3.11, 3.12 or 3.13; '$(PYTHON)' is not: make ... PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "'$(PYTHON)' cannot make virtual environments: install its venv package (python3-venv)" >&2; exit 1; }
	@if test -e $@; then rm -rf $(VENV); fi
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c '$(SUPPORTED)' 2>/dev/null || \
		{ echo "$(VENV) is there but is no Python 3.11 to 3.13: make clean-venv, then again" >&2; exit 1; }
	@echo '$(CURDIR)' >$@

# Wheels only: nothing is compiled. setuptools comes first and pinned, instead of pip fetching its newest to build with.
define install
@echo "Installing gandist$(1) into $(VENV): the first time it downloads about 0.9 GB, takes 3 GB of disk and some minutes"
@$(BIN)/python -m pip install --quiet --constraint constraints.txt setuptools wheel
@$(BIN)/python -m pip install --quiet --constraint constraints.txt --only-binary :all: --no-build-isolation --editable '.$(1)'
endef

$(CORE): $(MADE) pyproject.toml constraints.txt
	$(call install,)
	@touch $@

$(TEST): $(MADE) pyproject.toml constraints.txt
	$(call install,[test])
	@touch $(CORE) $@

$(DEV): $(MADE) pyproject.toml constraints.txt
	$(call install,[dev])
	@touch $(CORE) $(TEST) $@
