# Each target does all of its own set-up on a machine with Python 3.11 or newer, pip and make.
#   make demo    the whole pipeline on the synthetic study, package in build/
#   make test    the tests, in under ten minutes
#   make soak    the long tests: changed studies, faults, pages in a browser, many patients
#   make bench   speed and memory of whole builds of 10, 100 and 1,000 patients
#   make lint    ruff and mypy
#   make docs    the documentation as pages, in build/docs

VENV := .venv
READY := $(VENV)/.ready
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Without compiled modules beside the sources each start would compile half a minute's worth of libraries again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test soak bench lint docs setup clean
.DEFAULT_GOAL := help

.PHONY: help
help:
	@sed -n 's/^#   //p' Makefile

demo: $(READY)
	@$(VENV)/bin/redcap-cdisc demo

test: $(READY)
	@$(VENV)/bin/python -m pytest -q -n 2 --dist loadgroup

soak: $(READY)
	@$(VENV)/bin/python -m pytest -q -n 2 --dist loadgroup -m soak

bench: $(READY)
	@$(VENV)/bin/python -m benchmarks
	@$(VENV)/bin/python -m benchmarks.streaming
	@echo "For 10,000 patients (half an hour, 12 GB): $(VENV)/bin/python -m benchmarks --patients 1000 10000"

lint: $(READY)
	@$(VENV)/bin/ruff check
	@$(VENV)/bin/mypy

docs: $(READY)
	@$(VENV)/bin/python -m docs.site

setup: $(READY)

clean:
	rm -rf build dist $(VENV)

# uv installs the locked set in seconds; its own wheel is taken from the lock, hash and all. Where it does not run, pip does the same slowly.
$(READY): requirements.lock pyproject.toml
	@python=; for name in $(PYTHON) python3.11 python3.12 python3.13 python3.14 python3 python; do \
	  if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$name; break; fi; \
	done; \
	[ -n "$$python" ] || { echo "Python 3.11 or newer was not found; name one with: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 2; }; \
	$(VENV)/bin/python -c '' 2>/dev/null || { echo "Setting up $(VENV) with $$($$python --version)"; rm -rf $(VENV); $$python -m venv $(VENV); }
	@awk '/^uv==/ {found = 1} found {print} found && !/\\$$/ {exit}' requirements.lock > $(VENV)/uv.lock.txt
	@$(VENV)/bin/python -m uv --version >/dev/null 2>&1 \
	  || $(VENV)/bin/python -m pip install --quiet --require-hashes --no-deps -r $(VENV)/uv.lock.txt || true
	@$(VENV)/bin/python -m uv pip sync --quiet --compile-bytecode --python $(VENV)/bin/python --require-hashes requirements.lock \
	  || $(VENV)/bin/python -m pip install --quiet --require-hashes --no-deps -r requirements.lock
	@$(VENV)/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@$(VENV)/bin/python -m compileall -q -j 0 $(dir $(wildcard */__init__.py))
	@touch $(READY)
