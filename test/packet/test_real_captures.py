"""Captures of real traffic, sent to the router: every packet is accounted for, with a reason."""

import os
import pathlib

import pytest

import frames
import pcap
from router import SOURCE

DATA = pathlib.Path(os.environ.get("MILLRACE_DATA", SOURCE.parent / "shared/data")) / "captures"


def real_records(name):
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is not there (MILLRACE_DATA names the directory above captures/)")
    return [(seconds, frames.with_destination(frame, frames.mac(0)))
            for seconds, frame in pcap.read(path)]


def commands(captures, records):
    return (captures.port(0, records) + captures.port(1)
            + ["route add default via 10.0.1.2", "sysctl net.ipv4.icmp_ratelimit=0",
               f"neigh add 10.0.1.2 lladdr {frames.host_mac(1, 2)} dev p1"])


@pytest.mark.parametrize("name", ["tcpreplay-test.pcap", "afs.pcap"])
def test_every_packet_is_accounted_for(router, captures, name):
    records = real_records(name)
    router.start(commands(captures, records), "--time", "packet")
    account = router.settled(len(records))
    assert account["received"] == len(records)
    assert account["dropped"] == sum(account["reasons"].values())
    assert account["transmitted"] > len(records) / 2
    stats = router.stats("p1")["tx"]
    assert router.stats("p0")["rx"]["packets"] == len(records)
    assert router.stats("p0")["rx"]["bytes"] == sum(len(frame) for _, frame in records)
    router.stop()
    out = captures.out(0) + captures.out(1)
    assert len(out) == account["transmitted"]
    assert stats["packets"] == len(captures.out(1))
    assert stats["bytes"] == sum(map(len, captures.out(1)))


@pytest.mark.parametrize("name", ["tcpreplay-test.pcap", "afs.pcap"])
def test_forwarded_as_they_came(router, captures, name):
    """What leaves by port 1 is what came in, in order, but for what was dropped."""
    records = real_records(name)
    router.run(commands(captures, records), "--until-idle", "--time", "packet")
    wanted = iter([frames.forwarded(f, 1) for _, f in records if frames.is_ip(f) and f[22] > 1])
    for out in captures.out(1):
        assert any(out == f for f in wanted), out.hex()


@pytest.mark.parametrize("name", ["tcpreplay-test.pcap", "afs.pcap"])
def test_twice_the_same(make_router, captures, name):
    outputs = []
    for _ in range(2):
        make_router().run(commands(captures, real_records(name)), "--until-idle",
                          "--time", "packet")
        outputs.append([captures.out(port) for port in (0, 1)])
    assert outputs[0] == outputs[1]
