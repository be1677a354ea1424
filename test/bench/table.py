"""A full Internet routing table, and addresses that it routes.

It is no part of the project: `MILLRACE_DATA` names the directory above `bgp/`, otherwise it lies in
`../shared/data` beside the source tree. What needs it is left out where it is absent.
"""

import glob
import gzip
import itertools
import os
import random
import socket
import struct

from subjects import ROOT

_DIRECTORY = os.environ.get("MILLRACE_DATA", os.path.join(ROOT, "..", "shared", "data"))
_SEED = 1


def path():
    """None: it is not there."""
    found = sorted(glob.glob(os.path.join(_DIRECTORY, "bgp", "rib4-*.txt.gz")))
    return found[-1] if found else None


def _ordinary(prefix):
    """No martian, and none of the benchmark's own networks."""
    return (1 <= prefix[0] < 224 and prefix[0] not in (10, 127)
            and prefix[:3] != bytes((192, 0, 2)) and prefix[:3] != bytes((198, 51, 100)))


def prefixes():
    """(text, first address, length) of each."""
    with gzip.open(path(), "rt") as file:
        for line in file:
            address, _, length = line.strip().partition("/")
            packed = socket.inet_aton(address)
            if int(length) >= 8 and _ordinary(packed):
                yield f"{address}/{length}", struct.unpack("!I", packed)[0], int(length)


def destinations(table, count, zipf):
    """Addresses in prefixes that are chosen at random: each as likely as another, or as Zipf's
    law has it (the n-th in an order that is random is chosen with a probability of 1/n), the
    address within the prefix at random, too."""
    dice = random.Random(_SEED)
    if zipf:
        order = dice.sample(table, len(table))
        weights = list(itertools.accumulate(1 / rank for rank in range(1, len(order) + 1)))
        chosen = dice.choices(order, cum_weights=weights, k=count)
    else:
        chosen = dice.choices(table, k=count)
    return [struct.pack("!I", first | dice.getrandbits(32 - length) if length < 32 else first)
            for _, first, length in chosen]
