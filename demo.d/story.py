# SPDX-License-Identifier: BSD-3-Clause
"""What happens in the demo: some twenty seconds on two networks, as the router's ports see it.

The clocks of the two captures are one clock: answers come a moment after what they answer. Every
packet has an IP ID of its own, by which it is found again in what comes out.
"""

import dataclasses
import itertools

from frames import (ACK, BROADCAST, DF, ETH_ARP, ETH_IP, ETH_IPV6, FIN, PSH, SYN, arp, echo,
                    ethernet, tcp, udp)

BEGIN = 1767607200                  # 2026-01-05 10:00:00 UTC

PORTS = {"p0": "02:00:00:00:01:01", "p1": "02:00:00:00:02:01"}
ROUTER = {"p0": "10.1.0.1", "p1": "10.2.0.1"}

ANNA, ANNA_MAC = "10.1.0.10", "02:00:00:00:01:0a"
BERT, BERT_MAC = "10.2.0.20", "02:00:00:00:02:14"
SILENT = "10.2.0.30"                # in p1's network, but never answers
GATEWAY_MAC = "02:00:00:00:02:fe"   # 10.2.0.254, the way to the rest of the world
WEB = "198.51.100.7"                # behind the gateway
HOLE = "203.0.113.9"                # in a blackholed network
NOWHERE = "192.0.2.99"              # in no network that there is a route to
NOBODY = "00:00:00:00:00:00"

PICTURE = """\
        anna                       millrace                        bert
     10.1.0.10 ---- 10.1.0.1 [p0]            [p1] 10.2.0.1 ---+-- 10.2.0.20
                                                   MTU 1400   |
                                                              +-- 10.2.0.30 (is switched off)
                                                              |
                                                              +-- 10.2.0.254, gateway to
                                                                  198.51.100.0/24
     203.0.113.0/24 is a blackhole; to everywhere else there is no route.
"""


@dataclasses.dataclass
class Event:
    at: float
    port: str
    text: str
    frame: bytes
    reason: str = None              # of being dropped, as far as no answer tells it


def _events():
    ident = itertools.count(0x1001)

    def anna(at, text, packet, reason=None):
        return Event(at, "p0", text, ethernet(PORTS["p0"], ANNA_MAC, ETH_IP, packet), reason)

    def from_p1(at, text, packet, mac=BERT_MAC):
        return Event(at, "p1", text, ethernet(PORTS["p1"], mac, ETH_IP, packet))

    def to_web(at, text, flags, seq, ack, data=b""):
        return anna(at, text, tcp(ANNA, WEB, 40122, 80, flags, seq, ack, data, next(ident)))

    def of_web(at, text, flags, seq, ack, data=b""):
        return from_p1(at, text, tcp(WEB, ANNA, 80, 40122, flags, seq, ack, data, next(ident)),
                       GATEWAY_MAC)

    request = b"GET / HTTP/1.1\r\nHost: 198.51.100.7\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nHello\n"

    yield Event(0.0, "p0", "ARP: anna asks who has 10.1.0.1",
                ethernet(BROADCAST, ANNA_MAC, ETH_ARP,
                         arp(1, ANNA_MAC, ANNA, NOBODY, ROUTER["p0"])))
    yield anna(0.0004, "ping: anna to the router", echo(ANNA, ROUTER["p0"], 8, 7, 1, next(ident)))
    yield anna(0.0200, "ping: anna to bert", echo(ANNA, BERT, 8, 8, 1, next(ident)))
    yield Event(0.0203, "p1", "ARP: bert answers",
                ethernet(PORTS["p1"], BERT_MAC, ETH_ARP,
                         arp(2, BERT_MAC, BERT, PORTS["p1"], ROUTER["p1"])))
    yield from_p1(0.0206, "ping: bert answers anna", echo(BERT, ANNA, 0, 8, 1, next(ident)))

    for number in range(3):
        at = 1.0 + number * 0.02
        yield anna(at, "UDP: anna to bert, port 5000",
                   udp(ANNA, BERT, 40001, 5000, b"question %d" % number, next(ident)))
        yield from_p1(at + 0.0007, "UDP: bert answers",
                      udp(BERT, ANNA, 5000, 40001, b"answer %d" % number, next(ident)))

    yield to_web(2.0, "TCP: anna to the web server, SYN", SYN, 1000, 0)
    yield of_web(2.0121, "TCP: web server, SYN ACK", SYN | ACK, 9000, 1001)
    yield to_web(2.0123, "TCP: anna, ACK", ACK, 1001, 9001)
    yield to_web(2.0125, "TCP: anna, her request", PSH | ACK, 1001, 9001, request)
    yield of_web(2.0250, "TCP: web server, its answer", PSH | ACK, 9001, 1001 + len(request),
                 answer)
    yield to_web(2.0252, "TCP: anna, FIN", FIN | ACK, 1001 + len(request), 9001 + len(answer))
    yield of_web(2.0371, "TCP: web server, FIN", FIN | ACK, 9001 + len(answer),
                 1002 + len(request))
    yield to_web(2.0373, "TCP: anna, ACK", ACK, 1002 + len(request), 9002 + len(answer))

    yield anna(3.0, "UDP: one byte, frame filled up",
               udp(ANNA, BERT, 40001, 5000, b"x", next(ident)))
    yield anna(4.0, "UDP: to bert, TTL 1",
               udp(ANNA, BERT, 40002, 33434, b"how far?", next(ident), ttl=1))
    yield Event(5.0210, "p0", "ARP: anna is still there",
                ethernet(PORTS["p0"], ANNA_MAC, ETH_ARP,
                         arp(2, ANNA_MAC, ANNA, PORTS["p0"], ROUTER["p0"])))
    yield anna(6.0, "UDP: to a port of the router's",
               udp(ANNA, ROUTER["p0"], 40002, 33435, b"here?", next(ident)))
    yield anna(8.0, "UDP: to 192.0.2.99",
               udp(ANNA, NOWHERE, 40003, 53, b"anyone?", next(ident)))
    yield anna(9.0, "UDP: to bert, 1500 bytes and DF",
               udp(ANNA, BERT, 40001, 5000, bytes(1472), next(ident), flags=DF))
    yield anna(9.2, "UDP: to bert, 1500 bytes",
               udp(ANNA, BERT, 40001, 5000, bytes(1472), next(ident)))
    damaged = bytearray(udp(ANNA, BERT, 40001, 5000, b"damaged", next(ident)))
    damaged[10] ^= 0xff
    yield anna(9.5, "UDP: to bert, IP checksum wrong", bytes(damaged), "IP_CSUM")
    yield anna(9.6, "UDP: to 203.0.113.9",
               udp(ANNA, HOLE, 40003, 9, b"lost", next(ident)), "IP_BLACKHOLE")
    yield anna(9.7, "UDP: to bert, forged 10.2.0.1",
               udp(ROUTER["p1"], BERT, 40003, 9, b"forged", next(ident)), "IP_LOCAL_SOURCE")
    yield Event(9.8, "p0", "UDP: in a frame for another host",
                ethernet("02:00:00:00:01:99", ANNA_MAC, ETH_IP,
                         udp(ANNA, BERT, 40003, 9, b"not yours", next(ident))), "OTHERHOST")
    yield Event(9.9, "p0", "IPv6",
                ethernet("33:33:00:00:00:01", ANNA_MAC, ETH_IPV6,
                         bytes([0x60, 0, 0, 0, 0, 0, 59, 255]) + bytes(32)), "UNHANDLED_PROTO")
    yield anna(10.0, "UDP: to 10.2.0.30",
               udp(ANNA, SILENT, 40001, 5000, b"hello?", next(ident)))
    yield anna(14.0, "ping: anna to bert", echo(ANNA, BERT, 8, 9, 1, next(ident)))
    yield from_p1(14.0003, "ping: bert answers anna", echo(BERT, ANNA, 0, 9, 1, next(ident)))


def events():
    story = list(_events())
    for event in story:
        if "filled up" in event.text:           # padding that must not go any further
            used = 14 + 20 + 8 + 1
            event.frame = event.frame[:used] + bytes([0x11]) * (len(event.frame) - used)
    return story
