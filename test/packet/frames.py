"""Frames to send and frames to expect: bytes, made with scapy.

The network is the same in all tests on captures: port N of the router has the address 10.0.N.1/24
and the Ethernet address `mac(N)`; host H on it is 10.0.N.H with `host_mac(N, H)`.
"""

import struct

from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import ARP, Ether

BROADCAST = "ff:ff:ff:ff:ff:ff"


def mac(port):
    return f"02:00:00:00:00:{port:02x}"


def host_mac(port, host):
    return f"02:00:00:{port:02x}:00:{host:02x}"


def router_address(port):
    return f"10.0.{port}.1"


def address(port, host):
    return f"10.0.{port}.{host}"


def frame(port, packet, host=2):
    """An IP packet, in a frame from a host to the router."""
    return bytes(Ether(dst=mac(port), src=host_mac(port, host)) / packet)


def udp(source, destination, payload=b"", ident=1, **ip):
    return IP(src=source, dst=destination, id=ident, **ip) / UDP(sport=4000, dport=5000) / payload


def echo(source, destination, sequence=1, payload=b"abcdefgh", kind="echo-request", ident=1, **ip):
    return (IP(src=source, dst=destination, id=ident, **ip)
            / ICMP(type=kind, id=77, seq=sequence) / payload)


def arp_request(port, target, host=2):
    return bytes(Ether(dst=BROADCAST, src=host_mac(port, host))
                 / ARP(op=1, hwsrc=host_mac(port, host), psrc=address(port, host),
                       hwdst="00:00:00:00:00:00", pdst=target))


def arp_reply(port, host):
    """What a host answers to the router."""
    return bytes(Ether(dst=mac(port), src=host_mac(port, host))
                 / ARP(op=2, hwsrc=host_mac(port, host), psrc=address(port, host),
                       hwdst=mac(port), pdst=router_address(port)))


def routers_arp_request(port, target):
    return bytes(Ether(dst=BROADCAST, src=mac(port))
                 / ARP(op=1, hwsrc=mac(port), psrc=router_address(port),
                       hwdst="00:00:00:00:00:00", pdst=target))


def routers_arp_reply(port, host):
    return bytes(Ether(dst=host_mac(port, host), src=mac(port))
                 / ARP(op=2, hwsrc=mac(port), psrc=router_address(port),
                       hwdst=host_mac(port, host), pdst=address(port, host)))


def _with_header(sent, header):
    """The frame with another IP header, whose checksum is computed here."""
    header[10:12] = b"\0\0"
    words = sum(struct.unpack(f">{len(header) // 2}H", header))
    words = (words & 0xffff) + (words >> 16)
    words = (words & 0xffff) + (words >> 16)
    header[10:12] = struct.pack(">H", words ^ 0xffff)
    return sent[:14] + bytes(header) + sent[14 + len(header):]


def _header(sent):
    return bytearray(sent[14:14 + (sent[14] & 15) * 4])


def forwarded(sent, port, host=2):
    """What a frame becomes when it leaves by a port: the TTL one less, the checksum computed
    anew, padding gone."""
    total, = struct.unpack_from(">H", sent, 16)
    header = _header(sent)
    header[8] -= 1
    addresses = bytes.fromhex((host_mac(port, host) + mac(port)).replace(":", ""))
    return addresses + _with_header(sent, header)[12:14 + total]


def icmp_error(kind, code, sent, port, host=2, mtu=0):
    """The error about a frame, as it leaves by a port, with an IP ID of 0. At most 576 bytes."""
    total, = struct.unpack_from(">H", sent, 16)
    quoted = sent[14:14 + min(total, 576 - 28)]
    icmp = ICMP(type=kind, code=code, nexthopmtu=mtu) if mtu else ICMP(type=kind, code=code)
    source = ".".join(map(str, sent[26:30]))
    return bytes(Ether(dst=host_mac(port, host), src=mac(port))
                 / IP(src=router_address(port), dst=source, ttl=64, tos=0xc0, id=0)
                 / icmp / quoted)


def tagged(sent):
    """The frame with a priority tag: VLAN 0."""
    return sent[:12] + b"\x81\x00\x60\x00" + sent[12:]


def with_id(sent, ident):
    """An IP frame with another IP ID and the checksum that goes with it."""
    header = _header(sent)
    header[4:6] = struct.pack(">H", ident)
    return _with_header(sent, header)


def without_id(sent):
    """An IP frame with an IP ID of 0, as the router chooses that of its own packets."""
    return with_id(sent, 0)


def is_ip(sent):
    return sent[12:14] == b"\x08\x00"


def with_bad_checksum(sent):
    return sent[:24] + bytes([sent[24] ^ 0x55]) + sent[25:]


def with_destination(sent, destination):
    """A frame with another Ethernet destination."""
    return bytes.fromhex(destination.replace(":", "")) + sent[6:]


def checksum(data):
    """What goes into a zeroed field; 0 over what has the right one."""
    return -int.from_bytes(data + bytes(len(data) % 2), "big") % 0xffff


def echo_request(size):
    """The ICMP message, with so many bytes of data."""
    head = struct.pack("!BBHHH", 8, 0, 0, 7, 7)
    data = bytes(i % 251 for i in range(size))
    return head[:2] + struct.pack("!H", checksum(head + data)) + head[4:] + data


def in_fragments(destination, proto, payload, ident, size):
    """Frames of which each brings so many bytes."""
    return [frame(0, IP(src=address(0, 2), dst=destination, proto=proto, id=ident, frag=at // 8,
                        flags="MF" if at + size < len(payload) else 0) / payload[at:at + size])
            for at in range(0, len(payload), size)]
