# example, test, check, docs, site, sbom, golden, prove, fuzz, bench: each builds .venv from the pinned, hashed requirements first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: example test check docs site sbom golden prove fuzz bench format

$(VENV)/.installed: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

example: $(VENV)/.installed
	$(BIN)/crlm run data/example --warehouse example-run/crlm.duckdb --report example-run/report

check: $(VENV)/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint --disable-progress-bar sql

test: $(VENV)/.installed
	$(BIN)/pytest -n 2 --dist loadfile
	$(BIN)/python -m bench --guard
	$(MAKE) --no-print-directory check

format: $(VENV)/.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.installed
	rm -rf build/docs   # a first run, as a reader would have it
	$(BIN)/crlm ingest data/example --warehouse build/docs/crlm.duckdb
	$(BIN)/crlm annotate --warehouse build/docs/crlm.duckdb
	$(BIN)/python -m crlm_pipeline.documentation docs build/docs/crlm.duckdb
	$(BIN)/marimo export md notebooks/registry.py | sed -E 's/^(```[a-z]+) \{\.marimo.*\}$$/\1/' > docs/notebook.md

site: $(VENV)/.installed
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

sbom: $(VENV)/.installed
	mkdir -p build
	$(BIN)/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml --output-reproducible --output-file build/sbom.cdx.json

golden: $(VENV)/.installed
	CRLM_RENEW_GOLDEN=1 $(BIN)/pytest -n 0 tests/golden

prove: $(VENV)/.installed
	CRLM_DECISIONS=$(or $(DECISIONS),1000000) $(BIN)/pytest -n 2 tests/properties/test_evaluators.py

fuzz: $(VENV)/.installed
	CRLM_FUZZ_SECONDS=$(or $(SECONDS),600) $(BIN)/pytest -n 0 tests/fuzz

bench: $(VENV)/.installed
	$(BIN)/python -m bench $(if $(PATIENTS),--patients $(PATIENTS))
	$(BIN)/python -m bench.page
