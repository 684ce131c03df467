# Short names for what people do. Every target sets up what it needs.
.DEFAULT_GOAL := build
.PHONY: setup build demo test bench check fuzz asan tsan torture format clean

setup:
	@tools/setup.sh
setup-check:
	@tools/setup.sh --check

build: setup
	@cmake --preset release >/dev/null
	@cmake --build build/release
