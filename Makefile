# Latchkey's commands. `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
UV_VERSION := 0.13.8
VENV := .venv
BIN := $(VENV)/bin
NODE_MODULES := devchain/node_modules
CSS_SOURCE := static/css/source.css
CSS_BUILT := static/css/app.css
TAILWIND := node $(NODE_MODULES)/@tailwindcss/cli/dist/index.mjs -i $(CSS_SOURCE) --minify
# Chromium without what draws windows: the same engine, a third of the processor time.
CHROMIUM := /usr/bin/chromium-headless-shell

# Installed once, and again when a pin changes.
PYTHON_STAMP := $(VENV)/.installed
RUN_STAMP := $(NODE_MODULES)/.installed-run
DEV_STAMP := $(NODE_MODULES)/.installed-dev
# Scripts of packages stay off: nothing here needs them.
NPM_CI := npm ci --prefix devchain --ignore-scripts --no-audit --no-fund --loglevel=error

# Tests never read the environment or the .env of the site that runs here.
TEST_VAR := $(CURDIR)/var/test
# Byte code is kept even where the machine is told not to: the tests start a hundred
# processes, each of which would compile everything again.
TEST_ENV := SITE_MODE=local VAR_DIR=$(TEST_VAR) CHAIN_ID=31337 \
	SITE_ORIGIN=http://localhost:8000 WEBAUTHN_RP_ID=localhost PYTHONDONTWRITEBYTECODE=
# The real ones wait more than they work, so three or four files share two cores, and one
# running site with its chain and bundler. A file's tests stay together, the longest files
# come first. They run apart from the fast ones: where a browser was driven an event loop
# runs, and some of Django's own calls refuse that.
THREE_FILES := -n 3 --dist loadfile --no-loadscope-reorder
FOUR_FILES := -n 4 --dist loadfile --no-loadscope-reorder
LIGHT := DATABASE_URL=sqlite:///$(TEST_VAR)/latchkey.sqlite3 \
	CELERY_BROKER_URL=filesystem://
POSTGRES_URL ?= postgres://postgres@127.0.0.1:5432/latchkey_check
REDIS_URL ?= redis://127.0.0.1:6379/9
HEAVY = DATABASE_URL=$(POSTGRES_URL) CELERY_BROKER_URL=$(REDIS_URL)
CHAOS := CHAOS_ROUNDS=20 CHAOS_REORGS=200

.PHONY: help run test check chaos install install-dev chromium requirements css reset clean \
	check-style check-types check-css check-settings check-services check-thorough

help: ## list these commands
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

run: install ## install what is missing, then run everything: http://localhost:8000
	@exec $(BIN)/python manage.py up

# --- Installing --------------------------------------------------------------------

install: $(PYTHON_STAMP) $(RUN_STAMP) ## install what `make run` needs

install-dev: $(PYTHON_STAMP) $(DEV_STAMP) ## install what the tests and checks need too

$(PYTHON_STAMP): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; choose it with PYTHON=..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
		{ echo "python3 -m venv failed; on Debian: apt-get install python3-venv"; exit 1; }
	@echo "Installing the Python packages."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode \
		--requirement requirements.txt
	@touch $@

# What the tests need contains what `make run` needs.
$(RUN_STAMP): devchain/package-lock.json
	@if [ $(DEV_STAMP) -nt $< ]; then touch $@; exit 0; fi; $(require_node); \
		echo "Installing the local chain, its bundler and the contracts."; \
		$(NPM_CI) --omit=dev; touch $@

$(DEV_STAMP): devchain/package-lock.json
	@$(require_node); echo "Installing the npm packages."; $(NPM_CI); touch $@

define require_node
node -e 'process.exit(Number(process.versions.node.split(".")[0] < 20))' || \
	{ echo "Node 20 or newer, with npm, is needed."; exit 1; }
endef

chromium:
	@if [ -x $(CHROMIUM) ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Chromium."; apt-get -qq update; \
		DEBIAN_FRONTEND=noninteractive apt-get -qq -y install chromium-headless-shell >/dev/null; \
	else \
		echo "Chromium is missing at $(CHROMIUM):" \
			"install Debian's package 'chromium-headless-shell'."; \
		exit 1; \
	fi

# --- Testing and checking ------------------------------------------------------------

test: install-dev chromium ## run the tests, with a real chain, bundler and browser, and one of each fault
	@mkdir -p $(TEST_VAR)
	@echo "Tests without a chain or a browser, on two cores:"
	@$(TEST_ENV) $(LIGHT) $(BIN)/pytest -n 2 -m "not (chain or browser or thorough)"
	@echo "Tests with a real chain, bundler or browser, four files at a time:"
	@$(TEST_ENV) $(LIGHT) $(BIN)/pytest $(FOUR_FILES) \
		-m "(chain or browser) and not thorough"

check: install-dev chromium check-style check-types check-css check-settings check-services check-thorough ## lint, types, settings, the tests on PostgreSQL and Redis, every page and every fault
	@echo "make check: everything passed."

check-style:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djlint --check --quiet templates
	$(BIN)/djlint --lint --quiet templates

check-types:
	@mkdir -p $(TEST_VAR)
	$(TEST_ENV) $(LIGHT) $(BIN)/mypy

check-css:
	@mkdir -p $(TEST_VAR)
	@$(TAILWIND) -o $(TEST_VAR)/app.css 2>/dev/null
	@cmp $(TEST_VAR)/app.css $(CSS_BUILT) || \
		{ echo "$(CSS_BUILT) is not what $(CSS_SOURCE) gives: run 'make css'."; exit 1; }

# A start as in production: every secret is made up here and used once.
check-settings:
	@mkdir -p $(TEST_VAR)
	@$(TEST_ENV) $(LIGHT) $(BIN)/python manage.py makemigrations --check --dry-run
	@random() { $(BIN)/python -c 'import secrets; print(secrets.token_hex(32))'; }; \
	SITE_MODE=production VAR_DIR=$(TEST_VAR) SECRET_KEY=$$(random)$$(random) \
	SITE_ORIGIN=https://wallet.example WEBAUTHN_RP_ID=wallet.example \
	ALLOWED_HOSTS=wallet.example \
	CHAIN_ID=11155111 NODE_URL=http://127.0.0.1:1 BUNDLER_URL=http://127.0.0.1:1 \
	RELAYER_PRIVATE_KEY=0x$$(random) SPONSOR_PRIVATE_KEY=0x$$(random) \
	DATABASE_URL=$(POSTGRES_URL) CELERY_BROKER_URL=$(REDIS_URL) \
	$(BIN)/python manage.py check --deploy --fail-level WARNING

check-services:
	@$(BIN)/python tests/require_services.py $(POSTGRES_URL) $(REDIS_URL)
	@mkdir -p $(TEST_VAR)
	$(TEST_ENV) $(HEAVY) $(BIN)/pytest -m services --ignore tests/chaos --create-db

# Every page through axe and the long tables; then each fault three times on PostgreSQL
# and Redis (`make test` has one of each, on SQLite).
check-thorough:
	@$(BIN)/python tests/require_services.py $(POSTGRES_URL) $(REDIS_URL)
	@mkdir -p $(TEST_VAR)
	$(TEST_ENV) $(LIGHT) $(BIN)/pytest $(FOUR_FILES) -m thorough
	$(TEST_ENV) $(HEAVY) CHAOS_ROUNDS=3 CHAOS_REORGS=40 \
		$(BIN)/pytest $(THREE_FILES) tests/chaos --create-db

chaos: install-dev ## kill, cut, double and reorganise for long, on both kinds of stores
	@$(BIN)/python tests/require_services.py $(POSTGRES_URL) $(REDIS_URL)
	@mkdir -p $(TEST_VAR)
	@echo "On SQLite and the filesystem broker:"
	@$(TEST_ENV) $(LIGHT) $(CHAOS) $(BIN)/pytest $(THREE_FILES) tests/chaos
	@echo "On PostgreSQL and Redis:"
	@$(TEST_ENV) $(HEAVY) $(CHAOS) $(BIN)/pytest $(THREE_FILES) tests/chaos --create-db

# --- Keeping up ----------------------------------------------------------------------

requirements: $(PYTHON_STAMP) ## pin every Python package anew, from pyproject.toml
	@{ echo "# Every Python package, pinned: compiled from pyproject.toml by 'make requirements'."; \
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
		--no-emit-index-url --no-header --quiet; } > requirements.new
	@mv requirements.new requirements.txt

css: install-dev ## build static/css/app.css
	@$(TAILWIND) -o $(CSS_BUILT)

reset: ## forget the local chain, its accounts and the database
	@if [ -e var/up.lock ]; then $(PYTHON) -c 'import fcntl; \
		fcntl.flock(open("var/up.lock"), fcntl.LOCK_EX | fcntl.LOCK_NB)' 2>/dev/null || \
		{ echo "Latchkey runs: stop it first."; exit 1; }; fi
	@rm -rf var
	@echo "The local chain and the database are gone; 'make run' begins anew."

clean: ## remove everything that was installed or built, but not var/
	@rm -rf $(VENV) $(NODE_MODULES) devchain/build .mypy_cache .pytest_cache .ruff_cache

.PHONY: bench
bench: install install-dev ## measure time, gas and memory: see bench/README.md
	@$(BIN)/python -m bench.all
