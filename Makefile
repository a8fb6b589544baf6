# Segport: every target sets the environment up by itself. `make help` lists them.

PYTHON ?= python3
RUN := .venv/bin/python
BUNDLE ?= build/breakage
# One shell word of any text: spaces, brackets and quotes in names stay what they are.
quoted = '$(subst ','\'',$(1))'
option = $(if $($(1)),--$(2) $(call quoted,$($(1))))
module = $(call option,MODEL,model) $(call option,MODEL_ARGS,model-args)
reading = $(call option,WEIGHTS,weights) $(call option,ENCODER,encoder) \
	$(call option,INTERPOLATION,interpolation) $(call option,PADDING,padding) \
	$(call option,BRANCH,branch) $(call option,ACTIVATION,activation) \
	$(call option,LABELS,labels) $(module)
writing = $(call option,SIZE,size) $(call option,OUT,out) $(call option,FORMATS,formats) \
	$(call option,TARGET,target) $(call option,MEAN,mean) $(call option,STD,std) \
	$(call option,LICENCE,licence) $(call option,AUTHOR,author)
judging = $(call option,SAMPLES,samples) $(call option,COREML,coreml) \
	$(call option,TOLERANCES,tolerances)
reference = $(call option,REFERENCE,reference) $(call option,WRITE_REFERENCE,write-reference)
need = $(if $($(1)),,$(error $(1)= is missing: make $@ $(1)=$(2)))

.DEFAULT_GOAL := help
.PHONY: help demo export validate inspect predict ios-demo test check bench conformance faults matrix compatibility samples catalogue clean

help: ## List the targets
	@echo 'Usage: make TARGET [NAME=value ...]'
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo 'export also takes SIZE=512x384 OUT=build ENCODER= INTERPOLATION= PADDING= BRANCH='
	@echo '  ACTIVATION=sigmoid|softmax WEIGHTS= LABELS=a,b'
	@echo '  MEAN=r,g,b STD=r,g,b TARGET=iOS16 FORMATS=torchscript,mlprogram,neuralnetwork,onnx'
	@echo '  SAMPLES=photos/ COREML=native|reference|both LICENCE= AUTHOR='
	@echo '  MODEL=file.py:Class MODEL_ARGS={"classes": 3} for a network of your own'
	@echo 'validate also takes CKPT= MODEL= MODEL_ARGS=, DRIFT=1 to name the first operation that'
	@echo '  departs from PyTorch, RANGES=1 for what each operation needs of float16,'
	@echo '  or WRITE_REFERENCE=file.npz now and REFERENCE=file.npz later'
	@echo 'predict also takes FORMAT=mlprogram OUT=masks TILED=1 OVERLAP=64; PHOTOS= is a folder or a photo'

demo: .venv/.ready ## Demo checkpoint, export, parity: the whole path on a fresh machine
	@test -f build/demo/breakage.pt || $(RUN) -m models demo build/demo/breakage.pt
	@$(RUN) -m export build/demo/breakage.pt $(writing) $(judging)

export: .venv/.ready ## Export a checkpoint: make export CKPT=breakage.pt
	$(call need,CKPT,breakage.pt)
	@$(RUN) -m export $(writing) $(reading) $(judging) -- $(call quoted,$(CKPT))

validate: .venv/.ready ## Check parity of a bundle again: make validate BUNDLE=build/breakage
	@$(RUN) -m validate $(call option,CKPT,checkpoint) $(module) $(reference) $(judging) \
		$(if $(DRIFT),--drift) $(if $(RANGES),--ranges) -- $(call quoted,$(BUNDLE))

inspect: .venv/.ready ## What is in a checkpoint; writes nothing: make inspect CKPT=breakage.pt
	$(call need,CKPT,breakage.pt)
	@$(RUN) -m models inspect $(reading) -- $(call quoted,$(CKPT))

predict: .venv/.ready ## Paint masks on photos: make predict BUNDLE=build/breakage PHOTOS=photos/
	$(call need,PHOTOS,photos/)
	@$(RUN) -m validate predict $(call option,FORMAT,format) $(call option,OUT,out) \
		$(if $(TILED),--tiled) $(call option,OVERLAP,overlap) \
		-- $(call quoted,$(BUNDLE)) $(call quoted,$(PHOTOS))

ios-demo: .venv/.ready ## Put a bundle into the iOS app: make ios-demo BUNDLE=build/breakage
	@$(RUN) -m validate ios-demo $(call option,CKPT,checkpoint) $(module) \
		$(call option,SAMPLES,samples) -- $(call quoted,$(BUNDLE))

test: .venv/.ready ## Run the tests
	@# Two workers with two threads each on two cores would wait for each other most of the time.
	@OMP_NUM_THREADS=1 $(RUN) -m pytest -n 2 --dist worksteal $(ARGS)

check: .venv/.ready ## Lint, format check and types
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy

bench: .venv/.ready ## Time and memory beside a bare conversion script
	@$(RUN) -m bench $(ARGS)

conformance: .venv/.ready ## Run coremltools' own operator tests on the reference runtime
	@$(RUN) -m validate.coreml.conformance $(ARGS)

faults: .venv/.ready ## Break a bundle in every way we know, and list what catches it
	@$(RUN) tests/faults/write_page.py

matrix: .venv/.ready ## Export many healthy networks: none may fail (half an hour)
	@PYTHONPATH=tests $(RUN) tests/matrix/write_page.py

compatibility: .venv/.ready ## Put every family through every format, and list what each does
	@$(RUN) tests/models/check_compatibility.py

samples: .venv/.ready ## Render the sample pictures again
	@$(RUN) -m models render samples

catalogue: .venv/.ready ## Write the encoder signatures of the installed smp again
	@$(RUN) -m models.families.catalogue

clean: ## Remove what was built, but not the environment
	rm -rf build .pytest_cache .mypy_cache .ruff_cache

.venv/.ready: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' || \
		{ echo 'Segport needs Python 3.11 or 3.12: make PYTHON=python3.11'; exit 2; }
	@echo 'Setting up .venv from requirements.txt (a few minutes, once)'
	@$(PYTHON) -m venv .venv
	@# -qq: errors alone. Where several indexes are configured, pip warns of each package each lacks.
	@.venv/bin/pip install -qq --disable-pip-version-check -r requirements.txt
	@touch $@
