"""Rule B, densely: every length and pointer of every option, alone and together, at random."""

import itertools
import random

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario
from scenarios.b_options import (ALLOWED, END, LSRR, NOP, RA, RR, SSRR, TARGETS, TS,
                                 UNLIMITED, option, padded, rr, srr, ts)

WAYS = tuple(f"route add 10.{64 + n}.0.0/16 via 10.0.{n}.254" for n in range(4))
LENGTHS = (*range(0, 14), 15, 16, 19, 20, 23, 24, 27, 35, 36, 37, 38, 39, 40, 41, 255)
POINTERS = (*range(0, 14), 16, 17, 20, 21, 24, 35, 36, 37, 38, 39, 40, 41, 128, 252, 255)
_senders = itertools.count()


def sender(port="p0"):
    """An address that nobody else has."""
    host = next(_senders) % 65000
    return f"10.{64 + int(port[1:])}.{host >> 8}.{host & 255}"


def option_bytes(kind, length, pointer, flag=0, room=40, fill=None):
    """An option of such a length, true or not, in a list that has so many bytes in all."""
    body = bytes((kind, length, pointer))
    if kind == TS:
        body += bytes((flag,))
    body += fill or b""
    return (body + bytes(room))[:room]


def seen_from_all_sides(port, options):
    """Forwarded, too old, for the router, without a way."""
    for make in (lambda a: udp(a, H1, options=options),
                 lambda a: udp(a, H1, options=options, ttl=1),
                 lambda a: echo(a, R0, options=options),
                 lambda a: udp(a, R1, options=options),
                 lambda a: udp(a, UNROUTED, options=options)):
        yield make(sender(port))


def matrix(kind, flags=(0,), room=(40, 8)):
    for flag in flags:
        for length, pointer, size in itertools.product(LENGTHS, POINTERS, room):
            hops = address(R0) + address(H1) + address(R1)
            fill = hops if flag & 1 or kind in (LSRR, SSRR) else b""
            yield option_bytes(kind, length, pointer, flag, size, fill)


for kind, name, flags in ((RR, "record route", (0,)), (LSRR, "loose source route", (0,)),
                          (SSRR, "strict source route", (0,)), (RA, "router alert", (0,)),
                          *((TS, f"timestamps of kind {flag & 15}, overflow {flag >> 4}", (flag,))
                            for flag in (0, 1, 2, 3, 0xf0, 0xe1, 0xf3, 0xf1))):
    for setting in ("off", "on"):
        if setting == "on" and kind not in (LSRR, SSRR):
            continue

        accepted = setting == "on"

        @scenario(f"every length and pointer: {name}" + ", if accepted" * accepted, "B",
                  setup=(ALLOWED if accepted else UNLIMITED) + WAYS)
        def every(s, kind=kind, flags=flags):
            s.batches("p0", (packet for options in matrix(kind, flags)
                             for packet in seen_from_all_sides("p0", options)))


def random_option(rng):
    kind = rng.choice((RR, RR, TS, TS, TS, LSRR, SSRR, RA, NOP[0], 0, 30, 134, 136, 130))
    if kind < 2:
        return bytes((kind,))
    hop = lambda: address(rng.choice(TARGETS + (R1, R2, H2, H0, J0, G2, "0.0.0.0", "127.0.0.1")))
    slots = rng.choice((0, 1, 1, 2, 2, 3, 4, 8))
    at = rng.choice((0, 0, 0, 1, slots, slots, slots + 1, max(0, slots - 1)))
    if kind == TS:
        flag = rng.choice((0, 1, 3, 3, 0, 1, 2, 5))
        words = b"".join(hop() + bytes(4) if flag == 3 else hop() for _ in range(slots))[:36]
        made = bytes((kind, 4 + len(words), 5 + 4 * at * (2 if flag & 1 else 1),
                      rng.choice((0, 0, 1, 14, 15)) << 4 | flag)) + words
    elif kind == RA:
        made = bytes((kind, 4, rng.choice((0, 0, 255)), rng.choice((0, 0, 1))))
    elif kind in (RR, LSRR, SSRR):
        made = bytes((kind, 3 + 4 * slots, 4 + 4 * at)) + b"".join(hop() for _ in range(slots))
    else:
        made = bytes((kind, 2 + slots)) + rng.randbytes(slots)
    if rng.random() < 0.08:
        spoilt = bytearray(made)
        spoilt[rng.randrange(1, len(made))] = rng.choice((0, 1, 2, 3, 4, 5, 255,
                                                          rng.randrange(256)))
        made = bytes(spoilt)
    return made


def random_options(rng):
    found = b""
    while not found or (len(found) < 40 and rng.random() < 0.7):
        more = random_option(rng)
        if len(found) + len(more) > 40:
            break
        found += more
    found = found[:40]
    return found + rng.choice((END, NOP)) * (-len(found) % 4)


def leads_astray(options):
    """Whether some four bytes are an address on a link that has no neighbour."""
    return any(options[at:at + 2] == b"\x0a\0" and options[at + 2] < 4
               and options[at + 3] not in (1, 2, 3, 254, 255) for at in range(len(options) - 3))


def random_packets(rng, count, port, shunned=()):
    """Shunned are hops that no source route may have."""
    for _ in range(count):
        options = random_options(rng)
        while leads_astray(options) or any(address(hop) in options for hop in shunned):
            options = random_options(rng)
        src = rng.choice((sender(port), sender(port), sender("p2"), sender("p3"), R1, B0))
        dst = rng.choice(TARGETS + (R0, R0, R1, R2, H1, H1, H2, J3))
        if src in (R1, B0):         # whose limit of route errors does not last
            dst = rng.choice((R0, R1, H1, far("p1", 9)))
            options = padded(rr(rng.randrange(4), 4 + 4 * rng.randrange(4)),
                             ts(rng.randrange(2), 4))
        extra = {"options": options, "ttl": rng.choice((64, 64, 2, 1)),
                 "tos": rng.choice((0, 0, 0x1e))}
        size = rng.choice((0, 8, 8, 60, 500, 600, 1330, 1400))
        if rng.random() < 0.4:
            extra["flags"] = DF
        kind = rng.randrange(6)
        if kind < 2:
            yield udp(src, dst, bytes(size), **extra)
        elif kind == 2:
            yield echo(src, dst, bytes(size), **extra)
        elif kind == 3:
            yield tcp(src, dst, rng.choice((SYN, ACK, RST)), bytes(min(size, 1300)), **extra)
        elif kind == 4:
            yield icmp(src, dst, rng.choice((0, 3, 5, 8, 11, 13, 13, 17)), data=bytes(size),
                       **extra)
        else:
            yield ipv4(src, dst, rng.choice((99, 2, 253)), bytes(size), **extra)


SETTINGS = {
    "as ever": (),
    "accepted": ("sysctl net.ipv4.conf.all.accept_source_route=1",),
    "accepted, checked": ("sysctl net.ipv4.conf.all.accept_source_route=1",
                          "sysctl net.ipv4.conf.all.rp_filter=1"),
    "accepted, local": ("sysctl net.ipv4.conf.all.accept_source_route=1",
                        "sysctl net.ipv4.conf.all.accept_local=1",
                        "sysctl net.ipv4.conf.all.route_localnet=1"),
    "inbound": ("sysctl net.ipv4.icmp_errors_use_inbound_ifaddr=1",
                "sysctl net.ipv4.icmp_echo_ignore_broadcasts=0",
                "sysctl net.ipv4.conf.all.bc_forwarding=1",
                "sysctl net.ipv4.conf.p0.bc_forwarding=1"),
    "whole": ("sysctl net.millrace.defrag=1", "sysctl net.ipv4.conf.all.accept_source_route=1"),
}
for number, (name, settings) in enumerate(SETTINGS.items()):
    way_out = ("route add default via 10.0.3.254",) if number % 2 else ()

    @scenario(f"many options together, at random: {name}", "B",
              setup=UNLIMITED + WAYS + settings + way_out + (
                  "sysctl net.ipv4.conf.all.send_redirects=0",
                  "sysctl net.ipv4.conf.p0.send_redirects=0",
                  "sysctl net.ipv4.conf.p1.send_redirects=0"))
    def together(s, number=number, name=name):
        rng = random.Random(1000 + number)
        # What goes by lo comes from the router itself, whose route errors are limited in number.
        shunned = (UNREACHABLE, PROHIBITED) if "local" in name else ()
        s.batches("p0", random_packets(rng, 1500, "p0", shunned), 1)
        s.batches("p1", random_packets(rng, 500, "p1", shunned), 1)
