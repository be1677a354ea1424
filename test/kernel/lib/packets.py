"""Builders for frames, right or wrong in any field.

Each returns bytes; a keyword sets the field of that name to the given value, fitting or not, and
what is not given is computed.  Functions named for an upper protocol return a whole IPv4 packet
and pass keywords they don't know on to `ipv4`.
"""

import functools
import socket
import struct

ETH_IP, ETH_ARP = 0x0800, 0x0806
ICMP, IGMP, TCP, UDP = 1, 2, 6, 17
DF, MF, RESERVED = 0x4000, 0x2000, 0x8000
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32


class Frame(bytes):
    """A complete Ethernet frame, in contrast to plain bytes, which are an IPv4 packet."""


@functools.lru_cache(maxsize=None)
def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def address(value):
    return value if isinstance(value, bytes) else socket.inet_aton(value)


def checksum(data):
    """The Internet checksum: what goes into a zeroed field."""
    if len(data) % 2:
        data += b"\0"
    total = int.from_bytes(data, "big")
    if total == 0:
        return 0xffff
    return 0xffff - (total % 0xffff or 0xffff)


def ethernet(dst, src, ethertype, payload):
    return Frame(mac(dst) + mac(src) + struct.pack("!H", ethertype) + payload)


def ipv4(src, dst, proto=UDP, payload=b"", *, tos=0, id=0x1234, flags=0, offset=0, ttl=64,
         version=4, ihl=None, length=None, check=None, options=b""):
    """`offset` counts 8-byte units as on the wire; `flags` is DF, MF, RESERVED or a sum."""
    header_bytes = 20 + len(options)
    ihl = header_bytes // 4 if ihl is None else ihl
    length = header_bytes + len(payload) if length is None else length
    header = struct.pack("!BBHHHBBH4s4s", version << 4 | ihl, tos, length & 0xffff, id,
                         flags | offset, ttl, proto, 0, address(src), address(dst)) + options
    check = checksum(header) if check is None else check
    return header[:10] + struct.pack("!H", check) + header[12:] + payload


def pseudo_header(src, dst, proto, length):
    return address(src) + address(dst) + struct.pack("!BBH", 0, proto, length)


def udp(src, dst, data=b"millrace", *, sport=4000, dport=5000, udp_length=None, udp_check=None,
        **ip_fields):
    length = 8 + len(data) if udp_length is None else udp_length
    header = struct.pack("!HHHH", sport, dport, length, 0)
    if udp_check is None:
        udp_check = checksum(pseudo_header(src, dst, UDP, length) + header + data) or 0xffff
    return ipv4(src, dst, UDP, header[:6] + struct.pack("!H", udp_check) + data, **ip_fields)


def icmp(src, dst, type, code=0, rest=b"\0\0\0\0", data=b"", *, icmp_check=None, **ip_fields):
    """`rest` is the second word of the header."""
    message = struct.pack("!BBH", type, code, 0) + rest + data
    icmp_check = checksum(message) if icmp_check is None else icmp_check
    return ipv4(src, dst, ICMP, message[:2] + struct.pack("!H", icmp_check) + message[4:],
                **ip_fields)


def echo(src, dst, data=b"abcdefgh", *, ident=7, sequence=1, **fields):
    return icmp(src, dst, 8, rest=struct.pack("!HH", ident, sequence), data=data, **fields)


def tcp(src, dst, tcp_flags=SYN, data=b"", *, sport=4000, dport=80, seq=1000, ack=0, window=8192,
        tcp_offset=None, tcp_check=None, tcp_options=b"", **ip_fields):
    offset = 5 + len(tcp_options) // 4 if tcp_offset is None else tcp_offset
    segment = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, offset << 4, tcp_flags, window,
                          0, 0) + tcp_options + data
    if tcp_check is None:
        tcp_check = checksum(pseudo_header(src, dst, TCP, len(segment)) + segment)
    return ipv4(src, dst, TCP, segment[:16] + struct.pack("!H", tcp_check) + segment[18:],
                **ip_fields)


def arp(operation, sender_mac, sender, target_mac, target, *, dst, src=None, hrd=1, pro=ETH_IP,
        hln=6, pln=4):
    """A whole frame; `dst` is its Ethernet destination."""
    body = struct.pack("!HHBBH", hrd, pro, hln, pln, operation) + mac(sender_mac)
    body += address(sender) + mac(target_mac) + address(target)
    return ethernet(dst, src or sender_mac, ETH_ARP, body)
