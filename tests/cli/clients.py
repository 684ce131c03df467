"""Other people's clients from npm, installed once into build/ (versions pinned by the tests that use them)."""
import json
import os
import shutil
import subprocess

import shop


def install(name, packages):
    """The folder in which the packages are; skips the whole test program where they can't be had."""
    folder = os.path.join(shop.REPOSITORY, "build", name)
    if not shutil.which("npm") or not shutil.which("node"):
        shop.skip("no npm and node here")
    marker = os.path.join(folder, "installed.json")
    if os.path.exists(marker) and json.load(open(marker)) == packages:
        return folder
    os.makedirs(folder, exist_ok=True)
    done = subprocess.run(["npm", "install", "--prefix", folder, "--no-audit", "--no-fund", "--silent", "--no-save",
                           "--ignore-scripts", *packages], capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        shop.skip(f"npm can't install {' '.join(packages)}: {(done.stdout + done.stderr)[-300:]}")
    with open(marker, "w") as file:
        json.dump(packages, file)
    return folder
