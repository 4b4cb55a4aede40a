"""Writes gates and Grad-CAM of the published CAS-ViT model (PyTorch, float64); README.md has the format.

  git clone https://github.com/Tianfang-Zhang/CAS-ViT
  pip install torch==2.11.0 timm
  python make_attention_golden.py CAS-ViT/classification/model/rcvit.py rcvit_xs -o attention

Gates are read by hooks on the model's own modules; Grad-CAM takes its gradients from autograd through the whole
model, with a hook on the last stage.
"""

import argparse
import importlib.util
import json
import pathlib
import sys

import torch

from make_golden import fill

STAGES = (0, 2, 4, 6)  # places in `network`; embeddings are between them


def gates_of(model, images):
    """The two sigmoids of query and key in the last block of each stage."""
    seen = {}
    hooks = []
    for stage, place in enumerate(STAGES):
        mixer = model.network[place][-1].attn
        for branch, gates in (("query", mixer.oper_q), ("key", mixer.oper_k)):
            for name, operation in (("spatial", gates[0]), ("channel", gates[1])):
                def keep(_module, _inputs, output, key=(stage, branch, name)):
                    seen[key] = output
                hooks.append(operation.block.register_forward_hook(keep))
    with torch.no_grad():
        logits = model(images)
    for hook in hooks:
        hook.remove()
    return logits, seen


def grad_cam(model, images, classes):
    """`[classes, batch, h, w]`: Selvaraju et al. 2017, eq. 1 and 2, of every class."""
    kept = {}
    hook = model.network[STAGES[-1]].register_forward_hook(
        lambda _module, _inputs, output: kept.update(stage=output)
    )
    logits = model(images)
    hook.remove()
    maps = []
    for c in range(classes):
        (gradient,) = torch.autograd.grad(logits[:, c].sum(), kept["stage"], retain_graph=True)
        alpha = gradient.mean(dim=(2, 3), keepdim=True)
        maps.append(torch.relu((alpha * kept["stage"]).sum(dim=1)).detach())
    return torch.stack(maps)


def reference(model, arch, classes, batch, height, width):
    model = model.double().eval()
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point():
            tensor.copy_(fill(name, tuple(tensor.shape)))
    images = fill("input", (batch, 3, height, width))
    logits, gates = gates_of(model, images)
    # 13 digits are beyond what float64 keeps of sums in another order.
    values = lambda tensor: [float(f"{v:.13g}") for v in tensor.flatten().tolist()]
    return {
        "arch": arch,
        "num_classes": classes,
        "distillation": True,
        "batch": batch,
        "height": height,
        "width": width,
        "logits": values(logits),
        "gates": [
            {
                branch: {
                    name: {
                        "shape": list(gates[stage, branch, name].shape),
                        "values": values(gates[stage, branch, name]),
                    }
                    for name in ("spatial", "channel")
                }
                for branch in ("query", "key")
            }
            for stage in range(len(STAGES))
        ],
        "grad_cam": [values(one) for one in grad_cam(model, images, classes)],
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="the published rcvit.py")
    parser.add_argument("arch", choices=["rcvit_xs", "rcvit_s", "rcvit_m", "rcvit_t"])
    parser.add_argument("--height", type=int, default=64)
    parser.add_argument("--width", type=int, default=96)
    parser.add_argument("--classes", type=int, default=5)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("-o", "--out", type=pathlib.Path, default=pathlib.Path("."))
    arguments = parser.parse_args()
    spec = importlib.util.spec_from_file_location("rcvit", arguments.model)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # timm's register_model looks it up
    spec.loader.exec_module(module)
    model = getattr(module, arguments.arch)(num_classes=arguments.classes, distillation=True)
    values = reference(
        model, arguments.arch, arguments.classes, arguments.batch, arguments.height, arguments.width
    )
    path = arguments.out / f"{arguments.arch}_{arguments.height}x{arguments.width}px.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()
