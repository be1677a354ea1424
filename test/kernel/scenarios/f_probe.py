"""PROBE (RFC 8335): is a link up? Asked by its name, its number, or an address of it."""

import struct

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario

ON = ("sysctl net.ipv4.icmp_echo_enable_probe=1",)
NAME, INDEX, ADDRESS = 1, 2, 3


def request(query, dst=R0, src=H0, *, sequence=1, code=0, type=42, **fields):
    return icmp(src, dst, type, code, struct.pack("!HH", 7, sequence), query, **fields)


def query(kind, ident, *, length=None, extension=b"\x20\0\0\0", class_num=3):
    return extension + struct.pack("!HBB", 4 + len(ident) if length is None else length,
                                   class_num, kind) + ident


def by_address(text, *, afi=1, length=None):
    ident = address(text)
    return query(ADDRESS, struct.pack("!HBB", afi, len(ident) if length is None else length, 0)
                 + ident)


@scenario("by name, number and address", "F PROBE", setup=ON + ("addr add 10.9.9.1/32 dev lo",))
def named(s):
    for name in ("lo", "p0", "p1", "p9", "P0", "", "p0\0", "p0\0\0", "p0\0x", "p0 ", "x" * 15,
                 "x" * 16, "x" * 17):
        s.send("p0", request(query(NAME, name.encode())))
    for index in (*range(7), 100, 1 << 31, (1 << 32) - 1):
        s.send("p0", request(query(INDEX, struct.pack("!I", index))))
    for dst in (R0, R1, R3, "10.9.9.1", "127.0.0.1", "127.9.9.9", H0, B0, N0, EVERYONE, "0.0.0.0",
                ALL_HOSTS, UNROUTED):
        s.send("p0", request(by_address(dst)))


@scenario("links that are down, and without address", "F PROBE", setup=ON)
def states(s):
    for commands in (("link set p1 down",), ("addr del 10.0.2.1/24 dev p2",), ("link set p1 up",),
                     ("addr add 10.0.2.1/24 dev p2",)):
        s.run(*commands)
        s.sentinel = "echo"
        for port in ("p1", "p2"):
            s.start("p0", request(query(NAME, port.encode())))
            s.wait(0.1)
            s.start("p0", request(by_address(f"10.0.{port[1]}.1")))
            s.wait(0.1)
        s.sentinel = None


@scenario("malformed, and what else there may be", "F PROBE", setup=ON)
def malformed(s):
    whole = query(INDEX, struct.pack("!I", 2))
    for size in range(len(whole) + 1):
        s.send("p0", request(whole[:size]))
    for length in (0, 3, 4, 5, 7, 8, 9, 12, 24, 25, 65535):
        s.send("p0", request(query(INDEX, struct.pack("!I", 2) + bytes(24), length=length)))
        s.send("p0", request(query(NAME, b"p0" + bytes(30), length=length)))
        s.send("p0", request(query(ADDRESS, struct.pack("!HBB", 1, 4, 0) + address(R0) + bytes(24),
                                   length=length)))
    for kind in (0, 4, 255):
        s.send("p0", request(query(kind, struct.pack("!I", 2))))
    for afi in (0, 1, 2, 3, 256):
        for length in (0, 3, 4, 5, 16):
            s.send("p0", request(by_address(R0, afi=afi, length=length)))
    s.send("p0", request(query(ADDRESS, struct.pack("!HBB", 2, 16, 0) + bytes(15) + b"\1")))
    s.send("p0", request(query(ADDRESS, b"\0\1\4")))
    for extension in (bytes(4), b"\xff\xff\xff\xff", b"\x20\0\x12\x34"):
        s.send("p0", request(query(INDEX, struct.pack("!I", 2), extension=extension)))
    s.send("p0", request(query(INDEX, struct.pack("!I", 2), class_num=9)))
    s.send("p0", request(whole + b"and more"))


@scenario("sequence, code and the rest of a request", "F PROBE", setup=ON)
def fields(s):
    whole = query(INDEX, struct.pack("!I", 2))
    for sequence in (0, 1, 2, 3, 0x100, 0x101, 0x1fe, 0xffff):
        s.send("p0", request(whole, sequence=sequence))
    for code in (0, 1, 4, 255):
        s.send("p0", request(whole, code=code, tos=0xff))
        s.send("p0", request(whole, code=code, type=43))
    for dst in (R1, B0, B1, EVERYONE, ALL_HOSTS):
        s.send("p0", request(whole, dst))
        s.send("p0", request(whole, dst), dst=BROADCAST_MAC)
    for src in (H1, UNROUTED, far("p2", 1), B0):
        s.send("p0", request(whole, src=src))
    s.send("p0", request(whole, options=b"\7\7\4\0\0\0\0\0"))
    s.send("p0", request(whole, icmp_check=1))
    s.each("p0", [request(whole) for _ in range(10)])


@scenario("switched off, and with all echoes", "F PROBE")
def off(s):
    whole = query(INDEX, struct.pack("!I", 2))
    s.send("p0", request(whole), request(whole, B0), request(b""))
    s.run(*ON, "sysctl net.ipv4.icmp_echo_ignore_all=1")
    s.send("p0", request(whole))
    s.run("sysctl net.ipv4.icmp_echo_ignore_all=0",
          "sysctl net.ipv4.icmp_echo_ignore_broadcasts=1")
    s.send("p0", request(whole, EVERYONE), dst=BROADCAST_MAC)


@scenario("in fragments", "F PROBE", setup=ON)
def in_fragments(s):
    message = request(query(NAME, b"p1"))[20:]
    s.send("p0", ipv4(H0, R0, ICMP, message[8:], offset=1),
           ipv4(H0, R0, ICMP, message[:8], flags=MF))
