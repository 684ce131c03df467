#!/usr/bin/env python3
"""Names every #include that does not follow the layers of ARCHITECTURE.md, and every bad word of the house rules."""
import pathlib
import re
import subprocess
import sys

# folder -> folders whose headers it may include (besides its own and the public coterie/ headers)
ALLOWED = {
    "base": set(),
    "num": {"base"},
    "ml": {"base", "num"},
    "domain": {"base"},
    "store": {"base", "domain"},
    "connect": {"base", "domain", "store"},
    "predict": {"base", "num", "ml"},
    "engine": {"base", "num", "ml", "predict", "domain", "store", "connect"},
    "http": {"base", "engine", "domain"},
    "cli": {"base", "engine", "domain", "http"},
}
# connect may read cells as store's readers hand them out, and nothing else of store
ONLY = {("connect", "store"): {"store/reader.h"}}

FORBIDDEN = re.compile(r"\b(strcpy|strcat|sprintf|atoi|atof|strtok|gets)\(|\b(TODO|FIXME|XXX|HACK)\b")

root = pathlib.Path(__file__).resolve().parent.parent
problems = []
listed = subprocess.run(["git", "ls-files", "*.c", "*.h"], cwd=root, capture_output=True, text=True, check=True).stdout
for name in listed.split():
    parts = pathlib.PurePath(name).parts
    lines = (root / name).read_text(encoding="utf-8").splitlines()
    if len(lines) > 800:
        problems.append(f"{name}: {len(lines)} lines; the limit is 800: split by concept")
    folder = parts[1] if parts[0] == "src" else None
    for number, line in enumerate(lines, 1):
        if FORBIDDEN.search(line):
            problems.append(f"{name}:{number}: {line.strip()}: see CONTRIBUTING.md, 'Forbidden calls'")
        found = re.match(r'\s*#include "([a-z_]+)/([^"]+)"', line)
        if not found or folder is None or found.group(1) in (folder, "coterie"):
            continue
        used, header = found.group(1), f"{found.group(1)}/{found.group(2)}"
        if used not in ALLOWED.get(folder, set()):
            problems.append(f"{name}:{number}: {folder} must not include {header}")
        elif header not in ONLY.get((folder, used), {header}):
            problems.append(f"{name}:{number}: of {used}, {folder} may include only {sorted(ONLY[(folder, used)])}")
print("\n".join(problems))
sys.exit(1 if problems else 0)
