"""Runs clang-tidy on one file: tidy_file.py CLANG_TIDY COMMANDS_FOLDER MEMORY_FOLDER FILE

What was found is printed at the end and at once, so that several of these can run side by side. A file
that was clean is remembered in MEMORY_FOLDER by a hash of all that its findings depend on, and passed
over next time, in another clone too. Once it is CASVIT_TIDY_DEADLINE (seconds since 1970; empty: never)
other files are only noted, in the file CASVIT_TIDY_LEFT_OUT. Runs in the repository's root.
"""

import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys
import time

# Warnings that only one of the two compilers knows are not the code's fault.
EXTRA = "-Wno-unknown-warning-option"


def command_of(folder: pathlib.Path, file: pathlib.Path) -> list[str] | None:
    """The compiler's arguments for `file`, None where the build does not know it."""
    for entry in json.loads((folder / "compile_commands.json").read_text(encoding="utf-8")):
        if pathlib.Path(entry["directory"], entry["file"]).resolve() == file.resolve():
            return shlex.split(entry["command"])
    return None


def fingerprint(tidy: str, command: list[str]) -> str | None:
    """A hash of the preprocessed file with comments (they hold NOLINT), the checks, the program."""
    clang = tidy.replace("clang-tidy", "clang++")
    compiler = next(i for i, word in enumerate(command) if word.endswith("++"))
    arguments = [word for word in command[compiler + 1 :] if word != "-c"]
    output = arguments.index("-o")
    del arguments[output : output + 2]
    text = subprocess.run([clang, *arguments, "-E", "-C", "-P", "-w"], capture_output=True, check=False)
    if text.returncode != 0:
        return None  # clang-tidy will say why
    here = os.getcwd().encode()
    digest = hashlib.sha256(text.stdout.replace(here, b"."))
    digest.update("\0".join(arguments).encode().replace(here, b"."))
    digest.update(subprocess.run([tidy, "--version"], capture_output=True, check=True).stdout)
    digest.update(pathlib.Path(".clang-tidy").read_bytes())
    return digest.hexdigest()


def main() -> int:
    tidy = sys.argv[1]
    folder, memory, file = map(pathlib.Path, sys.argv[2:])
    command = command_of(folder, file)
    if command is None:
        print(f"{file}: error: no target compiles this file; list it in a CMakeLists.txt, or remove it")
        return 1
    deadline = os.environ.get("CASVIT_TIDY_DEADLINE")
    if deadline and time.time() > float(deadline):
        with open(os.environ["CASVIT_TIDY_LEFT_OUT"], "a", encoding="utf-8") as left_out:
            left_out.write(f"{file}\n")
        return 0
    key = fingerprint(tidy, command)
    remembered = memory / key if key else None
    if remembered and remembered.exists():
        return 0
    result = subprocess.run(
        [tidy, "-p", str(folder), "--quiet", f"--extra-arg={EXTRA}", str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        lines = [line for line in result.stdout.splitlines() if not line.endswith("warnings generated.")]
        print("\n".join(lines), flush=True)
        return 1
    if remembered:
        remembered.touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
