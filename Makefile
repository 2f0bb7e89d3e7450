PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
# What is compiled is kept: every start of Python would compile anew otherwise.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check oldest chaos defences soak fuzz bench lock clean

$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 15) else "Python 3.11 to 3.14 is needed, this is %d.%d: make PYTHON=python3.11" % v)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP)  ## the main job on embedded stand-ins, then one that fails
	@$(BIN)/homelab demo green
	@echo
	@$(BIN)/homelab demo red; test $$? -eq 1

check: $(STAMP)  ## format, lint, types and the fast tests, then the house in six numbers
	@date +%s >$(VENV)/.began
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -q -n 2 -m "not slow and not real"
	@$(BIN)/python -m tests.numbers $$(($$(date +%s) - $$(cat $(VENV)/.began)))

test: check  ## everything
	$(BIN)/pytest -q -n 5 --dist loadfile --no-loadscope-reorder -m "slow or real"  # they wait more than they compute

oldest:  ## the fast tests with the oldest dependencies that are allowed, in an environment of their own
	rm -rf build/oldest && $(PYTHON) -m venv build/oldest
	build/oldest/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/dev.txt
	build/oldest/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/oldest.txt
	build/oldest/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	build/oldest/bin/pytest -q -n 2 -m "not slow and not real"

chaos: $(STAMP)  ## one random history again: HOMELAB_SEED=17 make chaos
	$(BIN)/pytest -q "tests/watch/test_chaos.py::test_no_watch_ends_with_a_wrong_verdict[0]" \
	  "tests/watch/test_chaos_sockets.py::test_no_watch_over_a_socket_ends_with_a_wrong_verdict[0]"

fuzz: $(STAMP)  ## feeds every reader of something outside what is nearly right: SECONDS=900 make fuzz
	$(BIN)/python -m tests.fuzz $(or $(SECONDS),60)

defences: $(STAMP)  ## each defence taken out of a copy, and the test that then falls: NAMES="filters ext" make defences
	$(BIN)/python -m tests.defences $(NAMES)

soak: $(STAMP)  ## 300 landings, watches and waits as real processes under random faults, and 300 cut short at any line
	$(BIN)/python -m tests.soak
	HOMELAB_CUTS=150 $(BIN)/pytest -q -n 2 tests/soak/test_lines.py

bench: $(STAMP)  ## the figures of docs/benchmarks.md
	$(BIN)/python -m tests.bench

lock:  ## pin what requirements/dev.in asks for
	rm -rf build/lock && $(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet --upgrade pip
	build/lock/bin/python -m pip install --quiet --requirement requirements/dev.in .
	build/lock/bin/python -m pip freeze --exclude homelab-hooks > requirements/dev.txt

clean:
	rm -rf $(VENV) build dist
