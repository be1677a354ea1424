"""Rule E: time runs out for datagrams that stay incomplete."""

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario
from lib.ticks import kernel_differs
from scenarios.e_reassembly import held, long_udp, piece, pieces


@scenario("a late duplicate opens a new queue", "E", slow=True,
          setup=("sysctl net.ipv4.ipfrag_time=1",))
def late_duplicate(s):
    s.send("p0", *pieces(64))
    held(s, piece(0, 64))
    held(s, *pieces(64, id=2), piece(64, id=2))
    s.wait(1.3)


@scenario("time runs out", "E", slow=True, setup=("sysctl net.ipv4.ipfrag_time=1",))
def timeout(s):
    held(s, piece(0, 64, src=far("p0", 1), ttl=3, tos=0xb8, flags=DF))
    held(s, piece(64, src=far("p0", 2)))                     # the first one is missing
    held(s, *pieces(24, src=far("p0", 3))[:-1])
    held(s, *pieces(24, src=far("p0", 4))[-2::-1])
    held(s, *pieces(8, src=far("p0", 5))[::2])
    held(s, piece(0, 61, src=far("p0", 6)))                  # quoted as cut to 56
    held(s, piece(0, 800, message=long_udp(900), proto=UDP, src=far("p0", 7)))
    held(s, piece(0, 64, src=far("p0", 8), message=bytes(120)))            # an echo reply
    held(s, piece(0, 64, src=far("p0", 9), message=b"\3" + bytes(119)))    # an error
    s.wait(1.3)


@scenario("time is not extended", "E", slow=True, setup=("sysctl net.ipv4.ipfrag_time=2",))
def timeout_fixed(s):
    s.start("p0", piece(0, 24, src=far("p0", 1)))
    s.pause(1.0)
    s.start("p0", piece(0, 24, src=far("p0", 1)), piece(24, 48, src=far("p0", 1)))
    s.wait(1.7)


@scenario("the timer that runs keeps its length", "E", slow=True,
          setup=("sysctl net.ipv4.ipfrag_time=1",))
def timeout_changed(s):
    s.start("p0", piece(0, 64, src=far("p0", 1)))
    s.run("sysctl net.ipv4.ipfrag_time=3")
    s.start("p0", piece(0, 64, src=far("p0", 2)))
    s.run("sysctl net.ipv4.ipfrag_time=2")
    s.start("p0", piece(0, 64, src=far("p0", 3)))
    s.wait(3.6, tolerance=0.4)
    s.run("sysctl net.ipv4.ipfrag_time=0")
    s.start("p0", piece(0, 64, src=far("p0", 4)))
    s.wait(0.4)


@scenario("who is told that time ran out", "E", slow=True,
          setup=("sysctl net.ipv4.ipfrag_time=1",))
def timeout_told(s):
    held(s, piece(0, 64, src=far("p0", 1)), dst=BROADCAST_MAC)
    held(s, piece(0, 64, src=far("p0", 2), dst=B0))
    held(s, piece(0, 64, src=far("p0", 3), dst=ALL_HOSTS))
    held(s, piece(0, 64, src=UNROUTED))
    held(s, piece(0, 64, src=far("p1", 4)))
    # the first comes in by one port, the latest by another
    s.send("p0", piece(0, 24, src=far("p0", 5)))
    held(s, piece(24, 48, src=far("p0", 5)), port="p1", dst=BROADCAST_MAC)
    s.send("p0", piece(0, 24, src=far("p0", 6)), dst=BROADCAST_MAC)
    held(s, piece(24, 48, src=far("p0", 6)), port="p1")
    s.wait(1.3)


@scenario("time runs out when the address or the way back is gone", "E", slow=True,
          setup=("sysctl net.ipv4.ipfrag_time=2", "addr add 10.9.0.1/24 dev p1",
                 "addr add 10.9.1.1/24 dev p1"))
def timeout_gone(s):
    held(s, piece(0, 64, src=far("p0", 1), dst="10.9.0.1"))
    held(s, piece(0, 64, src="10.9.1.7", dst=R0))
    held(s, piece(0, 64, src=far("p0", 2), dst="10.9.1.1"))
    held(s, piece(0, 64, src="10.9.3.9"))
    s.run("addr del 10.9.0.1/24 dev p1", "addr del 10.9.1.1/24 dev p1",
          "route add 10.9.1.0/24 via 10.0.2.254", "addr add 10.9.3.9/24 dev p1")
    s.wait(2.3)


@scenario("time runs out when the port is down", "E", slow=True,
          setup=("sysctl net.ipv4.ipfrag_time=1",))
def timeout_down(s):
    s.send("p1", piece(0, 24, src=far("p0", 1)))
    s.run("link set p1 down")
    s.sentinel = None
    s.wait(1.3)


@scenario("source validation when time runs out", "E", slow=True,
          setup=("sysctl net.ipv4.ipfrag_time=2",))
def timeout_rp_filter(s):
    s.send("p0", piece(0, 24, src=far("p0", 1)))
    held(s, piece(24, 48, src=far("p0", 1)), port="p1")
    s.send("p1", piece(0, 24, src=far("p0", 2)))
    held(s, piece(24, 48, src=far("p0", 2)))
    s.run("sysctl net.ipv4.conf.p1.rp_filter=1")
    s.wait(2.3)


def _waiting(seconds):
    """Details of a scenario in which timers of so many seconds run out together."""
    return {"slow": True, "missing": kernel_differs(),
            "setup": (f"sysctl net.ipv4.ipfrag_time={seconds}",)}


def _firsts(ids, sender=1):
    return [piece(0, 64, src=far("p0", sender), id=id) for id in ids]


def _expired(s, seconds=3):
    """The slots of the two routers do not end at the same time, but they are equally long."""
    s.wait(seconds + 0.6, tolerance=0.45)


@scenario("timers that run out together: the youngest first", "E", **_waiting(3))
def together(s):
    with s.one_slot(3):
        s.send("p0", *_firsts(range(1, 6)))
    _expired(s)


@scenario("timers that run out together: which of one sender's are told", "E", **_waiting(3))
def together_limited(s):
    with s.one_slot(3):
        s.send("p0", *_firsts(range(1, 16)))
    _expired(s)
    with s.one_slot(3):
        for id in range(21, 24):
            s.send("p0", *_firsts([id]))
    _expired(s)


@scenario("timers that run out together: several senders", "E", **_waiting(3))
def together_senders(s):
    with s.one_slot(3):
        for id in range(1, 9):
            s.send("p0", *[frame for sender in (1, 2, 3) for frame in _firsts([id], sender)])
        s.send("p0", *_firsts(range(20, 24), sender=1), *_firsts(range(20, 24), sender=4))
    _expired(s)


@scenario("timers that run out together: from several ports", "E", **_waiting(4))
def together_ports(s):
    with s.one_slot(4):
        for port in ("p0", "p1", "p0", "p2", "p1"):
            s.send(port, *[piece(0, 64, src=far(port, 1), id=s.steps + id) for id in (1, 2)])
    _expired(s, 4)


@scenario("timers that run out together: others have ended meanwhile", "E", **_waiting(4))
def together_ended(s):
    source = far("p0", 1)
    with s.one_slot(4):
        s.send("p0", *_firsts(range(1, 13)))
        s.send("p0", piece(64, src=source, id=12))              # complete
        s.send("p0", piece(64, src=source, id=1), piece(64, src=source, id=9))
        s.send("p0", piece(8, 8, src=source, id=6))             # killed
        s.send("p0", *_firsts([6]))                             # and anew
        s.send("p0", piece(64, src=source, id=20))              # without the first
        s.send("p0", *_firsts([2]), piece(64, 72, src=source, id=3))
    s.pause(0.5)
    s.send("p0", piece(64, src=source, id=10))
    _expired(s, 4)


@scenario("timers that run out one slot after the other", "E", **_waiting(3))
def together_next(s):
    with s.one_slot(3) as slots:
        s.send("p0", *_firsts(range(1, 4)), *_firsts([1], 2))
    with s.one_slot(3, after=slots) as slots:
        s.send("p0", *_firsts(range(4, 8)), *_firsts([2], 2))
    with s.one_slot(3, after=slots):
        s.send("p0", *_firsts(range(8, 12)), *_firsts([3], 2))
    _expired(s)


@scenario("timers of one second run out together", "E", **_waiting(1))
def together_short(s):
    with s.one_slot(1) as slots:
        s.send("p0", *_firsts(range(1, 10)))
    with s.one_slot(1, after=slots):
        s.send("p0", *_firsts(range(11, 14), 2))
    _expired(s, 1)


def _restart(id):
    """More others than max_dist allows, and then more of the datagram."""
    return [*_firsts(range(100, 104)), piece(0, 24, src=far("p0", 1), id=id)]


@scenario("a new start in the same slot does not make a timer younger", "E", **_waiting(3))
def together_restarted(s):
    s.run("sysctl net.ipv4.ipfrag_max_dist=3", "sysctl net.ipv4.icmp_ratemask=0")
    with s.one_slot(3):
        s.send("p0", *_firsts((1, 2, 3)))
        s.send("p0", *_restart(2))
    _expired(s)


@scenario("a new start in a later slot does", "E", **_waiting(3))
def together_restarted_later(s):
    s.run("sysctl net.ipv4.ipfrag_max_dist=3", "sysctl net.ipv4.icmp_ratemask=0")
    with s.one_slot(3) as slots:
        s.send("p0", *_firsts((1, 2, 3)))
    with s.one_slot(3, after=slots):
        s.send("p0", *_firsts((4, 5)))
        s.send("p0", *_restart(2))
        s.send("p0", *_firsts((6, 7)))
        s.send("p0", *_restart(1))
    _expired(s)


@scenario("less than no time", "E", slow=True)
def timeout_negative(s):
    for seconds in (-1, -8589934, 0):
        s.run(f"sysctl net.ipv4.ipfrag_time={seconds}")
        s.start("p0", piece(0, 64, src=far("p0", 3 + seconds % 3)))
        s.wait(0.4)
    s.refused("sysctl net.ipv4.ipfrag_time=-8589935", "sysctl net.ipv4.ipfrag_time=8589935")
    s.run("sysctl net.ipv4.ipfrag_time=8589934")
    s.send("p0", piece(0, 64))
    s.send("p0", piece(64))
