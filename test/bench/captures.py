"""Frames and capture files of the benchmarks: bytes, made without scapy, which is slow."""

import struct

ROUTER_MAC = bytes.fromhex("020000000001")
HOST_MAC = bytes.fromhex("020000000002")
ROUTER, HOST = bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))
MORE = 0x2000
ICMP, IGMP, UDP = 1, 2, 17
_MINIMUM = 60


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ipv4(source, destination, protocol, payload, ident=0, fragment=0, ttl=64, options=b""):
    """A frame to the router, padded as Ethernet's are; `fragment` is the word of flags and
    offset, `options` fill words."""
    size = 20 + len(options)
    head = struct.pack("!BBHHHBBH4s4s", 0x40 | size // 4, 0, size + len(payload), ident & 0xffff,
                       fragment, ttl, protocol, 0, source, destination) + options
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return (ROUTER_MAC + HOST_MAC + b"\x08\x00" + head + payload).ljust(_MINIMUM, b"\0")


def udp(destination, number, size=18, **header):
    """A UDP packet with so many bytes of data."""
    return ipv4(HOST, destination, UDP, struct.pack("!HHHH", 1000, 2000, 8 + size, 0)
                + bytes(size), number, **header)


def ping(destination, number):
    message = struct.pack("!BBHHH", 8, 0, 0, 1, number & 0xffff) + bytes(16)
    return ipv4(HOST, destination, ICMP,
                message[:2] + struct.pack("!H", checksum(message)) + message[4:], number)


def write(path, frames):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for data in frames:
            file.write(struct.pack("<IIII", 0, 0, len(data), len(data)) + data)
