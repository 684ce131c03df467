"""The installed library: every example compiles with what pkg-config says and nothing else of the tree, and runs.

Needs the build folder that $COTERIE lies in, cmake, cc and pkg-config; skipped (77) where one is missing.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ["COTERIE"]).parent


def run(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def flags(prefix, *what):
    environment = {**os.environ, "PKG_CONFIG_PATH": str(prefix / "lib/pkgconfig")}
    return run(["pkg-config", *what, "coterie"], env=environment).split()


def main():
    for tool in ("cmake", "cc", "pkg-config"):
        if shutil.which(tool) is None:
            print(f"skipped: no {tool}")
            sys.exit(77)
    if not (BUILD / "libcoterie.so").exists():
        print("skipped: a build with sanitizers has no shared library")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        prefix = pathlib.Path(folder) / "prefix"
        run(["cmake", "--install", BUILD, "--prefix", prefix, "--component", "library"])
        moved = pathlib.Path(folder) / "elsewhere"
        prefix.rename(moved)  # coterie.pc finds its own place
        headers = sorted(path.stem for path in (moved / "include/coterie").glob("*.h"))
        assert headers == sorted(path.stem for path in (ROOT / "include/coterie").glob("*.h")), headers
        assert flags(moved, "--modversion"), "no version"
        program = pathlib.Path(folder) / "program"
        library = {**os.environ, "LD_LIBRARY_PATH": str(moved / "lib")}
        for source in sorted((ROOT / "examples").glob("*.c")):
            run(["cc", "-std=c17", "-Wall", "-Wextra", "-Werror", "-o", program, source,
                 *flags(moved, "--cflags", "--libs"), "-lm"], cwd=folder)
            run([program], env=library)
        # The static library, without the shared one in the way.
        for path in (moved / "lib").glob("libcoterie.so*"):
            path.unlink()
        run(["cc", "-o", program, ROOT / "examples/kmeans.c", *flags(moved, "--static", "--cflags", "--libs")], cwd=folder)
        print(run([program], env=library), end="")


main()
