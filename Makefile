PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SAMPLE := samples/lighthouse.mp4
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test whisper long dev lint clean
.DEFAULT_GOAL := demo

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.installed-tests: $(VENV)/.installed
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[test]'
	@touch $@

demo: $(VENV)/.installed  ## the sample through the real sensor and job
	$(BIN)/videolab process $(SAMPLE) --tenant demo

test: $(VENV)/.installed-tests  ## everything that needs no more than Python and make
	$(BIN)/pytest -n 3 --dist loadfile

whisper: $(VENV)/.installed-tests  ## the two Whisper engines beside the rest (torch: hundreds of megabytes)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[test,whisper,faster-whisper]'

long: whisper  ## the tests that take minutes or need Whisper
	$(BIN)/pytest -m long -n 2 --dist loadfile

dev: $(VENV)/.installed  ## Dagster's UI on http://127.0.0.1:3000, sensors on
	$(BIN)/videolab dev

lint: $(VENV)/.installed-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pip check

clean:
	rm -rf $(VENV)
