"""Frames made readable: a line that says what one is, and the name of the field at an offset."""

import socket
import struct

_ETHERTYPES = {0x0800: "IPv4", 0x0806: "ARP", 0x86dd: "IPv6", 0x8100: "VLAN"}
_TCP_FLAGS = "FSRPAUEC"

_ETHERNET = ((6, "eth.dst"), (6, "eth.src"), (2, "eth.type"))
_IPV4 = ((1, "ip.version/ihl"), (1, "ip.tos"), (2, "ip.length"), (2, "ip.id"),
         (2, "ip.flags/offset"), (1, "ip.ttl"), (1, "ip.protocol"), (2, "ip.checksum"),
         (4, "ip.src"), (4, "ip.dst"))
_UPPER = {
    1: ((1, "icmp.type"), (1, "icmp.code"), (2, "icmp.checksum"), (4, "icmp.rest")),
    6: ((2, "tcp.sport"), (2, "tcp.dport"), (4, "tcp.seq"), (4, "tcp.ack"),
        (1, "tcp.offset"), (1, "tcp.flags"), (2, "tcp.window"), (2, "tcp.checksum"),
        (2, "tcp.urgent")),
    17: ((2, "udp.sport"), (2, "udp.dport"), (2, "udp.length"), (2, "udp.checksum")),
}
_ARP = ((2, "arp.hrd"), (2, "arp.pro"), (1, "arp.hln"), (1, "arp.pln"), (2, "arp.op"),
        (6, "arp.sender_mac"), (4, "arp.sender_ip"), (6, "arp.target_mac"),
        (4, "arp.target_ip"))
_ICMP_QUOTING = (3, 4, 5, 11, 12)


def mac_text(raw):
    return ":".join(f"{byte:02x}" for byte in raw)


def _ip_fields(packet, prefix):
    """(length, name) of every field of an IPv4 packet, quoted packets inside it included."""
    for length, name in _IPV4:
        yield length, prefix + name
    if len(packet) < 20:
        return
    header_bytes = (packet[0] & 15) * 4
    if header_bytes > 20:
        yield header_bytes - 20, prefix + "ip.options"
    upper = packet[header_bytes:]
    used = 0
    if not struct.unpack_from("!H", packet, 6)[0] & 0x1fff:
        for length, name in _UPPER.get(packet[9], ()):
            yield length, prefix + name
            used += length
        if packet[9] == 1 and upper[:1] and upper[0] in _ICMP_QUOTING:
            yield from _ip_fields(upper[8:], prefix + "quoted ")
            return
    yield max(0, len(upper) - used), prefix + "payload"


def field_at(frame, offset):
    ethertype = struct.unpack_from("!H", frame, 12)[0] if len(frame) >= 14 else 0
    fields = list(_ETHERNET)
    if ethertype == 0x0800:
        fields += _ip_fields(frame[14:], "")
    elif ethertype == 0x0806:
        fields += _ARP
    start = 0
    for length, name in fields:
        if start <= offset < start + length:
            return name
        start += length
    return "padding"


def _upper_summary(protocol, upper):
    if protocol == 1 and len(upper) >= 8:
        text = f"ICMP {upper[0]}/{upper[1]} rest {upper[4:8].hex()}"
        if upper[0] in _ICMP_QUOTING and len(upper) >= 28:
            text += f" ({len(upper) - 8} bytes quoted: {_ip_summary(upper[8:])})"
        return text
    if protocol == 6 and len(upper) >= 20:
        sport, dport, seq, ack = struct.unpack_from("!HHII", upper)
        flags = "".join(c for i, c in enumerate(_TCP_FLAGS) if upper[13] >> i & 1)
        return f"TCP {sport}>{dport} {flags} seq {seq} ack {ack}"
    if protocol == 17 and len(upper) >= 8:
        return "UDP {}>{} len {} sum {:04x}".format(*struct.unpack_from("!HHHH", upper))
    return f"protocol {protocol}"


def _ip_summary(packet):
    if len(packet) < 20:
        return f"short IPv4 of {len(packet)} bytes"
    tos, length, ident, fragment, ttl, protocol, check, src, dst = struct.unpack_from(
        "!xBHHHBBH4s4s", packet)
    text = f"{socket.inet_ntoa(src)} > {socket.inet_ntoa(dst)} ttl {ttl} len {length}"
    text += f" tos {tos:02x} id {ident:04x} sum {check:04x}"
    if packet[0] != 0x45:
        text += f" version/ihl {packet[0]:02x}"
    text += " DF" * (fragment >> 14 & 1) + " MF" * (fragment >> 13 & 1)
    text += " reserved" * (fragment >> 15 & 1)
    if fragment & 0x1fff:
        return text + f" offset {(fragment & 0x1fff) * 8} protocol {protocol}"
    return text + " " + _upper_summary(protocol, packet[(packet[0] & 15) * 4:])


def summary(frame):
    if len(frame) < 14:
        return f"short frame of {len(frame)} bytes"
    ethertype = struct.unpack_from("!H", frame, 12)[0]
    text = f"{mac_text(frame[6:12])} > {mac_text(frame[:6])} "
    if ethertype == 0x0800:
        return text + _ip_summary(frame[14:])
    if ethertype == 0x0806 and len(frame) >= 42:
        operation, sender_mac, sender, target_mac, target = struct.unpack_from(
            "!H6s4s6s4s", frame, 20)
        return (text + f"ARP op {operation} {socket.inet_ntoa(sender)} at {mac_text(sender_mac)}"
                f" asks/tells {socket.inet_ntoa(target)} at {mac_text(target_mac)}")
    return text + _ETHERTYPES.get(ethertype, f"type {ethertype:04x}") + f" {len(frame)} bytes"


def hexdump(data, indent="    "):
    return "\n".join(f"{indent}{i:04x}  {data[i:i + 16].hex(' ')}"
                     for i in range(0, len(data), 16))
