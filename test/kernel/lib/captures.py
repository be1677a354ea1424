"""Packets out of captures of other networks, with addresses of this one.

The captures are no part of the project: `MILLRACE_DATA` names the directory above `captures/`,
else it is `../shared/data` beside the source tree. What needs one that is not there is skipped.
"""

import os
import pathlib
import struct

from packet import pcap

from . import packets

_SOURCE = pathlib.Path(__file__).resolve().parents[3]
_DIRECTORY = pathlib.Path(os.environ.get("MILLRACE_DATA",
                                         _SOURCE.parent / "shared/data")) / "captures"
_CHECKSUM_AT = {packets.TCP: 16, packets.UDP: 6}     # of those that cover the addresses


def missing(*names):
    """Why scenarios about these captures can not run, or nothing."""
    absent = [str(_DIRECTORY / name) for name in names if not (_DIRECTORY / name).exists()]
    return f"not there: {', '.join(absent)} (MILLRACE_DATA)" if absent else ""


def ipv4_packets(name, limit=2000):
    """The IPv4 packets among a capture's first frames, with what follows them in the frame."""
    frames = pcap.frames(_DIRECTORY / name)[:limit]
    return [frame[14:] for frame in frames
            if frame[12:14] == b"\x08\x00" and len(frame) >= 34 and frame[14] >> 4 == 4]


def _adjusted(check, old, new):
    """A checksum after some of the words under it changed (RFC 1624): right if it was right, and
    as wrong as before if not."""
    total = check ^ 0xffff
    for before, after in zip(struct.unpack(f"!{len(old) // 2}H", old),
                             struct.unpack(f"!{len(new) // 2}H", new)):
        total += (before ^ 0xffff) + after
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def readdressed(packet, src, dst):
    """The packet from and to others; its checksums are as right or wrong as they were."""
    new = packets.address(src) + packets.address(dst)
    changed = bytearray(packet)
    changed[12:20] = new
    places = [10]
    header = (packet[0] & 15) * 4
    at = header + _CHECKSUM_AT.get(packet[9], 65536)
    offset, = struct.unpack_from("!H", packet, 6)
    if not offset & 0x1fff and at + 2 <= len(packet):
        places.append(at)
    for at in places:
        check, = struct.unpack_from("!H", packet, at)
        if check or at == 10 or packet[9] != packets.UDP:
            struct.pack_into("!H", changed, at, _adjusted(check, packet[12:20], new))
    return bytes(changed)
