"""Simulated points, each run once: a file of JSON lines keeps what was asked and what came out."""

import json
import os
import pathlib
import subprocess
import sys
import time


class Points:
    """Runs casvit_scale for what `path` does not hold yet, unless `offline`."""

    def __init__(self, path, program, offline=False, timeout_seconds=900):
        self.path = pathlib.Path(path)
        self.program = program
        self.offline = offline
        self.timeout_seconds = timeout_seconds
        self.known = {}
        if self.path.exists():
            with open(self.path, encoding="utf-8") as file:
                for row in map(json.loads, file):
                    self.known[self._key(row["command"])] = row

    @staticmethod
    def _key(command):
        return " ".join(command)

    @staticmethod
    def command(kind, options):
        words = [kind]
        for name, value in options.items():
            if value is False or value is None:
                continue
            words.append("--" + name.replace("_", "-"))
            if value is not True:
                words.append(f"{value:g}" if isinstance(value, float) else str(value))
        return words

    def holds(self, kind, **options):
        return self._key(self.command(kind, options)) in self.known

    def get(self, kind, **options):
        """The result, or None where it is not known and may not be run, or took too long."""
        command = self.command(kind, options)
        row = self.known.get(self._key(command))
        if row is None and not self.offline:
            row = self._run(command)
        return row and row["result"]

    def _run(self, command):
        began = time.monotonic()
        try:
            done = subprocess.run(
                [self.program, *command], capture_output=True, text=True, check=False, timeout=self.timeout_seconds
            )
        except subprocess.TimeoutExpired:
            print(f"gave up after {self.timeout_seconds} s: {' '.join(command)}", file=sys.stderr)
            return None
        if done.returncode != 0:
            sys.exit(f"{self.program} {' '.join(command)} failed:\n{done.stderr}")
        row = {"command": command, "result": json.loads(done.stdout)}
        self.known[self._key(command)] = row
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        print(f"{time.monotonic() - began:6.1f} s  {' '.join(command)}", file=sys.stderr)
        return row


def default_program():
    return os.environ.get("CASVIT_SCALE", "build/scale/bin/casvit_scale")
