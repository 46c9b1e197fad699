# Entry points for developers. cargo and the scripts in scripts/ do the work.
.DEFAULT_GOAL := help
.PHONY: help demo test test-quick bench fuzz lint frontend reproducible test-platforms record

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 20

demo: ## build an environment image on an engine of its own, and run it
	scripts/demo

test: ## run all tests, with engines (ARGS="--test e2e name" selects)
	scripts/test $(ARGS)

test-quick: lint ## lint, the tests that need no engine, and one image on one engine
	scripts/test --quick $(ARGS)

test-platforms: ## run the tests with a browser, Compose, Apptainer and Dev Containers
	scripts/test-platforms $(ARGS)

record: ## record the terminal session that the README shows
	scripts/record

bench: ## compare with a Dockerfile that installs the same lock
	scripts/bench $(ARGS)

fuzz: ## look for inputs that break a reader, for a minute each (ARGS="--seconds 600 env")
	scripts/fuzz $(ARGS)

lint: ## check formatting, lints, shell scripts and dependencies
	scripts/lint

frontend: ## build condafront:dev on the engine in DOCKER_HOST (PUSH=ref pushes it)
	scripts/frontend binaries --release
	scripts/frontend load $(PUSH)

reproducible: ## compile a release twice, in different folders, and compare the bytes
	scripts/reproducible
