# Shopfloor. `make help` lists what there is.
PYTHON ?= python3
PORT ?= 8000
WORKERS ?= 2

# compiled once, a second start takes half the time
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.installed-run
DEV_STAMP := $(VENV)/.installed-dev
SECURITY := .venv-security
SECURITY_STAMP := $(SECURITY)/.installed
MUTATION := .venv-mutation
MUTATION_STAMP := $(MUTATION)/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal
REQUIREMENTS := --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet

.DEFAULT_GOAL := help
.PHONY: help demo demo-reset test test-full check check-security format translations migrate screenshots docs-pictures bench-pages bench-promise bench-promise-http bench-purchase bench-last-pieces bench-race bench-reoptimise bench-restart bench-slip bench-defects bench-mutation bench-faults bench-jobshop bench-verify bench-identity bench-segments bench-campaigns bench-contract bench-crm lighthouse requirements clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(RUN_STAMP) ## Run the demo company: shop, desks and worker (PORT=8000); data stays under var/
	@$(BIN)/python -m backoffice.cli run --demo --port $(PORT)

demo-reset: ## Forget the demo's data; the next `make demo` starts over
	@rm -rf var
	@echo "The demo's data is gone. make demo starts over."

test: $(DEV_STAMP) ## Run the tests: SQLite, PostgreSQL, a real browser
	@$(PYTEST) -m "not slow"

test-full: $(DEV_STAMP) ## Run all tests, the slow ones too
	@$(PYTEST)

check: $(DEV_STAMP) ## Check format, lint, types, layers and templates
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy --no-error-summary
	$(BIN)/lint-imports --no-logo
	$(BIN)/djlint templates --lint --quiet

check-security: $(SECURITY_STAMP) ## Run bandit and the house's own semgrep rules, in an environment of their own, offline
	@$(SECURITY)/bin/python -m tests.security.check

format: $(DEV_STAMP) ## Put the code into the one format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

translations: $(DEV_STAMP) ## Collect the phrases, bring the catalogues up to them, compile them, say what has no words yet
	@$(BIN)/python -m backoffice.catalogues

migrate: $(RUN_STAMP) ## Bring the database (SHOPFLOOR_DATABASE_URL) to the program's tables
	@$(BIN)/python -m backoffice.cli migrate

screenshots: $(DEV_STAMP) ## Run the browser tests; they leave pictures of the pages in build/screenshots
	@$(PYTEST) -m browser

docs-pictures: screenshots ## Put those pictures on sheets, for docs/pages.md
	@$(BIN)/python -m tests.sheets

bench-pages: $(DEV_STAMP) ## Measure catalogue and product pages beside an empty view (docs/benchmarks.md)
	@$(BIN)/python -m tests.bench.pages

bench-purchase: $(DEV_STAMP) ## Measure whole purchases per second
	@$(BIN)/python -m tests.bench.purchase

bench-race: $(DEV_STAMP) ## Let 2,000 people race for 500 pieces while processes are killed and the ERP fails (SEED=1)
	@$(BIN)/python -m tests.bench.faults buyers $(SEED)

bench-last-pieces: $(DEV_STAMP) ## Let 16 processes race for little stock, a receipt and a bottleneck; nothing may be promised twice
	@$(BIN)/python -m tests.bench.last_pieces

bench-restart: $(DEV_STAMP) ## Restart web servers and worker one by one under load; no request may fail
	@$(BIN)/python -m tests.bench.restart

bench-defects: $(DEV_STAMP) ## Plant each of the seeded defects in a copy; a named test must turn red
	@$(BIN)/python -m tests.bench.defects

bench-mutation: $(MUTATION_STAMP) ## Change the rules of stock, reservation and settlement in every small way; a test must turn red
	@$(MUTATION)/bin/python -m tests.bench.mutation

bench-faults: $(DEV_STAMP) ## Attack the site, one shard at a time (SHARD=crash-postgresql-buying); prints test, target, figure
	@$(BIN)/python -m tests.bench.faults $(SHARD)

bench-identity: $(DEV_STAMP) ## Tell 1,000 people apart by 5,000 looks; prints precision and recall (SEED=1)
	@$(BIN)/python -m tests.bench.identity $(SEED)

bench-segments: $(DEV_STAMP) ## Measure the count of a segment over HTTP: 100,000 people, 1,000,000 looks
	@$(BIN)/python -m tests.bench.segments

bench-campaigns: $(DEV_STAMP) ## Send a campaign to 10,000 people: statements of a batch, memory, letters handed in once
	@$(BIN)/python -m tests.bench.campaigns

bench-contract: $(DEV_STAMP) ## Call the API 2,000 times as each kind of partner with what fits its description and what does not
	@$(PYTEST) tests/functional/api/test_contract.py -k each_kind_of_partner

bench-verify: $(DEV_STAMP) ## Check every rule of `shopfloor verify` over 100,000 orders on PostgreSQL
	@$(BIN)/python -m tests.bench.verify

bench-crm: $(DEV_STAMP) ## Measure the sales desk over 100,000 enquiries and 1,000,000 entries, and 800 edits at once
	@$(BIN)/python -m tests.bench.crm

bench-jobshop: $(DEV_STAMP) ## Measure how long the solver takes to prove job shops of known optimum (SHOPFLOOR_CASES)
	@$(BIN)/python -m tests.bench.jobshop

bench-promise: $(DEV_STAMP) ## Measure promises of 100,000 SKUs over a plan of 65,000 operations, in process
	@$(BIN)/python -m tests.bench.promise

bench-promise-http: $(DEV_STAMP) ## Measure quotes over HTTP and commits on PostgreSQL
	@$(BIN)/python -m tests.bench.promise_http

bench-slip: $(DEV_STAMP) ## Measure how long 100 of 10,000 orders take to be promised again (SQL included)
	@$(BIN)/python -m tests.bench.slip

bench-reoptimise: $(DEV_STAMP) ## Measure what half a minute of search gains on a floor of 1,000 operations
	@$(BIN)/python -m tests.bench.reoptimise

lighthouse: $(DEV_STAMP) ## Ask Lighthouse (from npm) about home, catalogue, product and checkout on a phone
	@$(BIN)/python -m tests.bench.lighthouse

requirements: $(DEV_STAMP) ## Pin the newest allowed versions with their hashes
	$(BIN)/uv pip compile $(REQUIREMENTS) --extra install pyproject.toml -o requirements/base.txt
	$(BIN)/uv pip compile $(REQUIREMENTS) --group security -o requirements/security.txt
	$(BIN)/uv pip compile $(REQUIREMENTS) --extra install --extra dev -c requirements/base.txt pyproject.toml -o requirements/dev.txt
	$(BIN)/uv pip compile $(REQUIREMENTS) --group mutation -c requirements/dev.txt -o requirements/mutation.txt

clean: ## Remove what was built (not the demo's data)
	rm -rf build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed (PYTHON=…)."; exit 1; }
	$(PYTHON) -m venv $(VENV)

# installed again only when the pinned versions changed
$(RUN_STAMP): requirements/base.txt | $(VENV)/bin/python
	$(PIP) install --require-hashes -r requirements/base.txt
	PYTHONWARNINGS=ignore $(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV_STAMP): requirements/dev.txt | $(RUN_STAMP)
	$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

$(SECURITY_STAMP): requirements/security.txt
	$(PYTHON) -m venv $(SECURITY)
	$(SECURITY)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/security.txt
	@touch $@

$(MUTATION_STAMP): requirements/dev.txt requirements/mutation.txt
	$(PYTHON) -m venv $(MUTATION)
	$(MUTATION)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/dev.txt -r requirements/mutation.txt
	@touch $@
