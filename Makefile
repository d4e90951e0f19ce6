# The workbook's commands. `make` alone lists them.
#
#   make lab        install once, then open the course in JupyterLab, on your own copies of the lessons
#   make test       lint, unit tests and doctests, browser tests, and strict nbval over the lessons
#   make lint       style, the model's types and the layer rule
#   make check      one room only, in seconds: make check ROOM=links, or fewer of its tests: ONLY=fit
#   make lesson     build one lesson and check it: make lesson NAME=cxl
#   make notebooks  build all lessons from their texts, run them in fresh kernels and write them normalised
#   make book       make the course as pages that need no kernel, no server and no network: site/index.html
#   make docs       the maintainers' pages alone: site/docs/index.html; make book makes them too
#   make book-check drive each of its labs over both ends of each control, answer its stops, and say how long a reader waits
#   make book-pdf   the same, and site/course.pdf beside it; needs Chromium
#   make slides     a deck of slides for each lesson, its labs alive, from files: dist/slides/index.html
#   make handout    a sheet of paper for each lesson, as PDF: dist/handout/; needs Chromium
#   make data       write docs/data.md, docs/sources.md and notebooks/glossary.md, from data/ and the lessons
#   make lite       build site/lite/, the course in a browser alone; make lite-check drives it in Chromium, with no network
#   make guide      write the trainer's pages, docs/trainer/, from the plans and the lessons' notes
#   make bench      measure redraw, import, throughput and the labs' steps
#   make accuracy   print how far predictions are from the published tables, each site predicted without its own
#   make kit        build dist/fabricbook-kit-....zip, with which a machine like this one runs the course without a network
#   make kit-check  start the newest kit where there is no network, as root on Linux, and time it to the first lesson
#   make wheel      pack the course into dist/, with its lessons: pip install it anywhere, then run fabricbook
#   make release    build wheel and sdist and try both in clean environments; it tags and uploads nothing
#   make classroom-load   as root: thirty scripted learners on the hub of a class, docs/classroom.md
#   make flakes     the whole suite in random order on busy cores: TIMES=30 of it, or fewer tests: TESTS=tests/browser
#   make alike      run every notebook TIMES=10 times, or one, NAME=cxl, and compare the bytes
#   make fuzz       throw mutated logs at the reader: RUNS=100000 of them, or SECONDS=60
#   make hostile    call everything public with hostile values: CALLS=1000000 of them, each within a gigabyte and 20 s of CPU
#   make faults     kill savers of a learner's record in the middle of their saves: KILLS=1000 of them
#   make audit      ask the package index which pinned version has a known hole
#   make mutants    change a room's code place by place and list what its tests do not notice: ROOM=links, of all DIGITS=16
#   make constraints   write constraints.txt anew: the newest versions that go together; then make test
#   make clean      remove what these commands made, but not work/, where the learner's answers are
#
# A Python other than python3: make lab PYTHON=python3.12

PYTHON ?= python3
RUN = .venv/bin/python
LEARNERS ?= 30
# A third of a browser's test is waiting, so one worker more than there are cores; each needs about a gigabyte.
PARALLEL = -n $(or $(WORKERS),$(shell $(PYTHON) -c "import os; print(min((os.cpu_count() or 1) + 1, 5))"))

.PHONY: help lab test lint check lesson notebooks book docs book-check book-pdf slides handout data guide bench accuracy wheel release kit kit-check classroom-load lite lite-check flakes alike hostile faults audit mutants constraints clean ready

help:
	@sed -n 's/^#   //p' Makefile

lab:
	@$(PYTHON) tools/open_lab.py

ready:
	@$(PYTHON) tools/install.py test

test: lint
	$(RUN) -m pytest $(PARALLEL) --dist worksteal
	$(if $(wildcard notebooks/*.ipynb),$(RUN) -m pytest $(PARALLEL) --dist loadfile --nbval --nbval-current-env --nbval-cell-timeout=300 --nbval-kernel-startup-timeout=300 notebooks)

lint: ready
	$(RUN) -m ruff check .
	$(RUN) -m ruff check -q --preview --select PLW1514 .  # a file's encoding is named, or Windows takes its own
	$(RUN) -m mypy
	.venv/bin/lint-imports

check: ready
	@$(RUN) tools/check.py "$(ROOM)" "$(ONLY)"

lesson: ready
	@$(RUN) tools/notebooks.py $(NAME)
	@$(RUN) tools/check.py "$(NAME)" "$(ONLY)"

notebooks: ready
	$(RUN) tools/notebooks.py

book: ready
	$(RUN) tools/build_book.py --docs

docs: ready
	$(RUN) tools/build_docs.py

book-check: ready
	$(RUN) tools/try_book.py

book-pdf: ready
	$(RUN) tools/build_book.py --docs --pdf

slides: ready
	$(RUN) tools/build_slides.py

handout: ready
	$(RUN) tools/build_handout.py

data: ready
	$(RUN) tools/data_dictionary.py
	$(RUN) tools/reference.py

guide: ready
	$(RUN) tools/trainer_guide.py

bench: ready
	$(RUN) tools/bench.py
	$(RUN) tools/bench_model.py
	$(RUN) tools/bench_mlsysim.py
	$(RUN) tools/bench_labs.py

lite: ready
	$(RUN) tools/build_lite.py

lite-check: lite
	LITE=$${LITE:-1} $(RUN) -m pytest -p no:nbval -s tests/lite

# The matrices are small: more threads only wait for one another.
test accuracy: export OMP_NUM_THREADS = 1

accuracy: ready
	$(RUN) tools/accuracy.py

wheel: ready
	$(RUN) -m hatchling build -t wheel -d dist

release: ready
	$(RUN) tools/release.py

kit: ready
	$(RUN) tools/build_kit.py

kit-check: ready
	$(RUN) tools/first_lesson.py kit

classroom-load:
	@$(PYTHON) tools/install.py classroom
	@$(RUN) classroom/load.py --learners $(LEARNERS)

flakes: ready
	$(RUN) tools/flakes.py --times $(or $(TIMES),30) $(TESTS)

alike: ready
	$(RUN) tools/alike.py --times $(or $(TIMES),10) $(NAME)

fuzz: ready
	@$(RUN) -c "import atheris" 2>/dev/null || $(RUN) -m pip install --quiet atheris
	$(RUN) tools/fuzz.py --runs $(or $(RUNS),100000) --seconds $(or $(SECONDS),60)

hostile: export OMP_NUM_THREADS = 1
hostile: export HOSTILE_CALLS = $(or $(CALLS),1000000)

hostile: ready
	$(RUN) -m pytest $(PARALLEL) --dist worksteal tests/test_hostile.py

faults: ready
	$(RUN) tools/faults.py --kills $(or $(KILLS),1000)

audit: ready
	@$(RUN) -c "import pip_audit" 2>/dev/null || $(RUN) -m pip install --quiet pip-audit
	$(RUN) -m pip_audit --strict --no-deps --disable-pip -r constraints.txt

mutants: ready
	@$(RUN) -c "import mutmut" 2>/dev/null || $(RUN) -m pip install --quiet mutmut
	$(RUN) tools/mutate.py $(ROOM) --digits $(or $(DIGITS),0123456789)

constraints:
	$(PYTHON) -m venv .venv/uv && .venv/uv/bin/pip install -q uv
	.venv/uv/bin/uv pip compile -q --upgrade --universal --fork-strategy fewest --python-version 3.11 --all-extras --no-annotate \
		--custom-compile-command "make constraints" pyproject.toml -o constraints.txt

clean:
	rm -rf .venv .venv-lite site artifacts build dist *.egg-info fabricbook/stage/static
	rm -rf .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
