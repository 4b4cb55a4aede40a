"""Unpacks the C++ part of the wheels in a folder: unpack.py WHEELS_FOLDER TARGET_FOLDER

Headers, shared libraries and licences are kept, at the places that the libraries' own rpath expects;
Python code, static libraries and what only Python loads are left out.
"""

import pathlib
import re
import shutil
import sys
import zipfile

WANTED = re.compile(
    r"torch/include/.*"
    r"|torch/lib/lib.*\.so(\.\d+)*"
    r"|torch\.libs/.*"
    r"|nvidia/.*/include/.*"
    r"|nvidia/.*/lib/lib.*\.so(\.\d+)*"
    r"|[^/]*\.dist-info/(licenses/.*|LICENSE.*|License.*|NOTICE.*)"
)
# Libraries that link Python itself.
PYTHON_ONLY = re.compile(r"torch/lib/lib(torch_python|shm.*)\.so")


def is_wanted(name: str) -> bool:
    return bool(WANTED.fullmatch(name)) and not PYTHON_ONLY.fullmatch(name)


def unpack(wheel: pathlib.Path, target: pathlib.Path) -> int:
    """Returns the number of files written."""
    count = 0
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            if member.is_dir() or not is_wanted(member.filename):
                continue
            if ".." in pathlib.PurePosixPath(member.filename).parts:
                raise ValueError(f"{wheel.name} holds {member.filename}, which leads out of it")
            path = target / member.filename
            path.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as source, open(path, "wb") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
            count += 1
    return count


def main() -> int:
    wheels_folder, target = map(pathlib.Path, sys.argv[1:])
    wheels = sorted(wheels_folder.glob("*.whl"))
    if not wheels:
        print(f"unpack.py: no wheels in {wheels_folder}", file=sys.stderr)
        return 1
    for wheel in wheels:
        if unpack(wheel, target) == 0:
            print(f"unpack.py: {wheel.name} holds nothing that C++ needs", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
