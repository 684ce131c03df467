"""A few rounds of kill -9 under load: tests/torture/kill_serve.py."""
import os
import subprocess
import sys

script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "torture", "kill_serve.py")
sys.exit(subprocess.run([sys.executable, script, "5"]).returncode)
