"""Runs a command; the last line on stderr is the largest resident memory of any process below it, in bytes."""

import resource
import subprocess
import sys

CODE = subprocess.run(sys.argv[1:], check=False).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024, file=sys.stderr)
sys.exit(CODE)
