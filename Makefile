# Needs Python 3.11 or later and nothing else; everything is installed into .venv from the hash lock.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
MUTMUT := mutmut==3.8.1 libcst==1.9.0 setproctitle==1.3.8 textual==8.2.8 coverage==7.17.5 \
	linkify-it-py==2.2.0 mdit-py-plugins==0.7.0
MUTANTS ?=
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help reproduce test test-unit test-workflow mutants lint docs site lock bench clean

help:  ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20

reproduce: $(STAMP)  ## Compute everything of the suite in params.yaml: results, figures, MLflow index
	snakemake --cores all

# Side by side: workflow tests wait for their jobs half of the time.
test: $(STAMP) lint  ## Run everything that CI runs
	$(MAKE) --no-print-directory --output-sync=target -j 2 test-unit test-workflow

test-unit: $(STAMP)
	pytest --durations=10 tests/unit tests/pretend_cuda

test-workflow: $(STAMP)
	pytest --durations=10 tests/workflow

# mutmut imports the project, so it lies beside the environment, which stays that of the lock.
mutants: $(STAMP)  ## Change the source in small ways and see tests fail: hours; MUTANTS="semsplat.fit.*" takes some
	@test -d .mutmut || uv pip install --quiet --python $(BIN)/python --target .mutmut --no-deps \
		$(MUTMUT)
	PYTHONPATH=.mutmut OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 python -m mutmut run --max-children 1 $(MUTANTS)
	PYTHONPATH=.mutmut python -m mutmut results

lint: $(STAMP)  ## Formatting, linters, types, workflow lint
	ruff check src tests envs docs
	ruff format --check src tests envs docs
	mypy
	snakefmt --check Snakefile rules
	snakemake --lint

docs: $(STAMP)  ## Write docs/params.md, docs/protocols.md, docs/published.md, the table in docs/data.md and the editor schema
	python -m semsplat.experiment

site: $(STAMP)  ## Build README's pages as a site, site/index.html; a dead link is an error
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict

bench: $(STAMP)  ## Measure the rasteriser on this machine and write docs/benchmarks.md
	python -m semsplat.bench rasterize

lock: $(STAMP)  ## Resolve pyproject.toml anew into the hash lock and its conda view
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --all-extras --upgrade pyproject.toml --output-file envs/requirements.lock
	python envs/conda_view.py > envs/semsplat.yaml

clean:  ## Remove results, logs, the index and the site; keep data, the environment and what DVC has cached
	rm -rf results scratch logs mlruns mlflow.db* .snakemake mutants site

# Compiled once here: where Python may not write bytecode, each job would compile torch again (6 s).
$(STAMP): envs/requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: $(PYTHON) is older than 3.11; run make PYTHON=python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@grep -A 99 '^uv==' envs/requirements.lock | awk 'NR > 1 && !/^ / {exit} {print}' > .venv/uv.lock
	@$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r .venv/uv.lock
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes \
		envs/requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@
