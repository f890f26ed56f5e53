# The only commands a newcomer needs. `make help` lists them.
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
# Without bytecode every start would compile a few thousand modules again.
unexport PYTHONDONTWRITEBYTECODE
# For the demo's own figure: seconds from the first keystroke to the first Case written.
DEMO_STARTED_AT := $(shell date +%s)

# Set-up is done once per lock: the stamp's name is the lock's checksum.
RUN_STAMP := .venv/run-$(shell cat requirements.txt | cksum | cut -d' ' -f1)
DEV_STAMP := .venv/dev-$(shell cat requirements-dev.txt | cksum | cut -d' ' -f1)
BENCH_STAMP := .venv/bench-$(shell cat requirements-bench.txt | cksum | cut -d' ' -f1)

.PHONY: help demo test lint simulate bench bench-sync chaos lock setup setup-dev screenshots
.DEFAULT_GOAL := help

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# exec: a TERM that make passes on must reach the demo, not a shell in between.
demo: setup ## a Salesforce org, the web app and the workers on this machine (EXIT=1: stop after the summary; CASES=FILE: your own Cases)
	@DEMO_STARTED_AT=$(DEMO_STARTED_AT) exec $(BIN)/python manage.py demo $(if $(CASES),--cases "$(CASES)") $(if $(EXIT),--exit)

setup: $(RUN_STAMP) var/secret_key ## install what the product needs, make a secret key

setup-dev: $(DEV_STAMP) var/secret_key ## the same, with the tools for tests and lint

test: setup-dev ## the whole test suite: SQLite, then PostgreSQL and Redis where they answer
	@$(BIN)/python -m tests.lanes $(LANES)

lint: setup-dev ## ruff, mypy, import contracts, missing migrations
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python manage.py makemigrations --check --dry-run

simulate: setup-dev ## the whole line under faults, by seed (SEEDS=100; SEED=7: that one; CASES=, MODE=safety, MINUTES=)
	@$(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),100) $(if $(SEED),--seed $(SEED)) $(if $(FIRST),--first $(FIRST)) $(if $(CASES),--cases $(CASES)) $(if $(MODE),--mode $(MODE)) $(if $(MINUTES),--minutes $(MINUTES))

bench: setup-dev $(BENCH_STAMP) ## print the figures that the README and docs claim, beside the peers (DATA=../shared/data; WRITE=docs/benchmarks.md)
	@[ -n "$$ENCODER_PATH" ] || [ -f var/encoder/tokenizer.json ] || $(BIN)/python manage.py fetch_encoder var/encoder
	@ENCODER_PATH="$${ENCODER_PATH:-var/encoder}" $(BIN)/python -m tests.benchmarks --data "$(or $(DATA),../shared/data)" $(if $(WRITE),--write "$(WRITE)")

bench-sync: setup-dev ## how much the line carries: PostgreSQL, Redis, workers and org as processes (ARGS=--sqlite, --help)
	@$(BIN)/python -m tests.benchmarks.bench_sync $(ARGS)

chaos: setup-dev ## kill, freeze and empty what a running line stands on, at random (SECONDS=180; SEED=N)
	@$(BIN)/python -m tests.line.chaos --seconds $(or $(SECONDS),180) $(if $(SEED),--seed $(SEED)) $(ARGS)

screenshots: setup-dev ## take the pictures of the README from a running demo (LINK=its sign-in link)
	@$(BIN)/python -m docs.screenshots $(if $(LINK),'$(LINK)')

lock: $(RUN_STAMP) ## compile requirements*.in into the hashed locks
	@for name in requirements requirements-dev requirements-dask requirements-encoder requirements-otel requirements-events requirements-bench requirements-bootstrap; do \
	  $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url $$name.in -o $$name.txt || exit 1; done

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: call make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "Python cannot make a virtual environment here. On Debian: apt install python3-venv"; rm -rf .venv; exit 1; }

$(RUN_STAMP): .venv/bin/python
	@echo "Installing what the product needs …"
	@sh .ci/install requirements.txt
	@touch $@

$(DEV_STAMP): $(RUN_STAMP)
	@echo "Installing the tools for tests and lint …"
	@sh .ci/install requirements-dev.txt
	@touch $@

$(BENCH_STAMP): $(DEV_STAMP)
	@echo "Installing the peers that are measured …"
	@sh .ci/install requirements-bench.txt
	@touch $@

var/secret_key:
	@mkdir -p var
	@if [ -n "$$SECRET_KEY" ]; then :; else (umask 077; $(PYTHON) -c "import secrets; print(secrets.token_urlsafe(50))" > $@); fi
