# The commands of this repository. `make` alone lists them.

SHELL := bash
export PATH := $(PATH):$(HOME)/.cargo/bin

.PHONY: help demo demo-django test test-oracle test-django test-large fuzz build bench bench-incremental fmt doc

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## back up, verify and restore a sample EDMS, with a throwaway server; leaves nothing running
	@scripts/demo.sh

demo-django: ## a small EDMS in Django with its backups, on loopback with a throwaway server; Ctrl-C ends it
	@scripts/demo-django.sh

test: ## everything CI runs: format, lints, dependencies, documentation, tests (installs what they need)
	@scripts/test.sh

test-django: ## the tests of the Python package and the Django application alone
	@scripts/test-django.sh

test-oracle: ## the database engine against PostgreSQL's regression database and servers of all versions
	@scripts/test-oracle.sh

test-large: ## the memory tests at full size: 2 GiB of files, a table of 1 GiB
	@EDMS_TEST_LARGE=1 scripts/test.sh memory

fuzz: ## five minutes of random input for the archive reader, on two targets (installs cargo-fuzz)
	@scripts/fuzz.sh

build: ## the release binary, target/release/edms-backup
	cargo build --release --locked -p backup-cli

bench: ## speed, side by side with other tools (see benches/README.md)
	@benches/store.sh

bench-incremental: ## speed of a backup in which nothing has changed
	@benches/incremental.sh

fmt: ## format the code
	cargo fmt --all

doc: ## the documentation of all crates, in target/doc
	cargo doc --workspace --no-deps --locked
