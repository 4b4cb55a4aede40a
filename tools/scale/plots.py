"""The plots of docs/scaling.md."""

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402

from clusters import Cluster  # noqa: E402
from report import HIERARCHICAL, MODELS, RANKS  # noqa: E402

COLOURS = ("#4477aa", "#ee6677", "#228833", "#aa3377", "#ccbb44")
# Ranks up to which collectives were simulated (clusters.held_out_points); beyond, the model alone speaks.
SIMULATED_UP_TO = 512


def axes(title, y_label):
    figure, place = pyplot.subplots(figsize=(6.4, 4.0))
    place.set_title(title, fontsize=11)
    place.set_xscale("log", base=2)
    place.set_xlabel("ranks (GPUs), 8 a node")
    place.set_ylabel(y_label)
    place.set_xticks(RANKS, [str(ranks) for ranks in RANKS])
    place.grid(True, color="#dddddd", linewidth=0.6)
    return figure, place


def line(place, values, colour, label):
    """Dashed beyond what was simulated."""
    known = [ranks for ranks in RANKS if ranks <= SIMULATED_UP_TO]
    beyond = [ranks for ranks in RANKS if ranks >= SIMULATED_UP_TO]
    by_ranks = dict(zip(RANKS, values))
    place.plot(known, [by_ranks[ranks] for ranks in known], "o-", color=colour, label=label, markersize=4)
    place.plot(beyond, [by_ranks[ranks] for ranks in beyond], "o--", color=colour, markersize=4, markerfacecolor="white")


def save(figure, path):
    figure.tight_layout()
    figure.savefig(path, format="svg", metadata={"Date": None})
    pyplot.close(figure)


def write_all(study, folder):
    pyplot.rcParams["svg.hashsalt"] = "casvit"
    pyplot.rcParams["svg.fonttype"] = "none"
    pyplot.rcParams["font.family"] = "sans-serif"
    folder.mkdir(parents=True, exist_ok=True)

    figure, place = axes("Efficiency, 64 samples a rank, 400 Gb/s a node", "efficiency (%)")
    for colour, name in zip(COLOURS, MODELS):
        line(place, [100 * study.predict(name, Cluster(ranks, 400))["efficiency"] for ranks in RANKS], colour, name)
    simulated = [
        (ranks, 100 * study.predict("rcvit_m", Cluster(ranks, 400))["alone_seconds"] / step["step_seconds"])
        for ranks in (8, 64, 512)
        if (step := study.simulate("rcvit_m", Cluster(ranks, 400), "tree"))
    ]
    place.plot(*zip(*simulated), "x", color="black", markersize=8, label="rcvit_m, whole step simulated")
    place.axhline(90, color="#888888", linewidth=0.8)
    place.set_ylim(top=100)
    place.legend()
    save(figure, folder / "scaling-efficiency.svg")

    figure, place = axes("Step time, 64 samples a rank, 400 Gb/s a node", "step (ms)")
    for colour, name in zip(COLOURS, MODELS):
        line(place, [1e3 * study.predict(name, Cluster(ranks, 400))["step_seconds"] for ranks in RANKS], colour, name)
    place.set_ylim(0, 60)
    place.legend(loc="upper left", ncols=4, fontsize=8)
    save(figure, folder / "scaling-step.svg")

    figure, place = axes("rcvit_m by link of a node of 8 GPUs", "efficiency (%)")
    for colour, (gbps, label) in zip(
        COLOURS, ((3200, "8 x 400 Gb/s"), (400, "400 Gb/s"), (200, "200 Gb/s"), (100, "100 Gb/s"), (25, "25 Gb/s"))
    ):
        line(
            place, [100 * study.predict("rcvit_m", Cluster(ranks, gbps))["efficiency"] for ranks in RANKS], colour, label
        )
    place.set_ylim(bottom=0, top=101)
    place.legend()
    save(figure, folder / "scaling-links.svg")

    figure, place = pyplot.subplots(figsize=(6.4, 4.0))
    sizes = (0.5, 1, 2, 4, 8, 16, 64)
    for colour, ranks in zip(COLOURS, (8, 64, 512, 4096)):
        for algorithms, style in ((("ring", "tree"), "o-"), (HIERARCHICAL, "s:")):
            place.plot(
                sizes,
                [
                    1e3
                    * study.predict(
                        "rcvit_m", Cluster(ranks, 400), algorithms,
                        bucket_bytes=int(size * 1e6), first_bucket_bytes=min(512 << 10, int(size * 1e6)),
                    )["exposed_seconds"]
                    for size in sizes
                ],
                style, color=colour, markersize=4,
                label=f"{ranks} ranks{', hierarchical' if algorithms is HIERARCHICAL else ''}",
            )  # fmt: skip
    place.set_xscale("log", base=2)
    place.set_xticks(sizes, [f"{size:g}" for size in sizes])
    place.set_xlabel("bucket (MB)")
    place.set_ylabel("exposed communication (ms a step)")
    place.set_title("rcvit_m by bucket size, 400 Gb/s a node", fontsize=11)
    place.grid(True, color="#dddddd", linewidth=0.6)
    place.set_ylim(bottom=0)
    place.legend(fontsize=8)
    save(figure, folder / "scaling-buckets.svg")
