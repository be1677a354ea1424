"""Random surroundings for chapters of random frames: MTUs, further addresses, links that are down.

The network of layout.py stays, so that sentinels and hosts are where they are; what is drawn here
comes on top of it.
"""


def mtu(rng):
    """MTUs of some ports, as Scenario.mtu has them; none is larger than layout.MTU."""
    return {port: rng.choice((576, 700, 1000, 1280, 1401, 1500))
            for port in ("p0", "p1", "p2", "p3")
            if rng.random() < 0.5 and port != "p2"}


def _address(rng):
    port = rng.randrange(4)
    kind = rng.random()
    if kind < 0.3:
        return f"addr add 10.0.{port}.{rng.randrange(60, 70)}/24 dev p{port}"
    if kind < 0.5:
        return (f"addr add 20.{rng.randrange(4)}.0.{rng.randrange(1, 255)}/32"
                f" dev {rng.choice(('lo', f'p{port}'))}")
    if kind < 0.7:
        length = rng.choice((30, 31, 29, 25))
        return f"addr add 21.{port}.{rng.randrange(4)}.1/{length} dev p{port}"
    return f"addr add 10.0.{port}.{rng.randrange(60, 70)}/32 dev p{rng.randrange(4)}"


def commands(rng):
    lines = []
    for line in dict.fromkeys(_address(rng) for _ in range(rng.randrange(4))):
        lines.append(line)
    # two lines may ask for one address and another length or link: once is enough
    seen, kept = set(), []
    for line in lines:
        address = line.split()[2].partition("/")[0]
        if address not in seen:
            seen.add(address)
            kept.append(line)
    return tuple(kept)
