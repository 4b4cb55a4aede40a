"""One rank of the peer of tools/bench/comm: torch.distributed's all_reduce over gloo, on float32 in memory.

  python peer_gloo.py RANK RANKS RENDEZVOUS_FILE

For each line "BYTES WARMUP REPEATS" on standard input it prints one line of JSON: the seconds of each repeat on this
rank (from a common barrier on), processor seconds (user and system, all threads) of all repeats, and how many
elements of a checked repeat were wrong.
"""

import datetime
import json
import sys
import time

import torch
import torch.distributed as dist


def measure(rank, ranks, size, warmup, repeats):
    count = size // 4
    pattern = torch.arange(count, dtype=torch.int64).remainder_(121)
    buffer = pattern.add(rank).to(torch.float32)
    dist.all_reduce(buffer)
    expected = pattern.mul(ranks).add(ranks * (ranks - 1) // 2).to(torch.float32)
    wrong = int(buffer.ne(expected).sum())
    del pattern, expected
    for _ in range(warmup):
        dist.all_reduce(buffer)
    seconds, cpu = [], 0.0
    for _ in range(repeats):
        dist.barrier()
        cpu_start, start = time.process_time(), time.perf_counter()
        dist.all_reduce(buffer)
        seconds.append(time.perf_counter() - start)
        cpu += time.process_time() - cpu_start
    return {"seconds": seconds, "cpu_seconds": cpu, "wrong": wrong}


def main():
    rank, ranks, rendezvous = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=ranks,
        timeout=datetime.timedelta(seconds=120),
    )
    print(json.dumps({"version": torch.__version__}), flush=True)
    for line in sys.stdin:
        size, warmup, repeats = map(int, line.split())
        print(json.dumps(measure(rank, ranks, size, warmup, repeats)), flush=True)
    dist.destroy_process_group()


main()
