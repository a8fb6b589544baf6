# Segport: every target sets the environment up by itself. `make help` lists them.

PYTHON = python3
BUNDLE = build/breakage
RUN := .venv/bin/python
SEGPORT := SEGPORT_MAKE=1 $(RUN) -m segport

.DEFAULT_GOAL := help
.PHONY: help demo export validate inspect predict ios-demo test check bench conformance faults fuzz matrix compatibility samples catalogue clean

# What each target takes on make's command line, beside PYTHON.
module := MODEL MODEL_ARGS
reading := WEIGHTS ENCODER INTERPOLATION PADDING BRANCH ACTIVATION LABELS $(module)
writing := SIZE OUT NAME FORMATS TARGET COMPRESS MIN_IOU MEAN STD LICENCE AUTHOR
judging := SAMPLES COREML TOLERANCES ALLOW_UNJUDGED TIME_LIMIT
reference := REFERENCE WRITE_REFERENCE
demo.takes := $(writing) $(judging)
export.takes := CKPT $(writing) $(reading) $(judging)
validate.takes := BUNDLE CKPT OUT $(module) $(reference) $(judging) DRIFT RANGES
inspect.takes := CKPT $(reading)
predict.takes := BUNDLE PHOTOS FORMATS OUT TILED OVERLAP TIME_LIMIT ANYWAY
ios-demo.takes := BUNDLE CKPT $(module) SAMPLES APP ANYWAY
test.takes := ARGS
bench.takes := ARGS
conformance.takes := ARGS
fuzz.takes := CASES SEED

# Only make's command line counts, and not the environment. What it gives is text: a name in it is
# never expanded by make, nor run by the shell, whatever characters it holds.
define newline


endef
quoted = '$(subst ','\'',$(1))'
goals := $(if $(MAKECMDGOALS),$(MAKECMDGOALS),help)
known := $(foreach goal,$(goals),$($(goal).takes)) PYTHON
given := $(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name)))
unknown := $(firstword $(filter-out $(known),$(given)))
nearest = $(shell $(call quoted,$(value PYTHON)) -c 'import difflib, sys; \
	found = difflib.get_close_matches(sys.argv[1].upper(), sys.argv[2:], 1, 0.5); \
	print(f"did you mean {found[0]}=" if found else f"it takes {(chr(44) + chr(32)).join(sys.argv[2:])}")' \
	$(call quoted,$(unknown)) $(known))
ifneq ($(unknown),)
$(error make $(goals) takes no $(unknown)=: $(nearest))
endif
$(foreach name,$(given),$(if $(findstring $(newline),$(value $(name))),\
	$(error $(name)= holds a line break, which make cannot pass on: run segport itself)))
$(foreach name,$(given),$(eval override $(name) := $$(value $(name))))
unexport MAKEFLAGS MFLAGS MAKELEVEL # a make that a recipe runs is given variables of its own

# The options of the given ones among some names: --size '512x384' --formats 'onnx'.
flag = --$(shell echo $(1) | tr A-Z_ a-z-)
options = $(foreach name,$(filter $(1),$(given)),\
	$(if $($(name)),$(call flag,$(name)) $(call quoted,$($(name)))))
checkpoint = $(if $(filter CKPT,$(given)),--checkpoint $(call quoted,$(CKPT)))
switch = $(if $(filter $(1),$(given)),$(if $(filter-out 0,$($(1))),$(call flag,$(1))))
words = $(foreach word,$(if $(filter ARGS,$(given)),$(ARGS)),$(call quoted,$(word)))
need = $(if $(filter $(1),$(given)),,$(error $(1)= is missing: make $@ $(1)=$(2)))

help: ## List the targets
	@echo 'Usage: make TARGET [NAME=value ...]'
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@echo 'export also takes SIZE=512x384 OUT=build NAME= ENCODER= INTERPOLATION= PADDING= BRANCH='
	@echo '  ACTIVATION=sigmoid|softmax WEIGHTS= LABELS=a,b'
	@echo '  MEAN=r,g,b STD=r,g,b TARGET=iOS16 FORMATS=torchscript,mlprogram,neuralnetwork,onnx'
	@echo '  SAMPLES=photos/ COREML=native|reference|both TIME_LIMIT=seconds LICENCE= AUTHOR='
	@echo '  MODEL=file.py:Class MODEL_ARGS={"classes": 3} for a network of your own'
	@echo 'validate also takes CKPT= MODEL= MODEL_ARGS=, DRIFT=1 to name the first operation that'
	@echo '  departs from PyTorch, RANGES=1 for what each operation needs of float16,'
	@echo '  WRITE_REFERENCE=file.npz now and REFERENCE=file.npz later,'
	@echo '  or OUT=results for a report outside of the bundle'
	@echo 'predict also takes FORMATS=onnx OUT=masks TILED=1 OVERLAP=64; PHOTOS= is a folder or a photo'
	@echo 'make ends with 2 whatever went wrong; .venv/bin/python -m segport ends with 0, 1 or 2'

demo: .venv/.ready ## Demo checkpoint, export, parity: the whole path on a fresh machine
	@$(SEGPORT) demo $(call options,$(demo.takes))

export: .venv/.ready ## Export a checkpoint: make export CKPT=breakage.pt
	$(call need,CKPT,breakage.pt)
	@$(SEGPORT) export $(call options,$(writing) $(reading) $(judging)) -- $(call quoted,$(CKPT))

validate: .venv/.ready ## Check parity of a bundle again: make validate BUNDLE=build/breakage
	@$(SEGPORT) validate $(checkpoint) $(call options,OUT $(module) $(reference) $(judging)) \
		$(call switch,DRIFT) $(call switch,RANGES) -- $(call quoted,$(BUNDLE))

inspect: .venv/.ready ## What is in a checkpoint; writes nothing: make inspect CKPT=breakage.pt
	$(call need,CKPT,breakage.pt)
	@$(SEGPORT) inspect $(call options,$(reading)) -- $(call quoted,$(CKPT))

predict: .venv/.ready ## Paint masks on photos: make predict BUNDLE=build/breakage PHOTOS=photos/
	$(call need,PHOTOS,photos/)
	@$(SEGPORT) predict $(call options,FORMATS OUT OVERLAP TIME_LIMIT) $(call switch,TILED) $(call switch,ANYWAY) \
		-- $(call quoted,$(BUNDLE)) $(call quoted,$(PHOTOS))

ios-demo: .venv/.ready ## Put a bundle into the iOS app: make ios-demo BUNDLE=build/breakage
	@$(SEGPORT) ios-demo $(checkpoint) $(call options,$(module) SAMPLES APP) $(call switch,ANYWAY) \
		-- $(call quoted,$(BUNDLE))

test: .venv/.ready ## Run the tests
	@# Two workers with two threads each on two cores would wait for each other most of the time.
	@OMP_NUM_THREADS=1 PYTEST_ADDOPTS=$(if $(words),$(call quoted,$(ARGS)),"$$PYTEST_ADDOPTS") \
		$(RUN) -m pytest -n 2 --dist worksteal

check: .venv/.ready ## Lint, format check and types
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy

bench: .venv/.ready ## Time and memory beside a bare conversion script
	@$(RUN) -m bench $(words)

conformance: .venv/.ready ## Run coremltools' own operator tests on the reference runtime
	@PYTHONPATH=tests/coreml $(RUN) -m conformance $(words)

faults: .venv/.ready ## Break a bundle in every way we know, and list what catches it
	@$(RUN) tests/faults/write_page.py

fuzz: .venv/.ready ## Read files that are wrong at random: make fuzz CASES=20000 SEED=1
	@PYTHONPATH=.:tests:tests/coreml:tests/ios $(RUN) tests/security/fuzz.py $(call options,$(fuzz.takes))

matrix: .venv/.ready ## Export many healthy networks: none may fail (half an hour)
	@PYTHONPATH=tests $(RUN) tests/matrix/write_page.py

compatibility: .venv/.ready ## Put every family through every format, and list what each does
	@$(RUN) tests/models/families/check_compatibility.py

samples: .venv/.ready ## Render the sample pictures again
	@$(RUN) -m samples.render samples

catalogue: .venv/.ready ## Write the encoder signatures of the installed smp again
	@$(RUN) -m models.families.encoders.generate

clean: ## Remove what was built, but not the environment
	rm -rf build .pytest_cache .mypy_cache .ruff_cache

.venv/.ready: requirements.txt
	@$(call quoted,$(PYTHON)) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' || \
		{ echo 'Segport needs Python 3.11 or 3.12: make PYTHON=python3.11'; exit 2; }
	@echo 'Setting up .venv from requirements.txt (a few minutes, once)'
	@$(call quoted,$(PYTHON)) -m venv .venv
	@# -qq: errors alone. Where several indexes are configured, pip warns of each package each lacks.
	@.venv/bin/pip install -qq --disable-pip-version-check -r requirements.txt
	@touch $@
