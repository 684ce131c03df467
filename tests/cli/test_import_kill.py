"""A sample of the kill -9 rounds; `make torture` has the whole."""
import os
import subprocess
import sys

TORTURE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "torture", "kill_import.py")

sys.exit(subprocess.run([sys.executable, TORTURE, "3", "7"]).returncode)
