"""A sample of the faults on purpose; `make torture` has all of them."""
import os
import subprocess
import sys

TORTURE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "torture", "fault_sweep.py")

sys.exit(subprocess.run([sys.executable, TORTURE, "2"]).returncode)
