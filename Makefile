PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
DEMO_STAMP := $(VENV)/.ready-for-demo
CORES := $(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
# The slow tests spend half their time waiting for processes, so more workers than cores pay off.
WORKERS ?= $(shell expr $(CORES) + 3)
# The tests make thousands of repositories, which take half as long in memory as on a disk; `make MEMORY=` uses the disk.
MEMORY ?= /dev/shm
ifndef PYTEST_DEBUG_TEMPROOT
export PYTEST_DEBUG_TEMPROOT := $(shell sh tools/memory_folder.sh "$(MEMORY)")
endif
IN_MEMORY := $(if $(PYTEST_DEBUG_TEMPROOT),-o tmp_path_retention_policy=failed)
PARTS := $(VENV)/.parts
TYPES := $(VENV)/.types
# $(call part,NAME,COMMAND) runs the command and records its duration, which $(print_parts) prints.
record = code=$$?; printf '%s\t%s\n' '$(1)' $$(($$(date +%s) - $$began)) >>$(PARTS)
part = @echo '$(2)'; began=$$(date +%s); $(2); $(call record,$(1)); exit $$code
# In a new clone each worker would compile all modules of tests by itself, for 8 seconds; here two processes do half each.
compile_tests = test -e tests/watch/__pycache__ || { echo 'compiling the tests'; \
  $(BIN)/pytest -q --collect-only tests/[a-g]* >/dev/null 2>&1 & $(BIN)/pytest -q --collect-only tests/[h-z]* >/dev/null 2>&1; wait $$!; }
# The types are checked beside the tests, which use less than all of the cores, and reported after them.
tests_and_types = @echo '$(BIN)/mypy, beside the tests'; began=$$(date +%s); \
  { $(BIN)/mypy >$(TYPES) 2>&1; $(call record,types); exit $$code; } & types=$$!; $(compile_tests); \
  echo '$(2)'; $(2); $(call record,$(1)); wait $$types || code=1; cat $(TYPES); exit $$code
print_parts = @awk -F '\t' '{ printf "%-24s%5d s\n", $$1, $$2 }' $(PARTS)
# Keep bytecode: otherwise every process that the tests start would compile its modules again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check oldest chaos defences soak fuzz bench dist lock clean

check_python = @$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 15) else "Python 3.11 to 3.14 is needed, this is %d.%d: make PYTHON=python3.11" % v)'
pip_install = $(BIN)/python -m pip install --quiet --disable-pip-version-check

$(STAMP): requirements/dev.txt pyproject.toml
	$(check_python)
	@echo "installing what the tests and the demo need into $(VENV) (550 MB; takes a minute or two)"
	$(PYTHON) -m venv $(VENV)
	$(pip_install) --requirement requirements/dev.txt
	$(pip_install) --no-deps --no-build-isolation --editable .
	@touch $@

# Nothing if the tests' packages are installed, which include these.
$(DEMO_STAMP): requirements/dev.txt pyproject.toml
	$(check_python)
	@test -e $(STAMP) || echo "installing what the demo needs into $(VENV) (350 MB; takes a minute)"
	test -e $(STAMP) || $(PYTHON) -m venv $(VENV)
	test -e $(STAMP) || $(pip_install) --constraint requirements/dev.txt argparse-manpage editables hatchling shtab
	test -e $(STAMP) || $(pip_install) --constraint requirements/dev.txt --no-build-isolation --editable '.[demo]'
	@touch $@

demo: $(DEMO_STAMP)  ## git land against simulated services: a green pipeline, then a red one
	@rm -f $(PARTS)
	$(call part,demo green,$(BIN)/homelab demo green)
	@echo
	$(call part,demo red,$(BIN)/homelab demo red; test $$? -eq 1)
	@echo
	$(print_parts)

define static_parts
@rm -f $(PARTS); date +%s >$(VENV)/.began
$(call part,format,$(BIN)/ruff format --check .)
$(call part,lint,$(BIN)/ruff check .)
endef

check: $(STAMP)  ## format, lint, type check and fast tests, then metrics of the code
	$(static_parts)
	$(call tests_and_types,fast tests,$(BIN)/pytest -q -n $(shell expr $(CORES) + 1) $(IN_MEMORY) --dist loadfile --no-loadscope-reorder -m "not slow and not real")
	@$(BIN)/python -m tools.metrics $$(($$(date +%s) - $$(cat $(VENV)/.began)))
	$(print_parts)

# One run of all tests: two would collect them twice, in each of the workers.
test: $(STAMP)  ## what check does, with the slow tests
	$(static_parts)
	$(call tests_and_types,all tests,$(BIN)/pytest -q -n $(WORKERS) $(IN_MEMORY) --dist loadfile --no-loadscope-reorder)
	@$(BIN)/python -m tools.metrics
	$(print_parts)

oldest:  ## the fast tests with the oldest supported dependencies, in a separate virtual environment
	rm -rf build/oldest && $(PYTHON) -m venv build/oldest
	build/oldest/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/dev.txt
	build/oldest/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/oldest.txt
	build/oldest/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	build/oldest/bin/pytest -q -n 2 -m "not slow and not real"

chaos: $(STAMP)  ## repeat one random fault sequence: HOMELAB_SEED=17 make chaos
	$(BIN)/pytest -q "tests/watch/test_chaos.py::test_no_watch_ends_with_a_wrong_verdict[0]" \
	  "tests/watch/test_chaos_sockets.py::test_no_watch_over_a_socket_ends_with_a_wrong_verdict[0]"

fuzz: $(STAMP)  ## fuzz every parser of external input: SECONDS=900 make fuzz
	$(BIN)/python -m tools.fuzz $(or $(SECONDS),60)

defences: $(STAMP)  ## mutation tests: remove each defence in a copy, and check that its test fails: NAMES="filters ext" make defences
	$(BIN)/python -m tools.mutants $(NAMES)

soak: $(STAMP)  ## 300 commands as real processes under random faults, 300 interrupted at a random line, 2000 random chains
	$(BIN)/python -m tools.soak
	HOMELAB_CHAINS=2000 $(BIN)/pytest -q tests/follow/test_random_chains.py
	HOMELAB_LANDINGS=10 HOMELAB_RACERS=8 HOMELAB_BATCHES=20 $(BIN)/pytest -q --timeout 3600 tests/land/test_many.py \
	  tests/land/test_busy_race.py tests/watch/test_chaos.py tests/watch/test_chaos_sockets.py
	HOMELAB_CUTS=150 $(BIN)/pytest -q -n 2 --timeout 3600 tests/soak/test_lines.py

bench: $(STAMP)  ## measure the figures in docs/benchmarks.md
	$(BIN)/python -m tools.bench

# The SBOM needs the version as a literal, and an environment in which nothing else is installed, not even pip.
dist: export SOURCE_DATE_EPOCH = $(shell git log -1 --format=%ct)
dist:  ## the source package, the wheel and its SBOM (CycloneDX), the same bytes from the same commit
	rm -rf dist build/release build/runtime
	$(PYTHON) -m venv build/release && $(PYTHON) -m venv --without-pip build/runtime
	build/release/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements/release.txt
	build/release/bin/python -m hatchling build --directory dist
	build/release/bin/python -m pip --python build/runtime/bin/python install --quiet --disable-pip-version-check dist/*.whl
	sed "s/^dynamic = .*/version = \"$$(build/runtime/bin/homelab --version | cut -d ' ' -f 2)\"/" pyproject.toml > build/pyproject.toml
	build/release/bin/cyclonedx-py environment --output-reproducible --pyproject build/pyproject.toml \
	  --output-file dist/homelab_hooks.cdx.json build/runtime/bin/python
	build/release/bin/python -m twine check --strict dist/*.whl dist/*.tar.gz

lock:  ## pin the dependencies of requirements/dev.in and requirements/release.in
	rm -rf build/lock && $(PYTHON) -m venv build/lock && $(PYTHON) -m venv build/lock-release
	build/lock/bin/python -m pip install --quiet --upgrade pip
	build/lock/bin/python -m pip install --quiet --requirement requirements/dev.in .
	build/lock/bin/python -m pip freeze --exclude homelab-hooks > requirements/dev.txt
	build/lock-release/bin/python -m pip install --quiet --constraint requirements/dev.txt --requirement requirements/release.in
	build/lock-release/bin/python -m pip freeze > requirements/release.txt

clean:
	rm -rf $(VENV) build dist
