# Weft: `make help` lists what there is. Only `run` and `test` are needed to begin.
SHELL := /bin/bash
PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
BIN := .venv/bin
SERVICES := gateway auth workflow-store orchestrator node-runner scheduler webhook-ingress realtime
WEB_SOURCES := $(shell find frontend -path frontend/node_modules -prune -o -path frontend/dist -prune -o -type f -print 2>/dev/null)
export WEFT_PORT ?= 8080
# Compiled while installing, so that the first start doesn't pay for it, nor every start where Python may not write its cache
export UV_COMPILE_BYTECODE ?= 1
COMPILE := $(BIN)/python -m compileall -q -j 0 libs services

.DEFAULT_GOAL := help
.PHONY: help setup run run-api run-worker service test test-unit lint gen migrate seed build bench cluster faults clean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  \033[36m%-12s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/.run frontend/dist/index.html ## Start everything in one process on WEFT_PORT (8080), data under WEFT_HOME
	@exec $(BIN)/weft up

setup: .venv/.dev frontend/dist/index.html ## Install everything that development and tests need
	@scripts/install_servers.sh

run-api: .venv/.run ## Start one service of the distributed form: the gateway
	@exec $(BIN)/weft service gateway

run-worker: .venv/.run ## Start one service of the distributed form: a node-runner
	@exec $(BIN)/weft service node-runner

service: .venv/.run ## Start the service NAME=… of the distributed form
	@exec $(BIN)/weft service $(NAME)

cluster: setup ## Start the distributed form here: Kafka, PostgreSQL, Redis, every service a process
	@exec $(BIN)/python -m scripts.cluster

test: setup ## Run every test that can run here
	@CI=$(CI) scripts/test.sh

test-unit: .venv/.dev ## Run the fast tests only
	@$(BIN)/pytest -q -m "not integration and not faults and not browser" libs services

lint: .venv/.dev ## Check format, rules, types, import contracts, generated files, protos
	@scripts/lint.sh

gen: .venv/.dev ## Generate protobuf classes, interfaces, message schemas, node index, configuration guide
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python scripts/gen.py

migrate: .venv/.run ## Bring the database of WEFT_DATABASE_URL to the newest schema
	@$(BIN)/weft migrate

seed: .venv/.run ## Fill a running Weft with demo users, workflows and executions
	@$(BIN)/python -m scripts.seed

build: frontend/dist/index.html ## Build the web page and the packages
	@$(UV) build --all-packages --out-dir build/packages

bench: .venv/.run frontend/dist/index.html ## Run the load scenarios and print the table of docs/performance.md
	@$(BIN)/python tests/load/bench.py

faults: setup ## Kill things at random for a long time and check the invariants
	@$(BIN)/pytest -q tests/faults --long

clean: ## Remove what builds and tests made (never WEFT_HOME)
	@rm -rf .venv .tools .run build frontend/dist frontend/node_modules .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.tools/bin/uv:
	@command -v uv >/dev/null || ($(PYTHON) -m venv .tools && .tools/bin/pip install --quiet --disable-pip-version-check uv)

.venv/.run: uv.lock pyproject.toml $(wildcard libs/*/pyproject.toml services/*/pyproject.toml)
	@$(MAKE) --no-print-directory uv-ready
	@$(UV) sync --quiet --locked --all-packages --no-dev --inexact
	@$(COMPILE)
	@touch $@

.venv/.dev: uv.lock pyproject.toml $(wildcard libs/*/pyproject.toml services/*/pyproject.toml)
	@$(MAKE) --no-print-directory uv-ready
	@$(UV) sync --quiet --locked --all-packages
	@$(COMPILE)
	@touch $@ .venv/.run

.PHONY: uv-ready
uv-ready:
	@command -v $(UV) >/dev/null || $(MAKE) --no-print-directory .tools/bin/uv

frontend/dist/index.html: $(WEB_SOURCES)
	@cd frontend && npm ci --silent --no-audit --no-fund && npm run --silent build -- --logLevel error
