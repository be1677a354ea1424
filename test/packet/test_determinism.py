"""In replayed time the same input gives the same output, whatever the packets set off."""

import random

import pytest

import frames
from frames import address, echo, frame, udp

PORTS = 3
FRAMES = 1000
SECONDS = 30.0


def random_records(seed):
    """Traffic among hosts that are known, that answer and that do not, errors and echoes."""
    rng = random.Random(seed)
    records = {port: [] for port in range(PORTS)}
    for _ in range(FRAMES):
        port = rng.randrange(PORTS)
        host = rng.randrange(2, 6)
        target = rng.choice([address(rng.randrange(PORTS), rng.randrange(2, 12)),
                             address(rng.randrange(PORTS), 1), "203.0.113.1",
                             f"172.16.{rng.randrange(4)}.1"])
        made = rng.choice([
            lambda: frame(port, udp(address(port, host), target, bytes(rng.randrange(80)),
                                    ttl=rng.choice([0, 1, 2, 64]), ident=rng.randrange(65536)),
                          host),
            lambda: frame(port, udp(address(port, host), target, bytes(rng.randrange(1400, 1600)),
                                    flags="DF"), host),
            lambda: frame(port, echo(address(port, host), target), host),
            lambda: frames.arp_request(port, address(port, 1), host),
            lambda: frames.arp_reply(port, rng.randrange(2, 12)),
            lambda: frames.with_bad_checksum(frame(port, udp(address(port, host), target), host)),
        ])()
        records[port].append((5000 + rng.random() * SECONDS, made))
    for port in records:
        records[port].sort(key=lambda record: record[0])
    return records


def play(router, captures, records, *options):
    commands = ["route add 172.16.0.0/24 via 10.0.1.3", "route add unreachable 172.16.1.0/24",
                "route add blackhole 172.16.2.0/24", "route add prohibit 172.16.3.0/24"]
    for port in reversed(range(PORTS)):
        commands = captures.port(port, records[port]) + commands
    router.run(commands, "--until-idle", "--time", "packet", *options)
    return {port: captures.out(port) for port in range(PORTS)}


@pytest.mark.parametrize("seed", range(2))
def test_twice_the_same(make_router, captures, seed):
    records = random_records(seed)
    first = play(make_router(), captures, records)
    assert all(first.values())
    for option in ([], [], ["--no-fast-path"]):
        again = play(make_router(), captures, records, *option)
        for port in range(PORTS):
            plain = [[frames.without_id(f) if frames.is_ip(f) else f for f in out[port]]
                     for out in (first, again)]
            assert plain[0] == plain[1], f"port {port} {option}"


def test_most_goes_by_the_default_route(make_router, captures):
    """What has routes is found among it, whatever share of a burst that is."""
    rng = random.Random(7)
    records = []
    for number in range(4000):
        share = number // 200 % 10 / 10         # of what has none
        target = (f"{rng.randrange(11, 120)}.{rng.randrange(256)}.{rng.randrange(256)}.9"
                  if rng.random() < share else
                  rng.choice(["10.0.1.3", "172.16.0.9", "172.16.3.77", "172.17.1.1", "172.18.0.1",
                              "172.19.1.128", "172.19.1.127", "11.0.0.1", "11.0.1.1", address(1, 1),
                              "120.0.0.1", "223.255.255.1"]))
        records.append((5000 + number / 100000, frame(0, udp(address(0, 2), target,
                                                             ident=number))))
    commands = ["route add default via 10.0.1.3", "route add 172.16.0.0/24 via 10.0.2.3",
                "route add 172.16.3.64/26 via 10.0.2.3", "route add 172.17.0.0/16 via 10.0.2.3",
                "route add 172.18.0.0/15 via 10.0.2.3", "route add 172.19.1.128/32 via 10.0.1.3",
                "route add 11.0.0.0/24 via 10.0.2.3", "route add 120.0.0.0/6 via 10.0.2.3",
                "sysctl net.ipv4.icmp_ratelimit=0"]
    commands += [f"neigh add {address(port, 3)} lladdr {frames.host_mac(port, 3)} dev p{port}"
                 for port in (1, 2)]
    out = []
    for lanes in (0, 4, 8, 16):
        ports = captures.port(0, records) + captures.port(1) + captures.port(2)
        make_router().run(ports + commands + [f"sysctl net.millrace.fast_path_lanes={lanes}"],
                          "--until-idle")
        out.append({port: [frames.without_id(f) if port == 0 and frames.is_ip(f) else f
                           for f in captures.out(port)] for port in range(PORTS)})
    assert len(out[0][1]) > 1000 and len(out[0][2]) > 1000
    assert out[1:] == out[:1] * 3


def test_ids_of_the_routers_own_packets_are_the_same_twice(make_router, captures):
    records = random_records(99)
    assert play(make_router(), captures, records) == play(make_router(), captures, records)


@pytest.mark.parametrize("start", [0, 1, 5000, 1.7e9])
def test_a_pause_in_the_capture_costs_no_time(router, captures, start):
    """A day between two packets passes at once, whenever the capture begins."""
    records = [(start + t, frame(0, udp(address(0, 2), address(1, 2)))) for t in (0, 86400)]
    router.run(captures.port(0, records) + captures.port(1), "--until-idle", "--time", "packet",
               seconds=10)
    assert captures.out(1) == [frames.routers_arp_request(1, address(1, 2))] * 6


@pytest.mark.parametrize("earlier", [0.5, 3000])
def test_captures_are_merged_by_time(router, captures, earlier):
    """Port 1's capture begins before port 0's: its host is known when port 0's asks for it."""
    a, b = address(0, 2), address(1, 2)
    learn = [(5000 - earlier, frames.arp_request(1, address(1, 1)))]
    sent = [(5000, frame(0, udp(a, b)))]
    router.run(captures.port(0, sent) + captures.port(1, learn), "--until-idle",
               "--time", "packet", seconds=10)
    assert captures.out(1)[0] == frames.routers_arp_reply(1, 2)
    if earlier < 1:
        assert captures.out(1) == [frames.routers_arp_reply(1, 2), frames.forwarded(sent[0][1], 1)]


def test_times_within_an_earlier_capture_count(router, captures):
    """Port 1's capture begins an hour before port 0's; its two packets are a minute apart."""
    b, silent = address(1, 2), address(0, 66)
    down = [(5000 + t, frame(1, udp(b, silent, ident=t))) for t in (0, 60)]
    up = [(8600, frame(0, udp(address(0, 2), b)))]
    router.run(captures.port(0, up) + captures.port(1, down), "--until-idle", "--time", "packet",
               seconds=10)
    assert captures.out(0).count(frames.routers_arp_request(0, silent)) == 6
