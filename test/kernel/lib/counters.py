"""Which counters must agree, and how they are compared: as differences over a scenario."""

_WHOLE_GROUPS = ("Ip", "Icmp", "IcmpMsg", "IpExt")
_SINGLE = frozenset(
    ["TcpExt.IPReversePathFilter"]
    + ["Udp." + name for name in ("InDatagrams", "OutDatagrams", "NoPorts", "InErrors",
                                  "InCsumErrors", "IgnoredMulti")]
    + ["Tcp." + name for name in ("InSegs", "OutSegs", "OutRsts", "InErrs", "InCsumErrors")])


def is_compared(name):
    return name in _SINGLE or name.partition(".")[0] in _WHOLE_GROUPS


def parse_proc(*texts):
    """Read /proc/net/snmp or netstat: pairs of lines, names above values."""
    values = {}
    for text in texts:
        lines = text.splitlines()
        for names, numbers in zip(lines[::2], lines[1::2]):
            group, _, names = names.partition(": ")
            _, _, numbers = numbers.partition(": ")
            for name, number in zip(names.split(), numbers.split()):
                values[f"{group}.{name}"] = int(number)
    return values


def growth(before, after):
    """What was added, for the compared counters, without those that stood still."""
    grown = {}
    for name in before.keys() | after.keys():
        added = after.get(name, 0) - before.get(name, 0)
        if added and is_compared(name):
            grown[name] = added
    return grown


def differing(expected, got, ignored=()):
    """(name, expected, got) for each counter that grew differently."""
    return [(name, expected.get(name, 0), got.get(name, 0))
            for name in sorted(expected.keys() | got.keys())
            if name not in ignored and expected.get(name, 0) != got.get(name, 0)]
