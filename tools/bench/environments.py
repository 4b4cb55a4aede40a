"""A Python environment for each peer, made once in the user's cache folder with pinned packages. What cannot be
had is reported with the reason, never guessed."""

import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

TORCH = ["torch==2.15.0", "torchvision==0.29.2", "pillow==13.0.0"]
PACKAGES = {
    "ddp": [*TORCH, "numpy==2.4.6", "timm==1.0.31", "einops==0.8.2"],  # the published model needs them
    "gloo": [TORCH[0], "numpy==2.4.6"],
    "torchvision": TORCH,
    "ffcv": ["setuptools==80.9.0", "numpy==2.4.6", *TORCH, "ffcv==1.0.2"],
    "dali": ["nvidia-dali-cuda130==2.4.0", "numpy==2.4.6"],
    "photos": ["pillow==13.0.0", "scikit-image==0.25.2", "scikit-learn==1.7.2"],
}
# FFCV is compiled on the spot.
FFCV_NEEDS = "apt-get install g++ pkg-config libopencv-dev libturbojpeg0-dev"


class Missing(Exception):
    """Why a peer cannot be had here."""


def cache_folder():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return pathlib.Path(base, "casvit", "bench-peers")


def last_words(text):
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1] if lines else "no output"


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Missing(f"{' '.join(command[-3:])} failed: {last_words(done.stderr or done.stdout)}")


def check_system(name):
    if name != "ffcv":
        return
    for package in ("opencv4", "libturbojpeg"):
        try:
            found = subprocess.run(["pkg-config", "--exists", package], check=False).returncode == 0
        except FileNotFoundError:
            found = False
        if not found:
            raise Missing(f"it is compiled here, and pkg-config does not find {package}: {FFCV_NEEDS}")


def python_of(name, say):
    """The peer's Python, its environment made if need be. @raises Missing"""
    packages = PACKAGES[name]
    key = hashlib.sha256("\n".join([sys.version, *packages]).encode()).hexdigest()[:12]
    folder = cache_folder() / f"{name}-{key}"
    python, complete = folder / "bin" / "python", folder / "complete"
    if complete.exists():
        return str(python)
    check_system(name)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with open(folder.parent / f"{name}.lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if complete.exists():  # somebody else made it meanwhile
                return str(python)
            say(f"installing {', '.join(packages)} in {folder}")
            shutil.rmtree(folder, ignore_errors=True)
            run([sys.executable, "-m", "venv", str(folder)])
            run([str(python), "-m", "pip", "install", "--quiet", *packages])
            complete.touch()
    except OSError as error:
        raise Missing(f"its environment cannot be made: {error}") from error
    return str(python)
