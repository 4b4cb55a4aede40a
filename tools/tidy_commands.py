"""Compile commands that clang understands, from those of a GCC build: tidy_commands.py FROM TO

Clang cannot read GCC's precompiled headers, so the options that name them are left out. Every file
then has to include what it uses, which it should anyway.
"""

import json
import re
import sys

PRECOMPILED_HEADER = re.compile(r" -Winvalid-pch| -include \S*cmake_pch\.hxx")


def main() -> int:
    source, target = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        entries = json.load(file)
    for entry in entries:
        entry["command"] = PRECOMPILED_HEADER.sub("", entry["command"])
    with open(target, "w", encoding="utf-8") as file:
        json.dump(entries, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
