"""Random routing: tables, rules, routes by TOS, metrics and groups, for chapters of random frames,
and changes to them between the frames.

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
             f"sysctl net.ipv4.fib_multipath_hash_policy={rng.randrange(4)}",
             f"sysctl net.ipv4.fib_multipath_hash_fields={rng.randrange(1, 0x1000)}",
             f"sysctl net.ipv4.fwmark_reflect={rng.randrange(2)}",
             f"sysctl net.ipv4.conf.all.src_valid_mark={rng.randrange(2)}"]
    lines += [_route(rng) for _ in range(rng.randrange(2, 40))]
    if rng.random() < 0.67:
        priorities = sorted(rng.sample(range(1, 32766), rng.randrange(1, 10)))
        lines += [_rule(rng, priority) for priority in priorities]
    return tuple(lines)


def _key(line):
    """The words of a route that say which one it is."""
    words = line.split()
    prefix = words[3] if words[2] in _KINDS else words[2]
    return (prefix, *(f"{name} {words[words.index(name) + 1]}"
                      for name in ("tos", "table", "metric") if name in words))


class Changes:
    """Draws commands that change what commands() has made; each can be done."""

    def __init__(self, rng, lines):
        self._rng = rng
        self._routes = {_key(line): None for line in lines if line.startswith("route replace ")}
        self._priorities = {int(line.split()[3]) for line in lines
                            if line.startswith("rule add priority ")}

    def draw(self):
        rng = self._rng
        kind = rng.random()
        if kind < 0.4:
            return (self._new_route(),)
        if kind < 0.6 and self._routes:
            key = rng.choice(list(self._routes))
            del self._routes[key]
            return (f"route del {' '.join(key)}",)
        if kind < 0.75:
            priority = rng.randrange(1, 32766)
            if priority not in self._priorities:
                self._priorities.add(priority)
                return (_rule(rng, priority),)
        if kind < 0.95 and self._priorities:
            gone = rng.sample(sorted(self._priorities),
                              rng.choice((1, len(self._priorities))))
            self._priorities -= set(gone)
            return tuple(f"rule del priority {priority}" for priority in gone)
        return (rng.choice((f"sysctl net.ipv4.fib_multipath_hash_policy={rng.randrange(4)}",
                            f"sysctl net.ipv4.fwmark_reflect={rng.randrange(2)}",
                            f"sysctl net.ipv4.conf.all.src_valid_mark={rng.randrange(2)}",
                            f"sysctl net.ipv4.ip_default_ttl={rng.randrange(40, 256)}",
                            f"sysctl net.ipv4.ip_forward_use_pmtu={rng.randrange(2)}")),)

    def _new_route(self):
        line = _route(self._rng)
        self._routes[_key(line)] = None
        return line
