# The two commands (run, test) and what developers need besides. Needs make and Python 3.11+ with python3-venv.
VENV := .venv
PYTHON := $(VENV)/bin/python
PIP := $(PYTHON) -m pip install --quiet --disable-pip-version-check --no-input --require-hashes --only-binary :all:
CODE := main.py settings.py bench bots clients commands core gate handlers services simulator tests webhooks

.PHONY: help install run test check-static check bench soak
.NOTPARALLEL:

help:
	@echo 'make install       only what a server needs, into .venv; then: .venv/bin/python main.py --help'
	@echo 'make run           the gateway, its stores, a demo city and a phone to type on (ARGS=… is handed over)'
	@echo 'make test          everything the tests need, then all tests'
	@echo 'make check-static  format, lint, types, layers'
	@echo 'make check         check-static, then test'
	@echo 'make bench         how fast the webhook is, what several processes, a notice to many, reminders and ride codes cost'
	@echo 'make soak          the long trials'

install: $(VENV)/run.stamp

run: $(VENV)/run.stamp
	@exec $(PYTHON) main.py run $(ARGS)

# Three on two cores: much of a test's time goes by in waiting for processes and browsers. In a tenth of
# WeChat's time a busy machine is a late one, so the plays of reception come afterwards. 5: nothing to run.
# Compiled first: tests start our programs some hundred times, and an environment may keep these from doing it.
test: $(VENV)/dev.stamp
	@$(PYTHON) -m compileall -q $(CODE)
	@$(PYTHON) -m pytest -n 3 --dist worksteal -m 'not soak and not timed' $(ARGS); most=$$?; \
	$(PYTHON) -m pytest -n 2 --dist worksteal -m 'not soak and timed' $(ARGS); timed=$$?; \
	case "$$most $$timed" in '0 0'|'0 5'|'5 0') ;; *) exit 1;; esac

check-static: $(VENV)/dev.stamp
	@$(PYTHON) -m ruff format --check --quiet .
	@$(PYTHON) -m ruff check --quiet .
	@$(PYTHON) -m mypy $(CODE)
	@$(VENV)/bin/python -c 'from importlinter.cli import lint_imports_command as lint; lint()'

check: check-static test

bench: $(VENV)/dev.stamp
	@for bench in webhook reception broadcast reminders transit; do $(PYTHON) -m bench.$$bench $(ARGS) || exit $$?; done

soak: $(VENV)/dev.stamp
	@exec $(PYTHON) -m pytest -m soak $(ARGS)

# A stamp is written last, so that a step that was cut short is done again.
$(VENV)/run.stamp: requirements/run.txt $(VENV)/made.stamp
	@echo 'Installing what Bianmin needs (once, under a minute) …'
	@$(PIP) -r requirements/run.txt || { $(COMPLAIN) 'the packages did not arrive; is there a network? Then: make $(MAKECMDGOALS)'; exit 2; }
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/made.stamp
	@echo 'Installing what the tests need (once, under a minute) …'
	@$(PIP) -r requirements/dev.txt || { $(COMPLAIN) 'the packages did not arrive; is there a network? Then: make $(MAKECMDGOALS)'; exit 2; }
	@touch $@

COMPLAIN := printf 'bianmin: %s\n' >&2

# An environment whose Python is gone, as after an upgrade of the system, is made anew.
ifneq ($(shell $(PYTHON) -c 'print("alive")' 2>/dev/null),alive)
.PHONY: $(VENV)/made.stamp
endif
$(VENV)/made.stamp:
	@fit=; able=; \
	for each in python3.14 python3.13 python3.12 python3.11 python3; do \
		$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		fit=$$each; \
		$$each -c 'import ensurepip, venv' 2>/dev/null && able=$$each && break; \
	done; \
	if [ -z "$$fit" ]; then $(COMPLAIN) 'needs Python 3.11 or newer; Debian 12, Ubuntu 24.04 and later have it: sudo apt install python3 python3-venv'; exit 2; fi; \
	if [ -z "$$able" ]; then $(COMPLAIN) "$$fit cannot make a virtual environment: sudo apt install python3-venv"; exit 2; fi; \
	$$able -m venv --clear $(VENV)
	@touch $@
