# Two commands do everything: `make run` and `make test`. All make .venv with what constraints.txt pins.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test nodes lint perf clean

run: .venv/runtime
	$(BIN)/aebench run jobs/quickstart.toml

test: .venv/development
	$(BIN)/python -m pytest -n 2 --dist loadfile -m 'not alone'
	$(BIN)/python -m pytest -m 'alone and not namespaces'

# nodes of a Ray that are killed, also where each has a network namespace of its own, which wants root
nodes: .venv/development
	$(BIN)/python -m pytest tests/nodes

lint: .venv/development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

perf: .venv/development
	$(BIN)/python -m benchmarks

.venv/runtime: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "aebench needs Python 3.11 or newer; name one: make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

.venv/development: .venv/runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

clean:
	rm -rf .venv build *.egg-info aebench.egg-info
