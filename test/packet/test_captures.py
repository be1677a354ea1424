"""Captures in, captures out, in replayed time: what leaves each port, byte for byte and in order,
and the account of packets."""

import random

import pytest
from scapy.layers.inet import IPOption, fragment

import frames
from frames import address, echo, forwarded, frame, icmp_error, udp, without_id
from router import wait_for

A, B, SILENT, LATE = address(0, 2), address(1, 2), address(1, 66), address(1, 9)
KNOWN = [f"neigh add {A} lladdr {frames.host_mac(0, 2)} dev p0",
         f"neigh add {B} lladdr {frames.host_mac(1, 2)} dev p1"]


class Story:
    """Frames that come in by ports 0 and 1, and what is to leave by them, told in order."""

    def __init__(self, captures):
        self.captures = captures
        self.records = {0: [], 1: []}
        self.expected = {0: [], 1: []}

    def sends(self, seconds, port, sent):
        self.records[port].append((1000 + seconds, sent))
        return sent

    def expects(self, port, *sent):
        self.expected[port] += sent

    def commands(self):
        return (self.captures.port(0, self.records[0]) + self.captures.port(1, self.records[1])
                + KNOWN)

    @property
    def received(self):
        return sum(map(len, self.records.values()))

    def check(self):
        for port in (0, 1):
            out = [without_id(f) if frames.is_ip(f) and f[23] == 1 else f
                   for f in self.captures.out(port)]
            wanted = [without_id(f) if frames.is_ip(f) and f[23] == 1 else f
                      for f in self.expected[port]]
            assert [f.hex() for f in out] == [f.hex() for f in wanted], f"port {port}"


@pytest.fixture
def story(captures):
    """The first of everything that a router does."""
    s = Story(captures)
    send, expect = s.sends, s.expects

    sent = send(0.0, 0, frame(0, udp(A, B, b"first", ttl=64)))
    expect(1, forwarded(sent, 1))
    sent = send(0.1, 1, frame(1, udp(B, A, b"back", ttl=2, tos=0x28)))
    expect(0, forwarded(sent, 0))
    sent = send(0.2, 0, frame(0, udp(A, B, b"too old", ttl=1)))
    expect(0, icmp_error(11, 0, sent, 0))
    sent = send(0.3, 0, frame(0, udp(A, "203.0.113.9", b"nowhere", ttl=9)))
    expect(0, icmp_error(3, 0, sent, 0))
    sent = send(0.4, 0, frame(0, udp(A, B, bytes(1473), flags="DF")))
    expect(0, icmp_error(3, 4, sent, 0, mtu=1500))
    sent = send(0.5, 0, frame(0, udp(A, B, bytes(range(256)) * 5 + bytes(192), flags="DF")))
    expect(1, forwarded(sent, 1))
    send(0.6, 0, frames.with_bad_checksum(frame(0, udp(A, B, b"damaged"))))
    sent = send(0.7, 0, frame(0, udp(A, B, b"pad")) + bytes(range(29)))
    expect(1, forwarded(sent, 1))
    send(0.8, 0, frame(0, echo(A, address(0, 1), payload=b"ping" * 8, ttl=3)))
    expect(0, bytes(frames.Ether(dst=frames.host_mac(0, 2), src=frames.mac(0))
                    / echo(address(0, 1), A, payload=b"ping" * 8, kind="echo-reply")))
    send(0.9, 1, frames.arp_request(1, frames.router_address(1)))
    expect(1, frames.routers_arp_reply(1, 2))
    send(1.0, 0, frames.with_destination(frame(0, udp(A, B)), "02:99:99:99:99:99"))
    return s


def unanswered(story):
    """Two packets for a host that never answers, and 3 s of replayed time."""
    held = [story.sends(1.1, 0, frame(0, udp(A, SILENT, b"one"))),
            story.sends(1.2, 0, frame(0, udp(A, SILENT, b"two")))]
    story.expects(1, *[frames.routers_arp_request(1, SILENT)] * 3)
    return held


def host_unreachable(sent):
    """As in Linux the packet is quoted as it would have left, with its TTL one less."""
    return icmp_error(3, 1, forwarded(sent, 1), 0)


def answered(story):
    """Three packets for a host that answers 1.5 s later; they leave in order, before a fourth."""
    held = [story.sends(2.0 + i / 10, 0, frame(0, udp(A, LATE, bytes([i]), ident=i + 1)))
            for i in range(3)]
    story.expects(1, frames.routers_arp_request(1, LATE), frames.routers_arp_request(1, LATE))
    story.sends(3.5, 1, frames.arp_reply(1, 9))
    held.append(story.sends(3.6, 0, frame(0, udp(A, LATE, b"4", ident=4))))
    story.expects(1, *[forwarded(sent, 1, 9) for sent in held])


def test_everything_at_once(router, story):
    received = story.received
    router.start(story.commands(), "--time", "packet")
    account = router.settled(received)
    assert account["received"] == received
    assert account["held"] == 0
    assert account["originated"] == 5
    assert account["transmitted"] == 9
    assert account["delivered"] == 2
    assert account["reasons"] == {"IP_TTL": 1, "IP_NOROUTE": 1, "PKT_TOO_BIG": 1, "IP_CSUM": 1,
                                  "OTHERHOST": 1}
    assert router.buffers() == {"packets_0": 0}
    router.stop()
    story.check()


def test_until_idle_gives_the_same(router, story):
    router.run(story.commands(), "--until-idle", "--time", "packet", seconds=10)
    story.check()


def test_in_wall_time_too(router, story):
    router.run(story.commands(), "--until-idle", seconds=10)
    for port in (0, 1):
        assert len(story.captures.out(port)) == len(story.expected[port])


def test_a_neighbour_that_never_answers(router, story):
    held = unanswered(story)
    story.sends(4.0, 0, frame(0, udp(A, B, b"still waiting", ident=8)))
    story.expects(1, forwarded(story.records[0][-1][1], 1))
    story.sends(4.3, 0, frame(0, udp(A, B, b"over", ident=9)))
    story.expects(1, forwarded(story.records[0][-1][1], 1))
    story.expects(0, *[host_unreachable(sent) for sent in held])
    router.start(story.commands(), "--time", "packet")
    account = router.settled(story.received, held=0)
    assert account["reasons"]["NEIGH_FAILED"] == 2
    router.stop()
    story.check()


def test_held_packets_expire_before_the_end(router, story):
    """--until-idle lets replayed time pass when the captures are over."""
    held = unanswered(story)
    story.expects(0, *[host_unreachable(sent) for sent in held])
    router.run(story.commands(), "--until-idle", "--time", "packet", seconds=10)
    story.check()


def test_held_packets_are_in_the_account(router, story):
    unanswered(story)
    router.start(story.commands(), "--time", "packet")
    account = router.settled(story.received)
    assert account["held"] == 2
    assert router.buffers() == {"packets_0": 2}
    router.stop()


def test_a_neighbour_that_answers(router, story):
    answered(story)
    router.start(story.commands(), "--time", "packet")
    account = router.settled(story.received, held=0)
    assert "NEIGH_FAILED" not in account["reasons"]
    assert {"dst": LATE, "lladdr": frames.host_mac(1, 9)}.items() \
        <= next(n for n in router.show("neigh show dev p1") if n["dst"] == LATE).items()
    router.stop()
    story.check()


def test_held_packets_expire_in_wall_time(router, captures):
    records = [(1.0, frame(0, udp(A, SILENT, b"x")))]
    router.start(captures.port(0, records) + captures.port(1) + KNOWN)
    router.settled(1, held=1)
    account = wait_for(lambda: (a := router.account())["held"] == 0 and a, 6, "held = 0")
    assert account["reasons"] == {"NEIGH_FAILED": 1}
    router.stop()
    assert [without_id(f) for f in captures.out(0)] == [host_unreachable(records[0][1])]
    assert captures.out(1) == [frames.routers_arp_request(1, SILENT)] * 3


@pytest.mark.parametrize("option", [[], ["--no-fast-path"]], ids=["fast", "general"])
def test_order_within_a_port(router, captures, option):
    """Thousands of packets, two flows that share ports: each port keeps the order."""
    there, back = frame(0, udp(A, B, b"there")), frame(1, udp(B, A, b"back"))
    up = [(1 + i / 1e6, frames.with_id(there, i)) for i in range(3000)]
    down = [(1 + i / 1e6, frames.with_id(back, i)) for i in range(3000)]
    router.start(captures.port(0, up) + captures.port(1, down) + KNOWN, *option)
    account = router.settled(6000)
    assert account["transmitted"] == 6000 and account["dropped"] == 0
    router.stop()
    assert captures.out(1) == [forwarded(f, 1) for _, f in up]
    assert captures.out(0) == [forwarded(f, 0) for _, f in down]


def of_kind(kind, number, source, target, ours):
    """Frames of one number, told in each of their pieces: one of thirteen kinds, what is answered,
    has options, is cut (into two, some or many pieces), put together, too old or refused, is padded
    or has a tag without a VLAN; else an ordinary one."""
    told = f"{number:08}".encode()
    if kind == 0:
        packets = [udp(source, target, told, ttl=1)]
    elif kind == 1:
        packets = [echo(source, ours, payload=told)]
    elif kind == 2:
        packets = [udp(source, target, told, options=[IPOption(b"\x01\x01\x01\x00")])]
    elif kind == 3:
        packets = [udp(source, target, told * 126)]
    elif kind == 4:
        packets = fragment(echo(source, ours, payload=told + bytes(24), ident=number), 16)
    elif kind == 5:
        packets = [udp(source, target, told * 126, flags="DF")]
    elif kind == 6:
        packets = [udp(source, target, told * 1001)]
    elif kind == 7:
        return [frames.with_bad_checksum(frame(0, udp(source, target, told)))]
    elif kind == 8:
        packets = [udp(source, target, told * 51)]
    elif kind == 9:
        outer, inner = (fragment(echo(source, ours, payload=told + bytes(n), ident=number + n), 16)
                        for n in (32, 48))
        packets = [outer[0], *inner, *outer[1:]]
    elif kind == 10:
        return [frame(0, udp(source, target, told)) + bytes(number % 50)]
    elif kind == 11:
        return [frames.tagged(frame(0, udp(source, target, told)))]
    elif kind == 12:
        return [frame(0, echo(source, ours, payload=told)) + bytes(number % 20)]
    else:
        packets = [udp(source, target, told)]
    return [frame(0, packet) for packet in packets]


def all_kinds(rng, number, kinds):
    """Of the kinds below `kinds` any; what comes of them leaves by any of three ports."""
    source = rng.choice((A, f"10.1.0.{number % 250 + 1}", f"10.2.0.{number % 250 + 1}"))
    target = f"10.{rng.choice((1, 2))}.1.1"
    return of_kind(rng.randrange(kinds), number, source, target,
                   frames.router_address(rng.randrange(2)))


def sent_in_order(make_router, captures, sent, *options, more=()):
    """Each port sends all in the same order with any lanes as on the general path, and counts it.
    Returns what each sent, without identifications, and why packets were dropped."""
    commands = (captures.port(0, [(1 + i / 1e6, one) for i, one in enumerate(sent)],
                              link="mtu 9000", up=False)
                + captures.port(1, link="mtu 300") + captures.port(2) + KNOWN
                + [f"neigh add {address(2, 2)} lladdr {frames.host_mac(2, 2)} dev p2",
                   f"route add 10.1.0.0/16 via {B}", f"route add 10.2.0.0/16 via {address(2, 2)}",
                   "sysctl net.ipv4.icmp_ratelimit=0", "sysctl net.ipv4.icmp_msgs_per_sec=1000000",
                   "sysctl net.ipv4.icmp_msgs_burst=1000000", *more, "link set p0 up"])
    came, reasons = [], []
    for lanes, *option in ((16,), (8,), (4,), (0, "--no-fast-path")):
        router = make_router()
        router.start(commands[:-1] + [f"sysctl net.millrace.fast_path_lanes={lanes}", commands[-1]],
                     *options, *option)
        reasons.append(router.settled(len(sent), held=0)["reasons"])
        sent_by = [router.stats(f"p{port}")["tx"] for port in range(3)]
        router.stop()
        out = [captures.out(port) for port in range(3)]
        assert [(tx["packets"], tx["bytes"]) for tx in sent_by] == \
            [(len(one), sum(map(len, one))) for one in out], lanes
        came.append([[without_id(one) for one in frames_out] for frames_out in out])
    for fast in came[:-1]:
        assert fast == came[-1]
    assert all(these == reasons[-1] for these in reasons)
    return came[-1], reasons[-1]


@pytest.mark.parametrize("kinds", [40, 17])
def test_order_of_all_kinds(make_router, captures, kinds):
    """Whatever is special about packets between others, few or most of a burst."""
    rng = random.Random(5)
    sent = [one for number in range(1, 6000) for one in all_kinds(rng, number, kinds)]
    came, reasons = sent_in_order(make_router, captures, sent)
    assert set(reasons) == {"IP_TTL", "PKT_TOO_BIG", "IP_CSUM"}
    assert all(len(out) > 100 for out in came)


def test_order_by_the_ring_of_a_link(make_router, captures):
    """Worker 1 receives, and has no transmit queue of its own."""
    rng = random.Random(6)
    sent = [one for number in range(1, 400) for one in all_kinds(rng, number, 25)]
    came, reasons = sent_in_order(make_router, captures, sent, "-w", "2",
                                  more=["worker set 1 dev p0 rxq 0"])
    assert set(reasons) == {"IP_TTL", "PKT_TOO_BIG", "IP_CSUM"}
    assert all(came)


@pytest.mark.parametrize("kind, port, pieces", [(1, 0, 1), (2, 2, 1), (8, 1, 2), (3, 1, 4)],
                         ids=["ping", "options", "cut in two", "cut"])
def test_order_of_whole_bursts(make_router, captures, kind, port, pieces):
    """All of a burst is special, and goes to one port."""
    sent = [one for number in range(1, 2000)
            for one in of_kind(kind, number, A, f"10.{port}.1.1", frames.router_address(0))]
    came, reasons = sent_in_order(make_router, captures, sent)
    assert [len(out) for out in came] == [len(sent) * pieces * (out == port) for out in range(3)]
    assert not reasons


def test_a_cut_capture_file_ends_where_it_is_cut(router, captures):
    records = [(1 + i, frame(0, udp(A, B, b"x", ident=i))) for i in range(3)]
    commands = captures.port(0, records) + captures.port(1) + KNOWN
    path = captures.directory / "in0.pcap"
    path.write_bytes(path.read_bytes()[:-5])
    router.spawn(router.words("-c", str(router.write_config(commands)), "--until-idle", "--time",
                              "packet"))
    assert router.process.wait(10) == 0
    router.process = None
    said = router.said()
    assert said.startswith(f'millrace: warning: "{path}" can not be read whole: packet 3 and what '
                           "may follow is not there (truncated") and said.count("\n") == 1
    assert captures.out(1) == [forwarded(f, 1) for _, f in records[:2]]


def test_no_capture_at_all_is_idle_at_once(router, captures):
    router.run(captures.port(0) + captures.port(1), "--until-idle", "--time", "packet", seconds=5)


@pytest.mark.parametrize("octets", [0, 1, 13, 14, 33])
def test_frames_too_short_for_ip(router, captures, octets):
    short = [(1, frame(0, udp(A, B))[:octets])]
    router.start(captures.port(0, short) + captures.port(1) + KNOWN, "--time", "packet")
    account = router.settled(1)
    assert account["received"] == 1
    assert account["dropped"] == 1
    router.stop()


def test_frames_too_short_among_others(make_router, captures):
    """Behind them in their buffers lies what came before, which would be forwarded."""
    whole = frame(0, udp(A, B, bytes(40)))
    sent = [frames.with_id(whole, i)[:octets] for i, octets in enumerate(
        [len(whole)] * 500 + [n for n in range(43) for _ in range(40)])]
    random.Random(7).shuffle(sent)
    came, reasons = sent_in_order(make_router, captures, sent)
    assert [len(out) for out in came] == [0, 500, 0] and sum(reasons.values()) == 43 * 40


def test_frames_of_many_buffers(router, captures):
    """Packets up to the largest that a link takes go through chains of buffers."""
    router.start(captures.port(9))
    largest = router.show("link show p9")[0]["max_mtu"]
    router.stop()
    big = [(1, frame(0, udp(A, B, bytes(i % 251 for i in range(size - 28)), ident=9)))
           for size in (2000, 2048, 2049, 9000, largest)]
    router.start(captures.port(0, big, link=f"mtu {largest}")
                 + captures.port(1, link=f"mtu {largest}") + KNOWN, "--time", "packet")
    assert router.settled(5)["transmitted"] == 5
    assert router.buffers() == {"packets_0": 0}
    router.stop()
    assert captures.out(1) == [forwarded(f, 1) for _, f in big]
