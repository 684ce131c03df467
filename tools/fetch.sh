#!/usr/bin/env bash
# Fetches pinned archives (tools/deps.lock) through the registries' own clients into .deps/NAME, verified by
# SHA-256 before anything is unpacked. Idempotent.   tools/fetch.sh NAME...
set -euo pipefail
cd "$(dirname "$0")/.."
deps=$PWD/.deps
lock=$PWD/tools/deps.lock
mkdir -p "$deps"

say() { printf 'fetch: %s\n' "$*" >&2; }

download() { # download REGISTRY PACKAGE VERSION FOLDER
    case $1 in
    npm) (cd "$4" && npm pack --silent "$2@$3" >/dev/null) ;;
    pypi) python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-binary "$2" \
              --dest "$4" "$2==$3" >/dev/null ;;
    pypi-wheel) python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
                    --dest "$4" "$2==$3" >/dev/null ;;
    *) say "$lock: unknown registry '$1'"; exit 1 ;;
    esac
}

unpack() { # unpack ARCHIVE FOLDER
    case $1 in
    *.whl) python3 -m zipfile -e "$1" "$2" ;;
    *) tar -xzf "$1" -C "$2" --strip-components=1 ;;
    esac
}

fetch() { # fetch NAME
    local name registry package version sha256 stage archive found
    read -r name registry package version sha256 < <(awk -v n="$1" '$1 == n' "$lock") || true
    [ -n "${sha256:-}" ] || { say "no line for '$1' in tools/deps.lock (this machine: $(uname -sm))"; exit 1; }
    [ "$(cat "$deps/$name/.sha256" 2>/dev/null)" = "$sha256" ] && return
    stage=$(mktemp -d "$deps/.stage.XXXXXX")
    trap 'rm -rf "$stage"' RETURN
    say "$package $version from $registry"
    mkdir "$stage/archive" "$stage/tree"
    download "$registry" "$package" "$version" "$stage/archive" || { say "cannot download $package $version"; exit 1; }
    archive=$(find "$stage/archive" -maxdepth 1 -type f | head -n 1)
    found=$(sha256sum "$archive" | cut -d' ' -f1)
    [ "$found" = "$sha256" ] || { say "$package $version: checksum is $found, expected $sha256: not used"; exit 1; }
    unpack "$archive" "$stage/tree"
    printf '%s' "$sha256" >"$stage/tree/.sha256"
    rm -rf "${deps:?}/$name"
    mv "$stage/tree" "$deps/$name"
}

for name in "$@"; do
    fetch "$name"
done
