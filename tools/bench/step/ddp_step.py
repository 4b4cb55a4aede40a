"""The peer of tools/bench/step: PyTorch DDP over gloo trains the published model on batches that are in
memory already (no loader). Prints one line of JSON: images_per_second of all ranks, peak_bytes a process.

  python ddp_step.py rcvit.py --arch rcvit_xs --ranks 2 --threads 1 --batch 32 --pixels 128 --amp off
"""

import argparse
import importlib.util
import json
import os
import resource
import sys
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp


def load_model(path, arch):
    spec = importlib.util.spec_from_file_location("rcvit", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # timm's register_model looks it up
    spec.loader.exec_module(module)
    return getattr(module, arch)(num_classes=12, distillation=False, drop_path_rate=0.05)


def work(rank, options, results):
    torch.set_num_threads(options.threads)
    torch.manual_seed(rank)
    model = load_model(options.model, options.arch).to(memory_format=torch.channels_last).train()
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.998), use_buffers=True
    )
    wrapped = model
    if options.ranks > 1:
        dist.init_process_group("gloo", rank=rank, world_size=options.ranks)
        wrapped = torch.nn.parallel.DistributedDataParallel(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05, fused=True)
    images = torch.randn(options.batch, 3, options.pixels, options.pixels)
    images = images.to(memory_format=torch.channels_last)
    targets = torch.softmax(torch.randn(options.batch, 12), 1)
    seconds = []
    for _ in range(options.steps + options.warmup):
        start = time.perf_counter()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.amp == "bf16"):
            loss = torch.nn.functional.cross_entropy(wrapped(images), targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        average.update_parameters(model)
        seconds.append(time.perf_counter() - start)
    timed = sorted(seconds[options.warmup :])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    results.put((timed[len(timed) // 2], peak))
    if options.ranks > 1:
        dist.barrier()
        dist.destroy_process_group()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model")
    parser.add_argument("--arch", default="rcvit_xs")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=32, help="pictures a rank")
    parser.add_argument("--pixels", type=int, default=128)
    parser.add_argument("--amp", choices=["off", "bf16"], default="off")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--warmup", type=int, default=3)
    options = parser.parse_args()
    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    os.environ.setdefault("MASTER_PORT", "29533")
    context = mp.get_context("spawn")
    results = context.SimpleQueue()
    workers = [
        context.Process(target=work, args=(rank, options, results)) for rank in range(options.ranks)
    ]
    for worker in workers:
        worker.start()
    found = [results.get() for _ in workers]
    for worker in workers:
        worker.join()
    slowest = max(seconds for seconds, _ in found)
    print(
        json.dumps(
            {
                "images_per_second": options.ranks * options.batch / slowest,
                "peak_bytes": max(peak for _, peak in found),
            }
        )
    )


if __name__ == "__main__":
    main()
