"""Random filter rules, in nft's words, for chapters of random frames.

Sentinels are accepted before anything else at each point that has rules.  Nothing here depends on
time: limits are so slow that they never fill again.
"""

import shutil

POINTS = ("prerouting", "input", "forward", "output", "postrouting")
POSSIBLE = bool(shutil.which("nft"))
_CODES = ("net-unreachable", "host-unreachable", "prot-unreachable", "port-unreachable",
          "net-prohibited", "host-prohibited", "admin-prohibited")
_NET = ("10.0.0.0/16", "10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/23", "10.64.0.0/14", "10.65.0.0/16",
        "20.0.0.0/6", "20.1.0.0/16", "224.0.0.0/4", "0.0.0.0/1", "10.0.0.2", "10.0.1.1")


def _of(rng, values, draw):
    """A value, a range, a set of some, or a comparison."""
    kind = rng.random()
    if kind < 0.45:
        return rng.choice(("", "", "!= ")) + str(draw(rng))
    if kind < 0.6:
        low, high = sorted((draw(rng), draw(rng)))
        return rng.choice(("", "!= ")) + (f"{low}-{high}" if low < high else str(low))
    if kind < 0.75:
        low = draw(rng)
        return rng.choice(("<=", ">=")) + f" {low}"
    some = sorted({draw(rng) for _ in range(rng.randrange(1, 5))})
    return rng.choice(("", "!= ")) + "{ " + ", ".join(map(str, some)) + " }"


def _addresses(rng):
    kind = rng.random()
    if kind < 0.6:
        return rng.choice(("", "", "!= ")) + rng.choice(_NET)
    if kind < 0.8:
        return (rng.choice(("", "!= ")) + f"10.0.{rng.randrange(2)}.{rng.randrange(3)}-"
                f"10.0.2.{rng.randrange(9)}")
    hosts = {f"10.0.{rng.randrange(4)}.{rng.choice((1, 2, 3))}" for _ in range(3)}
    return rng.choice(("", "!= ")) + "{ " + ", ".join(sorted(hosts)) + ", 10.66.0.0/16 }"


def _links(rng):
    ports = sorted({f"p{rng.randrange(4)}" for _ in range(rng.randrange(1, 4))})
    value = ports[0] if len(ports) == 1 else "{ " + ", ".join(ports) + " }"
    return rng.choice(("", "!= ")) + value


def _flags(rng):
    some = rng.sample(("fin", "syn", "rst", "psh", "ack", "urg"), 3)
    return rng.choice((some[0], f"!= {some[0]}", f"& ({some[0]}|{some[1]}|{some[2]}) == {some[0]}",
                       f"& ({some[0]}|{some[1]}) != 0", f"== {some[0]}", ",".join(some)))


def _bits(rng):
    """Fields that few rules ask for. Of what a router makes checksums may not be made yet."""
    field, high = rng.choice((
        ("icmp id", 0xffff), ("icmp sequence", 0xffff), ("icmp mtu", 1500),
        ("tcp sequence", 0xffffffff), ("tcp ackseq", 0xffffffff), ("tcp doff", 15),
        ("tcp reserved", 15), ("tcp window", 0xffff), ("tcp urgptr", 0xffff), ("udp length", 1500),
        ("@th,0,8", 255), ("@th,19,6", 63), ("@nh,8,8", 255), ("@th,32,32", 0xffffffff),
        ("ip version", 15)))
    return f"{field} {_of(rng, None, _up_to(high))}"


def _up_to(high):
    return lambda rng: rng.choice((0, 1, 2, high, rng.randrange(high + 1)))


def _match(rng, point):
    ports = lambda: _of(rng, None, lambda r: r.choice((0, 53, 1024, 0xffff, r.randrange(65536))))
    kinds = [
        lambda: "ip saddr " + _addresses(rng), lambda: "ip daddr " + _addresses(rng),
        lambda: "ip saddr " + _addresses(rng), lambda: "ip daddr " + _addresses(rng),
        lambda: "iifname " + _links(rng), lambda: "oifname " + _links(rng),
        lambda: f"udp {rng.choice(('sport', 'dport'))} {ports()}",
        lambda: f"tcp {rng.choice(('sport', 'dport'))} {ports()}",
        lambda: f"meta l4proto {{ tcp, udp }} th {rng.choice(('sport', 'dport'))} {ports()}",
        lambda: f"tcp flags {_flags(rng)}",
        lambda: "icmp type " + _of(rng, None, lambda r: r.choice((0, 3, 5, 8, 11, 12, 13, 17))),
        lambda: "icmp code " + _of(rng, None, _up_to(255)),
        lambda: _bits(rng),
        lambda: "ip protocol " + _of(rng, None,
                                     lambda r: r.choice((1, 6, 17, 99, r.randrange(256)))),
        lambda: "ip ttl " + _of(rng, None, _up_to(255)),
        lambda: "ip length " + _of(rng, None, lambda r: r.choice((28, 60, 576, r.randrange(1500)))),
        lambda: "ip id " + _of(rng, None, _up_to(65535)),
        lambda: "ip dscp " + _of(rng, None, _up_to(63)), lambda: f"ip ecn {rng.randrange(4)}",
        lambda: f"ip hdrlength {rng.choice(('5', '!= 5', '> 6'))}",
        lambda: rng.choice(("fragment", "ip frag-off & 0x1fff != 0",
                            "ip frag-off & 0x4000 == 0x4000", "ip frag-off & 0x2000 != 0",
                            "ip frag-off & 0x8000 == 0")),
        lambda: f"mark {rng.choice(('0', '!= 0', '1', '{ 1, 3-5 }', '& 0x2 == 0x2'))}",
        lambda: f"meta pkttype {rng.choice(('', '!= '))}"
                f"{rng.choice(('host', 'broadcast', 'multicast'))}",
    ]
    found = rng.choice(kinds)()
    if point in ("prerouting", "input") and "oifname" in found:
        return found.replace("oifname", "iifname")
    if point == "output" and "iifname" in found:
        return found.replace("iifname", "oifname")
    # The identification of what the router makes itself is a random number.
    if point in ("output", "postrouting", "input", "prerouting") and found.startswith("ip id"):
        return "ip ttl > 9"
    return found


def _is_of_protocol(word):
    return word.startswith(("tcp", "udp", "icmp", "meta l4proto", "ip protocol"))


def _verdict(rng, point):
    draw = rng.random()
    if draw < 0.35 or (draw >= 0.6 and point == "postrouting"):
        return ""
    if draw < 0.45:
        return "mark set " + rng.choice(("", "", "mark or ", "mark and ", "mark xor ")) + str(
            rng.choice((0, 1, 2, 3, 4, 5, 0x10, 0x1f, 0xffffffff)))
    if draw < 0.6:
        return rng.choice(("accept", "drop", "drop", "return"))
    return rng.choice(("reject", f"reject with icmp type {rng.choice(_CODES)}", "drop"))


def _rule(rng, point):
    words = []
    for word in (_match(rng, point) for _ in range(rng.choice((1, 1, 2, 2, 3)))):
        # nft refuses two protocols in one rule, and 1.0.6 takes two fields that lie side by side
        # and are both to differ for one
        if not (_is_of_protocol(word) and any(map(_is_of_protocol, words))
                or "!= " in word and any("!= " in other for other in words)):
            words.append(word)
    if rng.random() < 0.08:
        # What comes back by lo comes behind the burst that it came from: not counted here.
        words.append("ip saddr 10.64.0.0/10")
        words.append(f"limit rate {rng.choice(('', 'over '))}1/week "
                     f"burst {rng.randrange(1, 9)} packets")
    return f"filter add {point} " + " ".join(words + ["counter", _verdict(rng, point)]).rstrip()


def commands(rng):
    lines = []
    for point in POINTS:
        if rng.random() < 0.5:
            continue
        lines += [f"filter add {point} ip saddr 198.18.0.0/15 accept",
                  f"filter add {point} ip daddr 198.18.0.0/15 accept"]
        lines += [_rule(rng, point) for _ in range(rng.choice((1, 2, 4, 8, 30)))]
        if rng.random() < 0.2:
            lines.append(f"filter add {point} ip saddr 10.64.0.0/10 counter accept")
            lines.append(f"filter policy {point} drop")
    return tuple(lines)
