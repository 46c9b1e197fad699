# What a developer runs. The work is done by cargo and the scripts in scripts/.
.DEFAULT_GOAL := help
.PHONY: help demo test test-quick bench lint frontend

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 16

demo: ## build an environment image with an engine of its own, and run it
	scripts/demo

test: ## run all tests on the engines (ARGS="--test e2e name" chooses)
	scripts/test $(ARGS)

test-quick: lint ## lint, the tests that need no engine, and one image on one engine
	scripts/test --quick $(ARGS)

bench: ## compare with a Dockerfile that installs the same lock
	scripts/bench $(ARGS)

lint: ## check format, lints, shell scripts and dependencies
	scripts/lint

frontend: ## make condafront:dev in the engine DOCKER_HOST names (PUSH=ref pushes it)
	scripts/frontend binaries --release
	scripts/frontend load $(PUSH)
