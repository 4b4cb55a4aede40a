"""Every function that the communicator takes from CUDA and NCCL has its fake, and no fake is unused.

Usage: symbols_test.py NM OBJECT... -- FAKE_OBJECT...   (objects joined by ';' are taken apart)
"""

import re
import subprocess
import sys

LIBRARY_FUNCTION = re.compile(r"^(cuda[A-Z]\w*|nccl[A-Z]\w*|cu[A-Z]\w*|__cuda\w*)$")


def symbols(nm, objects, option):
    names = set()
    for name in objects:
        listing = subprocess.run([nm, option, "--format=posix", name], check=True, text=True, capture_output=True)
        names |= {line.split()[0] for line in listing.stdout.splitlines() if line.strip() and not line.endswith(":")}
    return {name for name in names if LIBRARY_FUNCTION.match(name)}


def main():
    nm = sys.argv[1]
    words = [part for word in sys.argv[2:] for part in word.split(";")]
    border = words.index("--")
    imported = symbols(nm, words[:border], "--undefined-only")
    faked = symbols(nm, words[border + 1 :], "--defined-only")
    print(f"{len(imported)} functions of CUDA and NCCL are used:", *sorted(imported))
    if len(imported) < 20:
        sys.exit("too few to be true: are these the communicator's objects?")
    if imported - faked:
        sys.exit(f"without a fake: {sorted(imported - faked)}")
    if faked - imported:
        sys.exit(f"faked, but used by nobody: {sorted(faked - imported)}")


main()
