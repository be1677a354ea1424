"""Rule B: IP options are checked, filled in on the way, and echoed in answers."""

import struct

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario

NOP, END = b"\1", b"\0"
RR, TS, LSRR, CIPSO, SSRR, RA = 7, 68, 131, 134, 137, 148
UNLIMITED = ("sysctl net.ipv4.icmp_ratemask=0",)
ALLOWED = UNLIMITED + ("sysctl net.ipv4.conf.all.accept_source_route=1",)


def padded(*options, pad=END):
    joined = b"".join(options)
    return joined + pad * (-len(joined) % 4)


def option(kind, *rest, length=None):
    """Rest is what follows the length byte: bytes, numbers (a byte each), addresses."""
    body = b"".join(bytes((each,)) if isinstance(each, int) else
                    each if isinstance(each, bytes) else address(each) for each in rest)
    return bytes((kind, 2 + len(body) if length is None else length)) + body


def rr(slots=3, pointer=4, *addresses, extra=0):
    return option(RR, pointer, *addresses, bytes(4 * (slots - len(addresses)) + extra))


def ts(flag, words=4, pointer=5, overflow=0, data=b"", extra=0):
    return option(TS, pointer, overflow << 4 | flag, data + bytes(4 * words + extra - len(data)))


def srr(kind, *hops, pointer=4, extra=b""):
    return option(kind, pointer, *hops, extra)


TARGETS = (R0, R1, H1, B0, EVERYONE, ALL_HOSTS, UNROUTED, UNREACHABLE, PROHIBITED, BLACKHOLED,
           "127.0.0.1", G1, far("p1", 9))
_senders = {}


def fresh(port="p0"):
    """A sender on whose limits nothing has been spent."""
    _senders[port] = _senders.get(port, 0) % 250 + 1
    return far(port, _senders[port])


def everywhere(s, options, port="p0"):
    """Such options in packets that are forwarded, answered in all ways, or not at all."""
    sender = fresh(port)
    s.send(port, udp(sender, H1, options=options))
    s.send(port, udp(sender, H1, options=options, ttl=1))
    s.send(port, echo(sender, R0, options=options))
    s.send(port, echo(sender, R1, options=options))
    s.send(port, icmp(sender, R0, 13, data=bytes(12), options=options))
    s.send(port, udp(sender, R0, options=options))
    s.send(port, tcp(sender, R0, options=options))
    s.send(port, ipv4(sender, R0, 99, b"12345678", options=options))
    s.send(port, udp(sender, UNROUTED, options=options))


def pointers(s, *faults):
    """Each fault as it is, behind NOPs, behind a good option, and before one."""
    for fault in faults:
        for options in (padded(fault), padded(NOP, NOP, NOP, fault),
                        padded(option(30, 9, 9), fault), padded(fault, option(30, 9, 9)),
                        padded(rr(1), fault), padded(fault, rr(1)), padded(ts(0, 1), fault)):
            if len(options) > 40:
                continue
            s.send("p0", udp(fresh(), H1, options=options))
            s.send("p0", udp(fresh(), R0, options=options, ttl=1))


@scenario("EOL, NOP, and what is behind the end", "B", setup=UNLIMITED)
def end_of_list(s):
    for options in (END * 4, NOP * 4, END * 40, NOP * 40, END + b"abc", NOP + END + b"ab",
                    END + bytes(6) + b"a", NOP * 3 + END, b"\0\1\1\1", b"\0\7\4\0" + bytes(4),
                    padded(rr(2), END, b"xyz"), padded(rr(1), NOP + END + b"abc", END + b"x")):
        everywhere(s, options)


@scenario("options that nobody knows pass", "B", setup=UNLIMITED)
def unknown(s):
    for kind in (2, 3, 30, 82, 94, 130, 133, 136, 158, 205, 255):
        everywhere(s, padded(option(kind, b"abcd")))
        s.send("p0", udp(fresh(), H1, options=option(kind, b"", length=2) + bytes(2)))
        s.send("p0", udp(fresh(), H1, options=option(kind, bytes(38))))


@scenario("lengths of an option that can not be", "B", setup=UNLIMITED)
def lengths(s):
    for kind in (RR, TS, LSRR, SSRR, RA, CIPSO, 30, 255):
        for length in (0, 1, 2, 3, 4, 5, 8, 9, 12, 38, 39, 40, 41, 255):
            s.send("p0", udp(fresh(), H1, options=bytes((kind, length)) + bytes(6)))
            s.send("p0", udp(fresh(), R0, options=NOP + bytes((kind, length, 4)) + bytes(4)))
        s.send("p0", udp(fresh(), H1, options=NOP * 3 + bytes((kind,))))
        s.send("p0", udp(fresh(), R0, options=NOP * 39 + bytes((kind,))))


@scenario("record route", "B", setup=UNLIMITED)
def record_route(s):
    for slots in range(10):
        everywhere(s, padded(rr(slots)))
    for pointer in (8, 12, 16, 20, 40, 255):
        everywhere(s, padded(rr(3, pointer, "1.2.3.4")))
    everywhere(s, padded(rr(3, 8, "1.2.3.4")), port="p1")


@scenario("record route that is wrong", "B", setup=UNLIMITED)
def record_route_faults(s):
    pointers(s, option(RR, length=2), option(RR, 0), option(RR, 1), option(RR, 3), option(RR, 4),
             option(RR, 3, bytes(4)), rr(1) + rr(1), rr(1) + NOP + rr(0, 1),
             *(rr(2, pointer) for pointer in (0, 1, 2, 3, 5, 6, 7, 9, 10, 11, 12)),
             *(rr(0, 4, extra=extra) for extra in (1, 2, 3)))


@scenario("room for a part of an address is not answered", "B", setup=UNLIMITED)
def record_route_partial(s):
    for extra in (1, 2, 3):
        everywhere(s, padded(rr(1, 4, extra=extra)))
        everywhere(s, padded(rr(2, 4, extra=extra)))
    for words, extra in ((2, 1), (2, 3), (3, 0), (3, 1), (1, 2), (4, 3)):
        for flag in (0, 1, 3):
            everywhere(s, padded(ts(flag, words, data=address(R0), extra=extra)))


@scenario("record route by way of broadcasts, and from addresses on other links", "B",
          setup=UNLIMITED + (
                 "sysctl net.ipv4.icmp_echo_ignore_broadcasts=0", "addr add 10.0.0.77/24 dev p0",
                 "addr add 10.7.0.1/24 dev p0", "addr add 10.8.0.1/32 dev p1",
                 "neigh add 10.7.0.2 lladdr 02:00:00:00:00:72 dev p0 nud permanent",
                 "route add 203.0.113.0/25 via 10.0.0.254 src 10.8.0.1",
                 "route add 203.0.113.128/25 via 10.7.0.2"))
def record_route_addresses(s):
    for options in (padded(rr(4)), padded(ts(1, 8))):
        for sender in (H0, H1, "10.7.0.2", "203.0.113.5", "203.0.113.200", far("p2", 1)):
            for dst in (B0, B1, EVERYONE, ALL_HOSTS, R1, "10.0.0.77", "10.8.0.1"):
                s.send("p0", echo(sender, dst, options=options))
        for dst in ("10.7.0.2", "203.0.113.5", "203.0.113.200"):
            s.send("p2", udp(H2, dst, options=options))
        s.send("p0", udp("0.0.0.0", EVERYONE, options=options))
        s.send("p0", echo(H0, B0, options=options), dst=BROADCAST_MAC)
        s.send("p0", echo(H0, R0, options=options), dst=BROADCAST_MAC)
        s.send("p0", udp(H0, H1, options=options), dst=BROADCAST_MAC)


@scenario("timestamps of each kind", "B", setup=UNLIMITED)
def timestamps(s):
    for flag in (0, 1, 2, 3, 4, 7, 15):
        for words in (0, 1, 2, 3, 4, 8, 9):
            everywhere(s, padded(ts(flag, words)))
        everywhere(s, padded(ts(flag, 4, 13, data=b"12345678")))
        everywhere(s, padded(ts(flag, 4, 5, 7)))


@scenario("timestamps for addresses that the sender names", "B", setup=UNLIMITED)
def timestamps_prespecified(s):
    for first in (R0, R1, R3, H0, H1, UNROUTED, UNREACHABLE, BLACKHOLED, B0, B2, N0, EVERYONE,
                  ALL_HOSTS, "0.0.0.0", "0.1.2.3", "127.0.0.1", "127.9.9.9", "240.0.0.1"):
        everywhere(s, padded(ts(3, 4, data=address(first) + bytes(4) + address(R1))))
    everywhere(s, padded(ts(3, 6, data=address(R0) + bytes(4) + address(R0) + bytes(4)
                            + address(R0))))
    everywhere(s, padded(ts(3, 6, data=address(R0) + bytes(4) + address(H0) + bytes(4))))
    everywhere(s, padded(ts(3, 4, 13, data=bytes(8) + address(R0))))


@scenario("timestamps that are full", "B", setup=UNLIMITED)
def timestamps_overflow(s):
    for flag in (0, 1, 2, 3, 9):
        for overflow in (0, 1, 13, 14, 15):
            for pointer in (9, 13, 40, 255):
                options = padded(ts(flag, 1, pointer, overflow))
                s.send("p0", udp(fresh(), H1, options=options))
                s.send("p0", udp(fresh(), H1, options=options, ttl=1))
                s.send("p0", echo(fresh(), R0, options=options))


@scenario("timestamps that are wrong", "B", setup=UNLIMITED)
def timestamp_faults(s):
    pointers(s, option(TS, length=2), option(TS, 5), option(TS, 4, 0), option(TS, 0, 0, bytes(4)),
             ts(0, 1) + ts(0, 1), ts(0, 0, 5, 15), ts(1, 0, 5, 15), ts(3, 0, 5, 15),
             *(ts(flag, 2, pointer) for flag in (0, 1, 2, 3, 5)
               for pointer in (0, 1, 4, 6, 8, 9, 10, 11, 12, 13)),
             *(ts(flag, 1, 5, extra=extra) for flag in (0, 1, 2, 3) for extra in (0, 1, 2, 3)),
             *(ts(flag, 0, 5, extra=extra) for flag in (0, 1, 2, 3) for extra in (1, 2, 3)))


@scenario("router alert", "B", setup=UNLIMITED)
def router_alert(s):
    for options in (option(RA, 0, 0), option(RA, 0, 1), option(RA, 255, 255),
                    padded(option(RA, bytes(6))), option(RA, 0, 0) * 2,
                    padded(option(RA, 0, 0), rr(2))):
        everywhere(s, options)
    pointers(s, option(RA), option(RA, 0))


@scenario("CIPSO of an unknown domain", "B", setup=UNLIMITED)
def cipso(s):
    pointers(s, *(option(CIPSO, bytes(size)) for size in (0, 4, 5)),
             *(option(CIPSO, struct.pack("!I", doi), tags) for doi in (0, 1, 3, 2**32 - 1)
               for tags in (b"", bytes((1, 4, 0, 1)), bytes((1, 2)))))


def source_routes():
    for kind in (LSRR, SSRR):
        yield srr(kind)
        yield srr(kind, H1)
        yield srr(kind, H1, R3)
        yield srr(kind, G1, far("p1", 3))
        yield srr(kind, far("p1", 3), H0)
        yield srr(kind, R0)
        yield srr(kind, R0, R1, R2)
        yield srr(kind, R1, H2, R2, H3)
        yield srr(kind, H0)
        yield srr(kind, J0, H1)
        yield srr(kind, H0, H1, pointer=8)
        yield srr(kind, R2, H1, pointer=8)
        yield srr(kind, H1, H2, H3, pointer=12)
        yield srr(kind, H1, H2, H3, pointer=16)
        yield srr(kind, H1, H2, H3, pointer=20)
        yield srr(kind, H1, H1, H1, pointer=255)
        yield srr(kind, UNROUTED)
        yield srr(kind, UNREACHABLE)
        yield srr(kind, BLACKHOLED)
        yield srr(kind, B1)
        yield srr(kind, ALL_HOSTS)
        yield srr(kind, EVERYONE)
        yield srr(kind, "127.0.0.1")
        yield srr(kind, "0.0.0.0")
        yield srr(kind, R0, UNROUTED)
        for extra in (1, 2, 3):
            yield srr(kind, extra=bytes(extra))
            yield srr(kind, R0, extra=bytes(extra))
            yield srr(kind, R0, R2, extra=bytes(extra))
            yield srr(kind, H1, extra=bytes(extra))
            yield srr(kind, H1, H2, pointer=4 + extra)
            yield srr(kind, H1, H2, pointer=8 + extra)
            yield srr(kind, H1, H2, pointer=12 + extra)


def source_routed(s):
    for each in source_routes():
        for target in (R0, R2, H1, G1, far("p1", 9)):
            options = padded(each)
            s.send("p0", udp(fresh(), target, options=options))
            s.send("p0", udp(fresh(), target, options=options, ttl=1))
            s.send("p0", echo(fresh(), target, options=options))
            s.send("p0", tcp(fresh(), target, options=options))


@scenario("source routes are not accepted by default", "B", setup=UNLIMITED)
def source_routes_off(s):
    source_routed(s)


@scenario("source routes, if accepted", "B", setup=ALLOWED)
def source_routes_on(s):
    source_routed(s)


@scenario("source routes need both settings", "B", setup=ALLOWED)
def source_routes_settings(s):
    options = padded(srr(LSRR, H1))
    for value in (0, 1):
        s.run(f"sysctl net.ipv4.conf.p0.accept_source_route={value}")
        s.send("p0", udp(fresh(), R0, options=options))
        s.send("p1", udp(fresh("p1"), R0, options=padded(srr(LSRR, H2))))
    s.run("sysctl net.ipv4.conf.all.accept_source_route=0")
    s.send("p0", udp(fresh(), R0, options=options))


@scenario("source routes that are wrong", "B", setup=ALLOWED)
def source_route_faults(s):
    for kind in (LSRR, SSRR):
        pointers(s, option(kind, length=2), option(kind, 3), option(kind, 0, bytes(4)),
                 option(kind, 3, bytes(4)), srr(LSRR, R0) + srr(kind, R0),
                 srr(kind, R0) + option(LSRR, 1), srr(kind, R0) + NOP + option(SSRR, length=2))


@scenario("source routes that are wrong tell, even if not accepted", "B", setup=UNLIMITED)
def source_route_faults_off(s):
    source_route_faults(s)


@scenario("source routes to all kinds of destinations, and in all kinds of frames", "B",
          setup=ALLOWED)
def source_route_targets(s):
    for kind in (LSRR, SSRR):
        options = padded(srr(kind, H1, H2))
        for target in TARGETS:
            s.send("p0", udp(fresh(), target, options=options))
        for mac_address in (BROADCAST_MAC, "01:00:5e:00:00:01"):
            for target in (R0, H1, B0, EVERYONE, ALL_HOSTS):
                s.send("p0", udp(fresh(), target, options=options), dst=mac_address)


@scenario("a strict source route and a gateway", "B", setup=ALLOWED)
def strict(s):
    for hop in (G1, H1, far("p1", 3), far("p0", 3)):
        for ttl in (64, 2, 1):
            s.send("p0", udp(fresh(), R0, options=padded(srr(SSRR, hop)), ttl=ttl))
            s.send("p0", udp(fresh(), R0, options=padded(srr(LSRR, hop)), ttl=ttl))
        s.send("p0", udp(fresh(), R0, options=padded(srr(SSRR, hop), rr(2))))
        s.send("p0", udp(fresh(), R0, bytes(1450), options=padded(srr(SSRR, hop)), flags=DF))


@scenario("a source route with records of the route and of times", "B", setup=ALLOWED)
def source_route_records(s):
    for route in (srr(LSRR, H1), srr(LSRR, R1, H2), srr(LSRR, R2, R3, G1), srr(SSRR, H3),
                  srr(LSRR, J0), srr(LSRR, H0, far("p2", 3), pointer=8), srr(LSRR, R1, R2),
                  srr(LSRR, H0, H1, pointer=12)):
        for record in (rr(3), rr(0), ts(0, 2), ts(1, 4), ts(3, 4, data=address(R0)), ts(1, 0)):
            for target in (R0, R1):
                s.send("p0", udp(fresh(), target, options=padded(route, record)))
                s.send("p0", udp(fresh(), target, options=padded(record, route), ttl=1))
                s.send("p0", echo(fresh(), target, options=padded(NOP, record, route)))
            s.send("p1", udp(fresh(), R1, options=padded(record, route)))
    s.send("p0", udp(fresh(), R0, options=padded(srr(LSRR, H1), rr(3), ts(1, 2))))


@scenario("a recorded address where another route covers our own", "B",
          setup=ALLOWED + ("addr add 10.0.1.77/24 dev p1", "addr add 10.9.0.1/24 dev p1",
                           "route add 10.0.0.0/16 via 10.0.1.254 src 10.0.1.77",
                           "route add 203.0.113.0/24 via 10.0.1.254 src 10.9.0.1"))
def source_route_covered(s):
    for hop in (H1, G1, "203.0.113.9", "10.0.200.1", "10.0.1.77", far("p1", 1)):
        for target in (R0, R1, R2, "10.9.0.1"):
            s.send("p0", udp(fresh(), target, options=padded(srr(LSRR, hop), rr(3))))
            s.send("p0", udp(fresh(), target, options=padded(srr(LSRR, hop), ts(1, 4))))


@scenario("no redirect for who asked for the way", "B", setup=ALLOWED)
def source_route_redirect(s):
    s.run("route add 203.0.113.0/24 via 10.0.0.254")
    s.send("p0", udp(H0, "203.0.113.1", options=padded(rr(2))))
    s.send("p0", udp(J0, R0, options=padded(srr(LSRR, "203.0.113.1"))))
    s.send("p0", udp(J0, R0, options=padded(srr(LSRR, H0))))
    s.send("p0", udp(J0, "203.0.113.1", options=padded(srr(LSRR, H0, H1))))


@scenario("source routes and source validation", "B",
          setup=ALLOWED + ("sysctl net.ipv4.conf.all.rp_filter=1",))
def source_route_validation(s):
    for sender in (H0, H1, far("p0", 1), far("p1", 1), R1, UNROUTED):
        for hop in (H0, H1, R2, far("p0", 2)):
            s.send("p0", udp(sender, R0, options=padded(srr(LSRR, hop))))


@scenario("source routes without forwarding", "B", sentinel="echo",
          setup=ALLOWED + ("sysctl net.ipv4.ip_forward=0",
                           "sysctl net.ipv4.conf.all.accept_source_route=1"))
def source_route_host(s):
    for options in (padded(srr(LSRR, H1)), padded(srr(SSRR, H1)), padded(srr(LSRR, R1)),
                    padded(srr(LSRR, H1, pointer=8)), padded(rr(2)), padded(option(RR, 1))):
        for target in (R0, H1, UNROUTED):
            s.send("p0", udp(fresh(), target, options=options))
            s.send("p0", echo(fresh(), target, options=options))


@scenario("a source route is answered the way that it came", "B", setup=ALLOWED)
def source_route_echo(s):
    for kind in (LSRR, SSRR):
        for passed in ((H1,), (H1, H2), (J0, H1, H2), (H0, H1, H2, H3), (G1, far("p1", 4)),
                       (UNROUTED,), (far("p3", 1), H0), (R1,), (B1,), (H1, R1), (ALL_HOSTS,)):
            options = padded(srr(kind, *passed, pointer=4 + 4 * len(passed)))
            for sender in (H0, J0, H1, fresh("p2")):
                s.send("p0", echo(sender, R0, options=options))
                s.send("p0", tcp(sender, R0, options=options))
            s.send("p0", icmp(fresh(), R0, 13, data=bytes(12), options=options))
            s.send("p0", udp(fresh(), R0, options=options))
            s.send("p0", ipv4(fresh(), R0, 99, b"12345678", options=options))
    everything = padded(srr(LSRR, H1, H2, pointer=12), rr(2), ts(0, 2), option(RA, 0, 0))
    s.send("p0", echo(fresh(), R0, options=everything))
    s.send("p0", udp(fresh(), R0, options=everything))


@scenario("the quote is shorter by what is echoed", "B, C6",
          setup=UNLIMITED + ("route add 203.0.113.0/25 via 10.0.0.254 mtu 100",
                 "route add 203.0.113.128/25 via 10.0.0.254 mtu 108",
                 "route add 192.0.2.0/24 via 10.0.0.254 mtu 107"))
def quote_size(s):
    for options in (NOP * 40, padded(rr(9)), padded(rr(8)), padded(rr(1)), padded(ts(0, 9))):
        for size in (0, 400, 471, 472, 473, 480, 500, 508, 512, 520, 600, 1400):
            s.send("p0", udp(fresh(), H1, bytes(size), options=options, ttl=1))
            s.send("p0", udp(fresh(), R0, bytes(size), options=options))
        for host in ("203.0.113.1", "203.0.113.129", "192.0.2.1"):
            s.send("p0", udp(host, H1, bytes(50), options=options, ttl=1))


@scenario("errors from the way out show what was done to the options", "B, C",
          setup=UNLIMITED + ("sysctl net.ipv4.conf.all.send_redirects=1",
                 "route add 203.0.113.0/24 via 10.0.2.254 mtu 1000",
                 *(f"neigh add 10.0.0.{host} lladdr {host_mac('p0', host)} dev p0 nud permanent"
                   for host in range(10, 15))))
def errors_on_the_way(s):
    for number, options in enumerate((padded(rr(3)), padded(ts(1, 4)), padded(rr(2), ts(0, 2)),
                                      padded(END, b"x"), NOP * 8)):
        s.send("p0", udp(fresh(), "203.0.113.1", bytes(1200), options=options, flags=DF))
        s.send("p0", udp(fresh(), H2, bytes(1440), options=options, flags=DF))
        # a sender each, as when the same one is told again depends on the time
        s.send("p0", udp(f"10.0.0.{10 + number}", far("p0", 200), options=options))


@scenario("a neighbour that does not answer", "B, I", slow=True, setup=ALLOWED)
def neighbour_failed(s):
    # Linux goes through the options once more then.  No times, as a checksum that was made
    # before the second of them could not be told from a wrong one.
    for index, options in enumerate((
            padded(rr(1)), padded(rr(3)), padded(ts(3, 4, data=address(H0))),
            padded(ts(0, 1, 9, 13)), padded(ts(0, 1, 9, 14)), padded(ts(1, 1, 9, 14)),
            padded(END, b"xyz"), NOP * 4, padded(rr(1, extra=2)), padded(rr(2, extra=1)),
            padded(rr(2), srr(LSRR, "10.0.1.77")))):
        target = R0 if LSRR in options else f"10.0.1.{10 + index}"
        s.start("p0", udp(fresh(), target, options=options))
        s.pause(0.08)
    s.wait(4)


@scenario("our own answer to a neighbour that does not answer", "B, I", slow=True, setup=UNLIMITED)
def neighbour_failed_own(s):
    for index, options in enumerate((padded(rr(3)), padded(ts(1, 6)), padded(rr(1)))):
        s.start("p0", echo(f"10.0.1.{20 + index}", R0, options=options))
        s.pause(0.08)
    s.wait(4)


@scenario("large answers with options leave in pieces", "B, G3", mtu={"p0": 3000, "p2": 1400},
          setup=UNLIMITED)
def answers_in_pieces(s):
    for options in (padded(rr(3)), padded(ts(1, 8)), NOP * 8, padded(rr(1), ts(0, 2))):
        for size in (1300, 1340, 1348, 1352, 1356, 1364, 1372, 1400, 2700, 2900):
            s.send("p0", echo(fresh("p2"), R0, bytes(size), options=options))


def in_pieces(packet_of, options, data, size, src, dst, kinds):
    """A datagram as fragments of so many bytes, each with its own options."""
    whole = packet_of(src, dst, data)
    payload, proto = whole[20:], whole[9]
    ident = struct.unpack_from("!H", whole, 4)[0]
    starts = range(0, len(payload), size)
    return [ipv4(src, dst, proto, payload[at:at + size], id=ident, offset=at // 8,
                 flags=MF if at + size < len(payload) else 0,
                 options=options if index == 0 or kinds == "all" else NOP * len(options)
                 if kinds == "blank" else b"") for index, at in enumerate(starts)]


@scenario("options of datagrams that are put together", "B, E", setup=UNLIMITED)
def reassembled(s):
    ident = 0
    for options in (padded(rr(3)), padded(ts(0, 3)), padded(ts(1, 4)), NOP * 4,
                    padded(END, b"xyz"), padded(rr(1), option(30, 1, 2, 3))):
        for kinds in ("all", "blank", "none"):
            for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)):
                for build in (echo, udp, tcp):
                    ident += 1
                    sender = fresh("p0" if ident % 2 else "p1")

                    def make(src, dst, data):
                        if build is tcp:
                            return tcp(src, dst, SYN, data, id=ident)
                        return build(src, dst, data, id=ident)
                    pieces = in_pieces(make, options, bytes(range(48)), 24, sender, R0, kinds)
                    s.send("p0", *(pieces[i] for i in order if i < len(pieces)))


@scenario("other options in the last fragment than in the first", "B, E", setup=UNLIMITED)
def reassembled_mixed(s):
    for number, (first, last) in enumerate((
            (padded(rr(3)), padded(ts(0, 2))), (padded(NOP, rr(3)), padded(rr(3))),
            (NOP * 8, padded(rr(2))), (b"", padded(rr(2))), (padded(rr(2)), b""))):
        for backwards in (False, True):
            sender, ident = fresh(), 100 + 2 * number + backwards
            whole = udp(sender, R0, bytes(40))[20:]
            pieces = [ipv4(sender, R0, UDP, whole[:24], id=ident, flags=MF, options=first),
                      ipv4(sender, R0, UDP, whole[24:], id=ident, offset=3, options=last)]
            s.send("p0", *(reversed(pieces) if backwards else pieces))


@scenario("a fragment with a wrong option is answered before what comes behind", "B, E",
          setup=UNLIMITED)
def bad_option_in_fragments(s):
    for bad in range(3):
        sender = fresh()
        whole = echo(sender, R0, bytes(64))[20:]
        pieces = [ipv4(sender, R0, ICMP, whole[at:at + 24], id=9, offset=at // 8,
                       flags=MF if at < 48 else 0,
                       options=option(RR, 1, 0) if at == 24 * bad else b"")
                  for at in (0, 24, 48)]
        s.send("p0", echo(sender, R0), *pieces, udp(sender, R0, options=option(RR, 1, 0)),
               echo(sender, R0))
        pieces[bad] = pieces[bad][:20] if bad else pieces[bad]
    sender = fresh()
    whole = echo(sender, R0, bytes(40))[20:]
    s.send("p0", ipv4(sender, R0, ICMP, whole[:24], id=10, flags=MF),
           ipv4(sender, R0, ICMP, whole[24:], id=10, offset=3),
           udp(sender, H1, options=option(RR, 1, 0)))


@scenario("the first fragment's options when the rest does not come", "B, E", slow=True,
          setup=UNLIMITED + ("sysctl net.ipv4.ipfrag_time=1",))
def reassembly_timeout(s):
    for number, options in enumerate((padded(rr(3)), padded(ts(0, 2)), NOP * 4)):
        s.start("p0", ipv4(fresh(), R0, UDP, bytes(24), id=50 + number, flags=MF,
                           options=options))
        s.pause(0.15)
    s.wait(2.2, tolerance=0.3)


@scenario("ICMP messages that are not answered, with options", "B", setup=UNLIMITED)
def not_answered(s):
    wrong = option(RR, 1, 0)
    for kind in (0, 3, 5, 8, 11, 12, 13, 17, 30):
        s.send("p0", icmp(fresh(), R0, kind, data=bytes(24), options=wrong))
        s.send("p0", icmp(fresh(), H1, kind, data=bytes(24), options=wrong))
        s.send("p0", icmp(fresh(), R0, kind, data=bytes(24), options=padded(rr(2))))
    for target in TARGETS:
        s.send("p0", udp(fresh(), target, options=wrong))
        s.send("p0", udp(fresh(), target, options=padded(rr(2))))
        s.send("p0", udp(fresh(), target, options=padded(rr(2)), ttl=1))
        s.send("p0", udp(fresh(), target, options=wrong), dst=BROADCAST_MAC)
    s.send("p0", udp(fresh(), H1, options=wrong, offset=5))
    s.send("p0", udp(fresh(), H1, options=wrong, flags=MF))


@scenario("only so many complaints about options", "B, C7")
def complaint_limit(s):
    s.each("p0", [udp(H0, H1, options=option(RR, 1, 0), id=i) for i in range(9)])


@scenario("forwarded broadcasts record the way", "B",
          setup=ALLOWED + ("sysctl net.ipv4.conf.all.bc_forwarding=1",
                 "sysctl net.ipv4.conf.p0.bc_forwarding=1"))
def broadcast_forwarded(s):
    for options in (padded(rr(3)), padded(ts(1, 4)), padded(srr(LSRR, H1)), option(RR, 1, 0)):
        s.send("p0", udp(fresh(), B1, options=options))


@scenario("errors that a source route leads back to all", "B", setup=ALLOWED)
def source_route_to_all(s):
    for route in (None, "default via 10.0.2.254", "224.0.0.0/3 via 10.0.3.254 mtu 200"):
        if route:
            s.run(f"route add {route}")
        for first in (ALL_HOSTS, "239.1.2.3", EVERYONE):
            for options in (padded(srr(LSRR, first, pointer=8)),
                            padded(srr(LSRR, H1, first, pointer=12), rr(2))):
                s.send("p0", udp(fresh(), H1, bytes(300), options=options, ttl=1))
                s.send("p0", udp(fresh(), H1, options=padded(options, option(RR, 1, 0))))
                s.send("p0", udp(fresh(), R0, options=options))


@scenario("answers whose source route begins with the router itself", "B",
          setup=("sysctl net.ipv4.conf.all.accept_source_route=1",
                 "sysctl net.ipv4.icmp_ratemask=0", "sysctl net.ipv4.conf.all.accept_local=1"))
def answers_by_way_of_lo(s):
    for rp_filter in (0, 1, 2):
        s.run(f"sysctl net.ipv4.conf.all.rp_filter={rp_filter}")
        for hops in ((R1,), (R0,), (R1, R2), (J0, R1), (R1, J3)):
            route = bytes((131, 3 + 4 * len(hops), 4 + 4 * len(hops)))
            route += b"".join(map(address, hops)) + b"\0"
            s.send("p0", echo(H0, R0, options=route))
            s.send("p0", udp(H0, R0, options=route))
            s.send("p3", udp(far("p3", 1), H0, ttl=1, options=route))
            s.send("p0", udp(H0, R0, options=route + bytes((148, 3, 0, 0))))
