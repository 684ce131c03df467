#!/usr/bin/env bash
# Installs what the build, the tests and the checks need. Idempotent: a second run does nothing.
# Root on Debian 12: installs Debian's packages by itself. Elsewhere: says what is missing.
#   tools/setup.sh            build and test
#   tools/setup.sh --check    also clang-format, clang-tidy, fuzzing runtime
#   tools/setup.sh --bench    also what the peers' virtual environment needs
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(gcc g++ cmake ninja-build make pkg-config git libcmocka-dev libxxhash-dev libzstd-dev zlib1g-dev
          libicu-dev libopenblas-dev libnlopt-dev libxgboost-dev libssl-dev libmicrohttpd-dev)
[ "${1:-}" = "--check" ] && packages+=(clang clang-format clang-tidy libclang-rt-14-dev llvm)
[ "${1:-}" = "--bench" ] && packages+=(dataset-fashion-mnist python3-sklearn)
[ "${1:-}" = "--bench" ] && ! python3 -c 'import ensurepip' 2>/dev/null && packages+=(python3-venv)
command -v npm >/dev/null 2>&1 || packages+=(npm)
command -v python3 >/dev/null 2>&1 && python3 -m pip --version >/dev/null 2>&1 || packages+=(python3 python3-pip)

say() { printf 'setup: %s\n' "$*" >&2; }

missing_packages() {
    for package in "${packages[@]}"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || printf '%s\n' "$package"
    done
}

install_packages() {
    if ! command -v dpkg-query >/dev/null 2>&1; then
        say "not a Debian system: make sure that these are installed (names are Debian's): ${packages[*]}"
        return
    fi
    mapfile -t missing < <(missing_packages)
    [ "${#missing[@]}" -eq 0 ] && return
    if [ "$(id -u)" -ne 0 ]; then
        say "missing packages; run as root: apt-get install ${missing[*]}"
        exit 1
    fi
    say "installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >&2
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

install_packages
tools/fetch.sh duckdb-lib-"$(uname -m)" duckdb-header yyjson echarts
say "ready"
