"""An alpha-beta-gamma model of the simulated collectives, and of the steps made of them.

Each algorithm has a few terms in seconds, written down from what it does (messages one after another,
bytes over the slowest link, sums); least squares over simulated points gives each term a factor. Where
the terms are right the factors are near 1.
"""

import math

import numpy

from clusters import RANKS_PER_NODE

HOST_PIECE_BYTES = 4 << 20
HOST_MESSAGE_BYTES = 64 << 10
HOST_WINDOW = 4


def tree_fill(size):
    """What of `size` travels at once: four chunks (simulation/tree.cpp), which share the links."""
    chunk = min(max(math.ceil(size / 16), 16 << 10), 512 << 10)
    return min(4 * chunk, size)


def tree_height(nodes):
    return math.floor(math.log2(nodes)) if nodes > 1 else 0


class Wires:
    """Speeds and latencies in seconds and bytes, as the platform has them."""

    def __init__(self, options):
        self.ranks = options["ranks"]
        self.local_ranks = min(self.ranks, RANKS_PER_NODE)
        self.nodes = max(1, self.ranks // RANKS_PER_NODE)
        self.node = options["node_gbps"] * 1e9 / 8
        self.local = options["local_gbytes"] * 1e9
        self.local_latency = options["local_latency_us"] * 1e-6
        self.latency = options["network_latency_us"] * 1e-6
        self.launch = options["launch_us"] * 1e-6
        self.sums = options.get("sum_gbytes", 0) * 1e9


def ring_terms(wires, size, rounds=2):
    """Steps of the whole ring: a part's way through all hops, and all parts over the slowest one."""
    steps = rounds * (wires.ranks - 1)
    part = size / wires.ranks
    across = steps * wires.nodes / wires.ranks if wires.nodes > 1 else 0
    way = (steps - across) * (wires.local_latency + part / wires.local) + across * (wires.latency + part / wires.node)
    slowest = steps * part / (min(wires.node, wires.local) if wires.nodes > 1 else wires.local)
    return [wires.launch, max(way, slowest), min(way, slowest)]


def crossings(wires, size):
    """All bytes over a node's link: of two nodes each is the root of one half; of more, halves go up and down."""
    return [size / wires.node if wires.nodes == 2 else 0, 2 * size / wires.node if wires.nodes > 2 else 0]


def tree_terms(wires, size):
    """The first chunks' way up and down, and each direction's bytes over the links of nodes and of ranks."""
    fill = tree_fill(size / 2)
    chain = wires.local_ranks - 1
    height = tree_height(wires.nodes)
    way = 2 * (chain * (wires.local_latency + fill / wires.local) + height * (wires.latency + fill / wires.node))
    return [wires.launch, way, *crossings(wires, size), 1.5 * size / wires.local]


def local_ends(wires, size):
    """Scatter and gather within the node."""
    steps = 2 * (wires.local_ranks - 1)
    return steps * (wires.local_latency + size / wires.local_ranks / wires.local)


def hierarchical_ring_terms(wires, size):
    steps = 2 * (wires.nodes - 1)
    return [
        wires.launch,
        local_ends(wires, size),
        steps * wires.latency,
        steps / wires.nodes * size / wires.node,
    ]


def hierarchical_tree_terms(wires, size):
    part = size / wires.local_ranks
    fill = tree_fill(part / 2)
    share = wires.node / wires.local_ranks  # all ranks of a node exchange at once
    way = 2 * tree_height(wires.nodes) * (wires.latency + fill / share)
    return [wires.launch, local_ends(wires, size), way, *crossings(wires, size)]


def host_terms(wires, size):
    """launch's exchange: every rank sends each other rank its segment, twice, a few pieces at a time."""
    piece = max(HOST_PIECE_BYTES, wires.ranks * HOST_MESSAGE_BYTES)
    rounds = math.ceil(size / piece / HOST_WINDOW)
    latency = wires.latency if wires.nodes > 1 else wires.local_latency
    away = wires.ranks - wires.local_ranks
    across = 2 * size * wires.local_ranks * away / wires.ranks / wires.node
    return [
        2 * rounds * latency,
        across,
        2 * size * (wires.ranks - 1) / wires.ranks / wires.local,
        size / wires.sums,
        rounds * 60e-6,  # pauses between two looks
    ]


TERMS = {
    "ring": ring_terms,
    "tree": tree_terms,
    "hierarchical-ring": hierarchical_ring_terms,
    "hierarchical-tree": hierarchical_tree_terms,
    "host": host_terms,
}


def non_negative_least_squares(rows, targets):
    """Factors >= 0 for the columns; a column whose factor would be negative is left out."""
    rows = numpy.asarray(rows)
    used = [column for column in range(rows.shape[1]) if rows[:, column].any()]
    while used:
        factors, *_ = numpy.linalg.lstsq(rows[:, used], targets, rcond=None)
        if (factors >= 0).all():
            break
        used.pop(int(numpy.argmin(factors)))
    result = numpy.zeros(rows.shape[1])
    result[used] = factors if used else []
    return result


class CollectiveModel:
    def __init__(self):
        self.factors = {}

    def fit(self, points):
        """@param points: (algorithm, cluster, bytes, seconds); relative errors are made small."""
        for algorithm, terms in TERMS.items():
            rows, targets = [], []
            for name, cluster, size, seconds in points:
                if name == algorithm:
                    wires = Wires(cluster.options(algorithm))
                    rows.append([term / seconds for term in terms(wires, size)])
                    targets.append(1.0)
            if rows:
                self.factors[algorithm] = non_negative_least_squares(rows, numpy.asarray(targets))
        return self

    def seconds(self, algorithm, cluster, size, kind="all_reduce"):
        wires = Wires(cluster.options(algorithm))
        if kind != "all_reduce":
            # reduce_scatter and all_gather: half of what the ring, or the host's exchange, does.
            if algorithm == "host":
                return float(numpy.dot(self.factors["host"], host_terms(wires, size))) / 2
            wires = Wires(cluster.options("ring"))
            return float(numpy.dot(self.factors["ring"], ring_terms(wires, size, rounds=1)))
        return float(numpy.dot(self.factors[algorithm], TERMS[algorithm](wires, size)))

    def errors(self, points):
        """Relative, signed: (predicted / simulated - 1) of each point."""
        return [self.seconds(name, cluster, size) / seconds - 1 for name, cluster, size, seconds in points]

    def best(self, algorithms, cluster, size, kind="all_reduce"):
        return min(self.seconds(algorithm, cluster, size, kind) for algorithm in algorithms)


def predict_step(model, algorithms, cluster, schedule):
    """The step of `casvit_scale schedule`: collectives in order, each when it is ready and the one before is
    over; of several algorithms the fastest for each, as NCCL chooses. @returns a dictionary of seconds"""
    clock = 0.0
    kind = "reduce_scatter" if schedule["after_update"] else "all_reduce"
    transfers = schedule["during_backward"]
    for place, transfer in enumerate(transfers):
        is_tail = place == len(transfers) - 1
        clock = max(clock, transfer["ready_seconds"]) + model.best(
            algorithms, cluster, transfer["bytes"], "all_reduce" if is_tail else kind
        )
    clock = max(clock, schedule["compute_seconds"])
    if "norms_bytes" in schedule:
        clock += model.best(algorithms, cluster, schedule["norms_bytes"])
    exposed = clock - schedule["compute_seconds"]
    clock += schedule["optimizer_seconds"]
    for transfer in schedule["after_update"]:
        seconds = model.best(algorithms, cluster, transfer["bytes"], "all_gather")
        clock += seconds
        exposed += seconds
    return {"step_seconds": clock, "exposed_seconds": exposed}
