"""What a peer's program has in common: it stays up between rounds, so that starting and compiling count for
nobody, reads a stage's name a line, measures it for the seconds asked for, and answers with a line of JSON."""

import argparse
import json
import os
import sys
import time

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


class NotComparable(Exception):
    """The peer has no such stage; says why."""


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", help="with a folder a class")
    parser.add_argument("--scratch", required=True, help="folder for what the peer makes of the pictures")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--image-size", type=int, required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    return parser.parse_args()


def rate(batches, seconds, batch_size, queued):
    """Images a second of an endless iterator of whole batches. What had been queued up before, and what a
    tenth of the time yields, is left out."""
    begun = time.perf_counter()
    count = 0
    while count < queued or time.perf_counter() - begun < seconds / 10:
        next(batches)
        count += 1
    begun = time.perf_counter()
    count = 0
    while time.perf_counter() - begun < seconds:
        next(batches)
        count += 1
    return count * batch_size / (time.perf_counter() - begun)


def endless(make_epoch):
    while True:
        yield from make_epoch()


def serve(options, make_stage, versions, queued):
    """`make_stage(name)` gives an endless iterator of batches, which is kept for later rounds."""
    print(json.dumps({"ready": True, "versions": versions}), flush=True)
    stages = {}
    for line in sys.stdin:
        name = line.strip()
        try:
            if name not in stages:
                stages[name] = make_stage(name)
            answer = {"images_per_second": rate(stages[name], options.seconds, options.batch_size, queued)}
        except NotComparable as reason:
            answer = {"reason": str(reason)}
        print(json.dumps(answer), flush=True)
    os._exit(0)  # a peer's threads need not be taken down one by one
