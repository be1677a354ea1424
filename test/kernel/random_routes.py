"""Random routing: tables, rules, routes by TOS, metrics and groups, for chapters of random frames.

Everything here is about destinations in 20.0.0.0/6, so that what else a chapter plays, and the
sentinels, find their way.  Gateways are neighbours that are always there.
"""

NET = 20                # the first of four /8
_TABLES = ("main", "main", "10", "20", "default", "4294967295")
_TOS = ("0x04", "0x08", "0x10", "0x18", "0x1c")
_MARKS = ("1", "2", "0x10", "0/1", "1/1", "0x10/0x10", "0/0x10", "3/3", "0/0xffffffff",
          "4/0xfffffffc")
_KINDS = ("unreachable", "prohibit", "blackhole", "throw")


def is_random(address):
    """Whether nobody but the routers knows where a packed address leads to."""
    return address[0] & 0xfc == NET


def address(rng):
    """An address that few routes or many have something to say about."""
    return (f"{NET + rng.randrange(4)}.{rng.randrange(4)}.{rng.choice((0, 1, 255))}"
            f".{rng.randrange(256)}")


def _prefix(rng, shortest=6):
    length = rng.choice((6, 8, 8, 10, 14, 15, 16, 16, 22, 23, 24, 24, 25, 28, 32))
    length = max(length, shortest)
    octets = [int(octet) for octet in address(rng).split(".")]
    value = int.from_bytes(bytes(octets), "big") >> (32 - length) << (32 - length)
    return ".".join(str(octet) for octet in value.to_bytes(4, "big")) + f"/{length}"


def _gateway(rng):
    return f"10.0.{rng.randrange(4)}.{rng.choice((2, 3, 254))}"


def _route(rng):
    words = ["route replace"]
    kind = rng.choice(_KINDS) if rng.random() < 0.2 else None
    if kind:
        words.append(kind)
    words.append(_prefix(rng))
    if rng.random() < 0.3:
        words.append(f"tos {rng.choice(_TOS)}")
    words.append(f"table {rng.choice(_TABLES)}")
    if rng.random() < 0.3:
        words.append(f"metric {rng.randrange(1, 4)}")
    if kind:
        return " ".join(words)
    if rng.random() < 0.15:
        words.append(f"mtu {rng.choice((600, 1000, 1400))}")
    if rng.random() < 0.15:
        words.append(f"hoplimit {rng.randrange(1, 256)}")
    if rng.random() < 0.15:
        words.append(f"src 10.0.{rng.randrange(4)}.1")
    if rng.random() < 0.4:
        words += [f"nexthop via {_gateway(rng)} weight {rng.choice((1, 1, 2, 7, 256))}"
                  for _ in range(rng.randrange(2, 6))]
    else:
        words.append(f"via {_gateway(rng)}")
    return " ".join(words)


def _rule(rng, priority):
    words = [f"rule add priority {priority}", f"to {_prefix(rng)}"]
    if rng.random() < 0.5:
        words.append(rng.choice((f"from 10.{64 + rng.randrange(4)}.0.0/16",
                                 f"from 10.0.{rng.randrange(4)}.0/24", f"from {_prefix(rng)}",
                                 "from 10.0.0.2", "from 10.64.0.0/14")))
    if rng.random() < 0.4:
        words.append(f"iif {rng.choice(('p0', 'p1', 'p2', 'p3', 'lo', 'none'))}")
    if rng.random() < 0.2:
        words.append(f"tos {rng.choice(_TOS)}")
    if rng.random() < 0.4:
        words.append(f"fwmark {rng.choice(_MARKS)}")
    words.append(rng.choice(("unreachable", "prohibit", "blackhole")) if rng.random() < 0.15
                 else f"table {rng.choice(_TABLES)}")
    return " ".join(words)


def commands(rng):
    """Routing for a chapter; in every third without rules, so that local and main stay one."""
    lines = [f"sysctl net.ipv4.fib_multipath_hash_seed={rng.randrange(1, 1 << 31)}",
             f"sysctl net.ipv4.fib_multipath_hash_policy={rng.randrange(2)}",
             f"sysctl net.ipv4.fwmark_reflect={rng.randrange(2)}",
             f"sysctl net.ipv4.conf.all.src_valid_mark={rng.randrange(2)}"]
    lines += [_route(rng) for _ in range(rng.randrange(2, 40))]
    if rng.random() < 0.67:
        priorities = sorted(rng.sample(range(1, 32766), rng.randrange(1, 10)))
        lines += [_rule(rng, priority) for priority in priorities]
    return tuple(lines)
