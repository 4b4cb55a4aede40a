"""Packs where the file may not grow beyond some size (RLIMIT_FSIZE), for sizes all over the file and
close together in its last part, which the HDF5 library writes when files are closed: exit code 6 with the
reason, nothing is left, and without the limit the same command gives the bytes that it always gives."""

import os
import pathlib
import resource
import subprocess
import sys
import tempfile

PACK = pathlib.Path(os.environ["CASVIT_BIN"]) / "casvit-pack"
SOURCE = pathlib.Path("data/seedlings/val").resolve()
ENVIRONMENT = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
TAIL_BYTES = 18000
TAIL_STEP = 97
COARSE_STEPS = 24
CONTINUE_EVERY = 12


def check(condition, message):
    if not condition:
        sys.exit(f"FAILED: {message}")


def pack(folder, limit=resource.RLIM_INFINITY):
    def limit_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    return subprocess.run([PACK, SOURCE, "-o", "out.h5", "--workers", "1"], cwd=folder, env=ENVIRONMENT,
                          text=True, capture_output=True, check=False, preexec_fn=limit_files)


def packed(folder):
    result = pack(folder)
    check(result.returncode == 0, result.stderr)
    check([path.name for path in folder.iterdir()] == ["out.h5"], "more than the file is there")
    data = (folder / "out.h5").read_bytes()
    (folder / "out.h5").unlink()
    return data


def sweep(folder):
    expected = packed(folder)
    size = len(expected)
    limits = [*range(0, size - TAIL_BYTES, size // COARSE_STEPS), *range(size - TAIL_BYTES, size, TAIL_STEP),
              *range(size - 8, size)]
    for number, limit in enumerate(limits):
        result = pack(folder, limit)
        where = f"with room for {limit} of {size} bytes"
        check(result.returncode == 6, f"{where}: exit {result.returncode}: {result.stderr}")
        check(result.stderr.startswith("casvit-pack: cannot write "), f"{where}: {result.stderr}")
        check("File too large" in result.stderr and result.stderr.count("\n") == 1, f"{where}: {result.stderr}")
        check(not list(folder.iterdir()), f"{where}: {sorted(folder.iterdir())} is left")
        if number % CONTINUE_EVERY == 0:
            check(packed(folder) == expected, f"{where}: other bytes afterwards")
    check(pack(folder, size).returncode == 0, "the whole file does not fit in its own size")
    return len(limits), size


with tempfile.TemporaryDirectory() as temporary:
    tried, bytes_packed = sweep(pathlib.Path(temporary))
print(f"{tried} sizes below {bytes_packed} bytes: exit 6, and nothing left")
