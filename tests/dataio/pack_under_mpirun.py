"""Packs on 1, 2 and 3 ranks: the same bytes as without mpirun, also after a kill, and one failing rank
ends all with its message and exit code."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

PACK = pathlib.Path(os.environ["CASVIT_BIN"]) / "casvit-pack"
SOURCE = pathlib.Path("data/seedlings").resolve()
ENVIRONMENT = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000", "OMPI_ALLOW_RUN_AS_ROOT": "1",
               "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
MPIRUN = ["mpirun", "--oversubscribe", "--bind-to", "none", "-np"]


CONTINUING = "continuing an interrupted packing"
RECORDED_BYTES = 6000  # that two journals grow by, when more is packed than at the kill before


def check(condition, message):
    if not condition:
        sys.exit(f"FAILED: {message}")


def run(arguments, folder, ranks=0):
    launcher = [*MPIRUN, str(ranks)] if ranks else []
    return subprocess.run([*launcher, PACK, *arguments], cwd=folder, env=ENVIRONMENT, text=True,
                          capture_output=True, check=False)


def packed(folder):
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    for path in folder.iterdir():
        path.unlink()
    return files


def same_bytes(source, options, folder):
    arguments = [source, "-o", "out.h5", *options]
    alone = run(arguments, folder)
    check(alone.returncode == 0, alone.stderr)
    expected = packed(folder)
    for ranks in (1, 2, 3):
        result = run(arguments, folder, ranks)
        check(result.returncode == 0, f"{ranks} ranks: {result.stderr}")
        check(result.stdout == alone.stdout, f"{ranks} ranks print\n{result.stdout}")
        found = packed(folder)
        check(found == expected, f"{options} on {ranks} ranks: {sorted(found)} differ from {sorted(expected)}")


def many_pictures(folder, count):
    """Links to the shipped pictures: enough to be killed among them."""
    pictures = sorted((SOURCE / "train").glob("*/*.jpg"))
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            (folder / name / f"{i:05}.jpg").symlink_to(pictures[i % len(pictures)])
    return folder


def recorded_bytes(folder):
    return sum(path.stat().st_size for path in folder.glob(".out.h5.journal*"))


def continues(source, folder):
    """A job whose ranks are killed while they pack, three times, and then run again."""
    arguments = [source, "-o", "out.h5", "--resize", "90", "--workers", "1"]
    check(run(arguments, folder).returncode == 0, "alone")
    expected = packed(folder)
    continued = 0
    for _ in range(3):
        before = recorded_bytes(folder)
        job = subprocess.Popen([*MPIRUN, "2", PACK, *arguments], cwd=folder, env=ENVIRONMENT,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        while job.poll() is None and recorded_bytes(folder) < before + RECORDED_BYTES:
            time.sleep(0.01)
        subprocess.run(["pkill", "-KILL", "-P", str(job.pid)], check=False)
        continued += CONTINUING in job.communicate()[1]
        if (folder / "out.h5").exists():  # it was quicker than the kill: from the beginning
            packed(folder)
    result = run(arguments, folder, 2)
    check(result.returncode == 0, result.stderr)
    continued += CONTINUING in result.stderr
    check(continued > 0, "nothing was ever continued")
    check(packed(folder) == expected, "other bytes after kills")
    return continued


def fails(source, folder):
    (source / "Charlock" / "00.jpg").unlink()  # else rank 0 fails as well, and either may be named
    bad = source / "Maize" / "zzz.jpg"
    bad.write_bytes(b"no picture")
    result = run([source, "-o", "out.h5", "--on-error", "fail"], folder, 3)
    check(result.returncode == 3, f"a rank's failure gave {result.returncode}: {result.stderr}")
    check("zzz.jpg: not a JPEG" in result.stderr, result.stderr)
    check(not (folder / "out.h5").exists(), "a file appeared")
    other = run([source, "-o", "out.h5"], folder)
    if list(folder.glob(".out*")):
        check(other.returncode == 2 and "--restart" in other.stderr, "alone over 3 ranks' leavings")
    restarted = run([source, "-o", "out.h5", "--restart"], folder)
    check(restarted.returncode == 0, restarted.stderr)
    check(sorted(packed(folder)) == ["out.h5", "out.h5.rejected.json"], "leavings after --restart")
    usage = run([source, "-o", "out.h5", "--workers", "none"], folder, 2)
    check(usage.returncode == 2, f"usage gave {usage.returncode}")
    check(run(["info", "none.h5"], folder, 2).returncode == 2, "info on two ranks")


if shutil.which("mpirun") is None:
    sys.exit("mpirun is missing")
with tempfile.TemporaryDirectory() as temporary:
    root = pathlib.Path(temporary)
    pictures = root / "in"
    shutil.copytree(SOURCE / "train", pictures)
    (pictures / "Charlock" / "00.jpg").write_bytes(b"no picture")
    work = root / "work"
    work.mkdir()
    same_bytes(pictures, [], work)
    same_bytes(pictures, ["--split", "train=0.7,val=0.3", "--resize", "80"], work)
    times = continues(many_pictures(root / "many", 2000), work)
    fails(pictures, work)
print(f"1, 2 and 3 ranks gave the bytes of one process; after kills, {times} runs continued")
