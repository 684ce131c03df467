# Short names for what people do. Every target sets up by itself what it needs.
.DEFAULT_GOAL := build
.PHONY: help setup build demo test bench check tidy fuzz asan tsan torture format install clean

FUZZ_SECONDS ?= 60
KILL_ROUNDS ?= 100
JOBS ?= $(shell nproc)

help:
	@echo 'make          build build/release/coterie'
	@echo 'make demo     get a real retail data set, import, segment, report'
	@echo 'make test     build and pass all tests'
	@echo 'make bench    measure against peers, print the tables'
	@echo 'make check    formatting, layers, clang build, generated documents     make tidy   and clang-tidy'
	@echo 'make asan     unit tests under ASan and UBSan       make tsan   under TSan, and a server under load'
	@echo 'make fuzz     fuzz every parser of ours for FUZZ_SECONDS=$(FUZZ_SECONDS) each'
	@echo 'make torture  whole kill -9 rounds (KILL_ROUNDS=$(KILL_ROUNDS)), fault sweeps, long fuzzing'

setup:
	@tools/setup.sh

build: setup
	@tools/build.sh release

demo: build
	@tools/demo.sh

test: build
	@tools/test.sh

bench: build
	@tools/setup.sh --bench
	@bench/run.sh

tidy:
	@tools/setup.sh --check
	@tools/check.sh --tidy

check:
	@tools/setup.sh --check
	@tools/check.sh

asan: setup
	@tools/build.sh asan
	@cd build/asan && ctest -R '^unit/' --output-on-failure -j$(JOBS)

tsan: setup
	@tools/build.sh tsan
	@cd build/tsan && TSAN_OPTIONS="suppressions=$(CURDIR)/tests/tsan.supp halt_on_error=1 ignore_noninstrumented_modules=1" \
	    ctest -R '^unit/' --output-on-failure -j$(JOBS)
	@COTERIE=build/tsan/coterie TSAN_OPTIONS="suppressions=$(CURDIR)/tests/tsan.supp halt_on_error=1 \
	    ignore_noninstrumented_modules=1" python3 tests/torture/load_serve.py

fuzz:
	@tools/setup.sh --check
	@tools/build.sh fuzz
	@fuzz/run.sh $(FUZZ_SECONDS)

torture: build
	@KILL_ROUNDS=$(KILL_ROUNDS) tests/torture/run.sh
	@$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=600

format:
	@git ls-files '*.c' '*.h' | xargs clang-format -i

install: build
	@cmake --install build/release --prefix $(or $(PREFIX),/usr/local)

clean:
	@rm -rf build
