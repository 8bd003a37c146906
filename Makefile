# Everything runs in .venv, made on first use with nothing but Python 3.11+, pip and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MINUTES ?= 5
SEED ?= 1
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test check format lock bench bench-limits bench-statistics bench-labels soak clean

demo: $(VENV)/.run ## The bundled samples on three simulated models; no key, no network
	$(BIN)/siuo demo

test: $(VENV)/.dev ## The test suite, a file at a time on each of at most four cores
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

check: $(VENV)/.dev ## Lint, format, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(VENV)/.dev ## Mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev ## Measured speed, as ratios to a bare aiohttp loop; BENCH="--only text" for some of it
	$(BIN)/python -m tests.performance $(BENCH)

bench-limits: $(VENV)/.dev ## How well limits are learnt: pace alone, scenarios in virtual time, some over sockets; about 15 minutes
	$(BIN)/python -m tests.performance.limits_pace
	$(BIN)/python -m tests.performance.limits_sockets
	$(BIN)/python -m tests.performance.limits_scenarios $(BENCH)

bench-statistics: $(VENV)/.dev ## Whether intervals hold what they say and tests what they promise; a few minutes
	$(BIN)/python -m tests.performance.coverage --seed 7

bench-labels: $(VENV)/.dev ## How often rates that people's labels corrected hold the truth; about half an hour
	$(BIN)/python -m tests.performance.ppi_coverage --seed 7 --draws 1000

soak: $(VENV)/.dev ## Every fault there is, then a long run under all of them, then the slow tests; 60 minutes are 200,000 samples
	$(BIN)/python -m tests.reliability --minutes $(MINUTES) --seed $(SEED) $(SOAK)
	$(BIN)/python -m pytest -m soak

lock: $(VENV)/.dev ## Write down the versions that are installed now
	$(BIN)/python -m pip --disable-pip-version-check freeze --exclude-editable | LC_ALL=C sort > constraints.txt

clean:
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis

OLD := siuo needs Python 3.11 or newer, and $(PYTHON) is %d.%d; name another one, as in: make demo PYTHON=python3.12

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("$(OLD)" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.made pyproject.toml constraints.txt
	$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.made pyproject.toml constraints.txt
	$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.run
