# make run   sets everything up and opens the app
# make test  sets everything up and runs every check
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501

.PHONY: run test lint types unit browser bench clean chromium

run: $(VENV)/.runtime
	$(BIN)/streamlit run app.py --server.port $(PORT)

test: lint types unit browser

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.dev
	$(BIN)/mypy

unit: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not browser" --durations 25 --durations-min 4

browser: $(VENV)/.dev chromium
	$(BIN)/python -m pytest -n 2 --dist loadfile -m browser --reruns 1 -rR --durations 25 --durations-min 4

bench: $(VENV)/.dev
	@echo "Each script prints its own table:"; ls benchmarks/*.py
	@echo "Run one with: $(BIN)/python benchmarks/NAME.py"

# Browser tests drive a system Chromium; Debian and Ubuntu can install it, others are told.
chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	{ [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -y -qq chromium; } || \
	echo "WARNING: no Chromium found and none could be installed: the browser tests will be SKIPPED"

$(VENV)/.python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Embedscope needs Python 3.11 or newer; this is $$($(PYTHON) --version). Set PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.runtime: $(VENV)/.python requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@echo "Compiling once (a minute), so that the first map and the first training need not"
	$(BIN)/python -c "from projection.warm import warm_up; warm_up()"
	$(BIN)/python -c "from embedders.warm import warm_up; warm_up()"
	touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

clean:
	rm -rf $(VENV) static .mypy_cache .ruff_cache .pytest_cache .hypothesis
