"""What is simulated: clusters, how collectives run on them, and the grid of points."""

import dataclasses

RANKS_PER_NODE = 8

# Seconds of a message and of a collective's start, in microseconds, by algorithm. Ring and tree: the
# constants with which NCCL itself predicts its collectives (src/graph/tuning.cc: hwLat and baseLat
# of the ring with protocol Simple and of the tree with LL128). Hierarchical: three collectives one
# after another. Host: assumed for MPI over Ethernet or InfiniBand between CPUs.
LATENCIES = {
    "ring": {"local_latency_us": 3.4, "network_latency_us": 9.6, "launch_us": 8.4},
    "tree": {"local_latency_us": 1.2, "network_latency_us": 8.5, "launch_us": 4.4},
    "hierarchical-ring": {"local_latency_us": 3.4, "network_latency_us": 9.6, "launch_us": 25.2},
    "hierarchical-tree": {"local_latency_us": 3.4, "network_latency_us": 8.5, "launch_us": 21.2},
    "host": {"local_latency_us": 2.0, "network_latency_us": 15.0, "launch_us": 0.0},
}
LOCAL_GBYTES = {"host": 10.0}  # memory of a host shared by ranks; NVLink for the rest
NVLINK_GBYTES = 200.0
HOST_SUM_GBYTES = 10.0
NCCL = ("ring", "tree", "hierarchical-ring", "hierarchical-tree")


@dataclasses.dataclass(frozen=True)
class Cluster:
    """Nodes of eight ranks; `node_gbps` is what a node has in all, one link or eight."""

    ranks: int
    node_gbps: float

    @property
    def nodes(self):
        return max(1, self.ranks // RANKS_PER_NODE)

    def options(self, algorithm):
        options = {"algorithm": algorithm, "ranks": self.ranks, "node_gbps": float(self.node_gbps)}
        options.update(LATENCIES[algorithm])
        options["local_gbytes"] = LOCAL_GBYTES.get(algorithm, NVLINK_GBYTES)
        if algorithm == "host":
            options["sum_gbytes"] = HOST_SUM_GBYTES
        return options


SIZES = (64_000, 256_000, 1_000_000, 4_000_000, 16_000_000)
LINKS = (25, 100, 400, 3200)


def fitted_points():
    """(algorithm, cluster, bytes) from which the model's coefficients come."""
    for ranks in (8, 16, 64, 256):
        for algorithm in NCCL:
            for gbps in LINKS if ranks > 8 else LINKS[:1]:
                for size in SIZES:
                    if algorithm == "ring" and ranks == 256 and (gbps != 100 or size != 1_000_000):
                        continue  # minutes each
                    yield algorithm, Cluster(ranks, gbps), size
    for ranks in (8, 16, 32, 64):
        for gbps in (25, 100, 400) if ranks > 8 else (25,):
            for size in (256_000, 4_000_000, 16_000_000):
                yield "host", Cluster(ranks, gbps), size


def held_out_points():
    """Points that the model has not seen: other sizes, other links, more ranks."""
    for algorithm in NCCL:
        for ranks in (32, 128):
            for gbps in (50, 200):
                for size in (500_000, 8_000_000):
                    yield algorithm, Cluster(ranks, gbps), size
    for algorithm in ("tree", "hierarchical-ring", "hierarchical-tree"):
        for size in (256_000, 4_000_000):
            yield algorithm, Cluster(512, 400), size
    for size in (500_000, 8_000_000):
        yield "host", Cluster(32, 200), size
    yield "host", Cluster(128, 100), 4_000_000
    yield "ring", Cluster(256, 400), 4_000_000
    yield "tree", Cluster(1024, 400), 4_000_000
    yield "hierarchical-ring", Cluster(1024, 400), 4_000_000
    yield "tree", Cluster(4096, 400), 4_000_000
