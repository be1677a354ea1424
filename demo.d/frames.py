# SPDX-License-Identifier: BSD-3-Clause
"""Frames and capture files in plain Python: made for the demo, and read back."""

import ipaddress
import struct

ETH_IP, ETH_ARP, ETH_IPV6 = 0x0800, 0x0806, 0x86dd
ICMP, TCP, UDP = 1, 6, 17
FIN, SYN, PSH, ACK = 0x01, 0x02, 0x08, 0x10
BROADCAST = "ff:ff:ff:ff:ff:ff"
DF = 0x4000


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def mac_text(data):
    return ":".join(f"{byte:02x}" for byte in data)


def addr_bytes(text):
    return ipaddress.IPv4Address(text).packed


def addr_text(data):
    return str(ipaddress.IPv4Address(data))


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ethernet(dst, src, kind, payload):
    return (mac_bytes(dst) + mac_bytes(src) + struct.pack("!H", kind) + payload).ljust(60, b"\0")


def arp(operation, sender_mac, sender, target_mac, target):
    return struct.pack("!HHBBH", 1, ETH_IP, 6, 4, operation) + \
        mac_bytes(sender_mac) + addr_bytes(sender) + mac_bytes(target_mac) + addr_bytes(target)


def ip(src, dst, protocol, payload, ident, ttl=64, flags=0):
    def header(check):
        return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), ident, flags, ttl,
                           protocol, check, addr_bytes(src), addr_bytes(dst))
    return header(checksum(header(0))) + payload


def _with_pseudo_header(src, dst, protocol, segment, at):
    pseudo = addr_bytes(src) + addr_bytes(dst) + struct.pack("!BBH", 0, protocol, len(segment))
    check = checksum(pseudo + segment) or 0xffff
    return segment[:at] + struct.pack("!H", check) + segment[at + 2:]


def udp(src, dst, sport, dport, data, ident, **header):
    segment = struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data
    return ip(src, dst, UDP, _with_pseudo_header(src, dst, UDP, segment, 6), ident, **header)


def tcp(src, dst, sport, dport, flags, seq, ack, data, ident):
    segment = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, 5 << 4, flags, 64240, 0, 0) + data
    return ip(src, dst, TCP, _with_pseudo_header(src, dst, TCP, segment, 16), ident, flags=DF)


def echo(src, dst, kind, number, sequence, ident):
    data = bytes(range(0x10, 0x48))
    head = struct.pack("!BBHHH", kind, 0, 0, number, sequence)
    message = head[:2] + struct.pack("!H", checksum(head + data)) + head[4:] + data
    return ip(src, dst, ICMP, message, ident)


def write_capture(path, records):
    """records: (seconds since 1970, frame)"""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        for at, frame in records:
            micros = round(at * 1_000_000)
            file.write(struct.pack("<IIII", micros // 1_000_000, micros % 1_000_000,
                                   len(frame), len(frame)) + frame)


def read_capture(path):
    """The frames of a capture; net_pcap writes microseconds or nanoseconds, little-endian here."""
    with open(path, "rb") as file:
        data = file.read()
    frames, at = [], 24
    while at + 16 <= len(data):
        length = struct.unpack_from("=I", data, at + 8)[0]
        frames.append(data[at + 16:at + 16 + length])
        at += 16 + length
    return frames


class Packet:
    """What is in a frame, as far as the demo needs to know it."""

    def __init__(self, frame):
        self.frame = frame
        self.dst_mac, self.src_mac = mac_text(frame[:6]), mac_text(frame[6:12])
        self.kind = struct.unpack_from("!H", frame, 12)[0]
        if self.kind == ETH_ARP:
            self.operation, = struct.unpack_from("!H", frame, 20)
            self.sender, self.target = addr_text(frame[28:32]), addr_text(frame[38:42])
            self.sender_mac = mac_text(frame[22:28])
        elif self.kind == ETH_IP:
            self._ip(frame[14:])

    def _ip(self, data):
        (self.length, self.ident, self.ttl, self.protocol) = struct.unpack_from("!2xHH2xBB", data)
        self.src, self.dst = addr_text(data[12:16]), addr_text(data[16:20])
        self.padding = len(self.frame) - 14 - self.length
        self.payload = data[(data[0] & 15) * 4:self.length]
        if self.protocol == ICMP:
            self.icmp, self.code = self.payload[:2]
            self.echo_id = self.payload[4:8]
            self.info = struct.unpack_from("!I", self.payload, 4)[0]
            if self.icmp in (3, 5, 11, 12):
                quoted = self.payload[8:]
                self.quoted = (addr_text(quoted[12:16]), addr_text(quoted[16:20]), quoted[9],
                               struct.unpack_from("!H", quoted, 4)[0])

    @property
    def key(self):
        """What stays the same when it is forwarded, and is quoted when it is not."""
        return self.src, self.dst, self.protocol, self.ident
