# Two commands: `make` builds the default study, `make test` runs every check and test.
# `make help` lists the rest. Everything runs from .venv; nothing has to be activated.

PYTHON ?= python3
BIN := .venv/bin
SNAKEMAKE := $(BIN)/snakemake --profile profiles/default
# Another study: make CONFIG=study.yaml. It is checked first, since Snakemake runs templates.
CONFIG ?=
INSTALLED := .venv/installed

.DEFAULT_GOAL := study
.PHONY: study plan report animations peers bench bench-scale test test-faults test-cluster check \
	docs site rulegraph recorded-run lock audit clean help

study: $(INSTALLED) ## build the default study: every number, figure, summary, the paper and the report
	$(if $(CONFIG),$(BIN)/python -m qatlas.config.check "$(CONFIG)")
	$(SNAKEMAKE) all report $(if $(CONFIG),--configfile "$(CONFIG)")

plan: $(INSTALLED) ## say what would be built and how long it may take, and build nothing
	$(SNAKEMAKE) --dry-run --quiet rules reason

figures/%: $(INSTALLED) ## remake one figure: make figures/CHAPTER/NAME
	$(SNAKEMAKE) results/$(*D)/figures/$(*F).pdf

report: $(INSTALLED) ## write results/report.html: figures, tables, run times, rule graph
	$(SNAKEMAKE) report

animations: $(INSTALLED) ## install Manim, an optional extra, and render the animations
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--requirement requirements-animations.txt || { echo "Manim compiles two of its parts: on" \
		"Debian, apt-get install gcc pkg-config libpango1.0-dev" >&2; exit 1; }
	$(SNAKEMAKE) animations

peers: $(INSTALLED) ## install the optional outside quantizers: torchao, hqq
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--requirement requirements-peers.txt

bench-scale: $(INSTALLED) ## measure how memory and time grow with a model: an hour, 6 GB of disk
	$(BIN)/python benchmarks/scale.py results/benchmarks/scale --record resources/scale.json

bench: $(INSTALLED) ## measure speed and memory against named alternatives
	$(SNAKEMAKE) benchmarks

test: check ## run every check and test
	$(BIN)/pytest -n 2 --dist loadgroup

test-faults: $(INSTALLED) ## kill, fill, damage and restart the smoke study: many minutes
	$(BIN)/pytest -m faults tests/faults

test-cluster: $(INSTALLED) ## run the small study on a Slurm of two nodes, and break it (root)
	$(BIN)/pytest -m "slow or cluster" tests/cluster

check: $(INSTALLED) ## run the static checks alone
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/snakefmt --check --compact-diff Snakefile rules
	$(BIN)/snakemake --lint
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(INSTALLED) ## write the generated pages and schemas of docs/
	$(BIN)/python docs/generate.py

# Without dates, so that the same pages are the same bytes.
site: $(INSTALLED) ## build the pages of docs/ as a site: results/site/index.html
	SOURCE_DATE_EPOCH=0 NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

rulegraph: $(INSTALLED) ## draw docs/images/rulegraph.svg (needs graphviz)
	$(BIN)/snakemake --rulegraph dot 2>/dev/null | dot -Tsvg > docs/images/rulegraph.svg

recorded-run: study ## record what this machine took, for first runs elsewhere to go by
	$(SNAKEMAKE) --force recorded_run

lock: $(INSTALLED) ## pin requirements*.in in requirements*.txt and envs/
	for name in requirements requirements-peers requirements-animations; do \
		$(BIN)/pip-compile --quiet --strip-extras --allow-unsafe --no-header --no-emit-options \
			--no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
			--output-file $$name.txt $$name.in && \
		sed -i 's/^\(torch==[0-9.]*\)+.*/\1/' $$name.txt || exit 1; \
	done
	$(BIN)/python envs/from_lock.py

audit: $(INSTALLED) ## look up known vulnerabilities of the pinned packages (needs the network)
	$(PYTHON) -m venv .venv/audit
	.venv/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	.venv/audit/bin/pip-audit --no-deps --disable-pip --requirement requirements.txt

clean: ## remove results and Snakemake's own files, not the environment
	rm -rf results .snakemake

help: ## list these targets
	@grep -hE '^[a-z/%-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# The mark is written last, so an installation that broke off is taken up again.
$(INSTALLED): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else \
		"Python 3.11 or newer is needed; this is " + sys.version.split()[0] + \
		". Name another: make PYTHON=/path/to/python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
		--no-build-isolation --editable .
	@touch $@
