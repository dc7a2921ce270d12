# Everything from a bare python3: each target first makes what it needs, once, in .venv.
#   make demo     analyse a bundled real data set, write a PDF, print where it is
#   make test     the test suite           make lint      format, lint, types, import order
#   make docs     the documentation        make gallery   redraw the reports in reports/
#   make bench    the benchmarks           make lock      renew requirements/ (needs the network)
#   make bench-peers  speed against torch, worst cases against PEPit, AutoLyap, python-control
#   make clean    remove all that make and the tools created
#   make test-peers   our rules held against torch and optax themselves (installs them: large)
#   make test-browser the web pages in the system's Chromium, and in Firefox where there is one
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PEERS := .cache/peers

# Nothing outside this folder is needed or written, not even a home directory.
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export MPLCONFIGDIR := $(CURDIR)/.cache/matplotlib
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: help demo test test-peers test-browser browsers lint docs gallery bench bench-peers lock clean
.DELETE_ON_ERROR:

help:
	@sed -n 's/^#   //p' Makefile

demo: $(VENV)/report.stamp
	$(VENV)/bin/convex-analyzer demo

test: $(VENV)/dev.stamp
	$(PY) -m pytest -n 2 --dist worksteal

lint: $(VENV)/dev.stamp
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports

docs: $(VENV)/dev.stamp
	$(PY) -m sphinx -q -W --keep-going -E -b html docs docs/_build/html
	@echo "open docs/_build/html/index.html"

gallery: $(VENV)/report.stamp
	$(PY) reports/build.py

bench: $(VENV)/dev.stamp
	$(PY) -m benchmarks

# Our rules against torch and optax themselves; nothing else depends on it.
test-peers: $(PEERS)/stamp
	PYTHONPATH=tests/peers $(PEERS)/bin/python -m pytest tests/peers -n 2

# A browser is no part of the environment: Chromium must be there, and npm for axe-core. Firefox is
# tried too where there is one.
CHROMIUM = $(firstword $(foreach name,chromium chromium-browser google-chrome,$(shell command -v $(name))))
test-browser: browsers $(VENV)/browser.stamp
	CONVEX_ANALYZER_AXE=explorer/node_modules/axe-core/axe.min.js \
		$(PY) -m pytest -rs tests/explorer tests/reporting/test_html.py

browsers:
	@test -n "$(CHROMIUM)" || { echo "make test-browser needs Chromium, and there is none on PATH;" \
		"install it (on Debian or Ubuntu: apt-get install chromium), and run it again" >&2; exit 1; }
	@command -v npm >/dev/null || { echo "make test-browser needs npm (Node.js 20 or newer), which" \
		"is not on PATH; install it (nodejs.org, or apt-get install npm), and run it again" >&2; exit 1; }
	@command -v firefox-esr >/dev/null || command -v firefox >/dev/null || \
		echo "There is no Firefox on PATH: only Chromium is tried (apt-get install firefox-esr adds it)"

bench-peers: $(PEERS)/theory.stamp
	$(PEERS)/bin/python -m benchmarks.torch_loop
	$(PEERS)/bin/python -m benchmarks.theory_peers

clean:
	rm -rf $(VENV) .cache build dist docs/_build .coverage* .hypothesis .import_linter_cache \
		.mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The locks pin every package with its hashes, so what is installed is what was tested. The
# package itself is installed last, editable, by the pinned build tool.
$(VENV)/report.stamp: pyproject.toml requirements/report.txt | $(PY)
	$(PY) -m pip install --quiet --require-hashes -r requirements/report.txt
	$(PY) -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: requirements/ci.txt $(VENV)/report.stamp
	$(PY) -m pip install --quiet --require-hashes -r requirements/ci.txt
	@touch $@

$(VENV)/browser.stamp: explorer/package-lock.json $(VENV)/dev.stamp
	$(PY) -m pip install --quiet playwright==1.65.2
	cd explorer && npm ci --silent
	@touch $@

# Other people's optimizers are large, and nothing but a comparison needs them: a venv of their own.
$(PEERS)/stamp: requirements/ci.txt | $(PY)
	$(PY) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --require-hashes -r requirements/ci.txt
	$(PEERS)/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
	$(PEERS)/bin/python -m pip install --quiet torch==2.13.0 optax==0.2.8
	@touch $@

$(PEERS)/theory.stamp: requirements/peers.txt $(PEERS)/stamp
	$(PEERS)/bin/python -m pip install --quiet -r requirements/peers.txt
	@touch $@

$(PY):
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "convex_analyzer needs Python 3.11 or newer, and '$(PYTHON)' is not;" \
			"say which one to use: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# uv resolves for every platform and every Python from 3.11 at once, which pip cannot.
LOCK = .cache/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --upgrade \
	--generate-hashes --annotation-style line --no-emit-index-url --no-emit-find-links \
	--custom-compile-command "make lock    (needs the network; then run .ci/run, and commit)" pyproject.toml --extra report
lock:
	"$(PYTHON)" -m venv .cache/lock
	.cache/lock/bin/python -m pip install --quiet uv
	$(LOCK) --group dev -o requirements/ci.txt
	$(LOCK) --group build -c requirements/ci.txt -o requirements/report.txt
