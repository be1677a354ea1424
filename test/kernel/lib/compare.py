"""Are two frames the same?  What may differ, and how a difference is told.

Only these may differ, as they do between two Linux routers:
  - the IP ID of a packet the router itself made (a counter with a random part), but not with DF
    set and an ID of zero, which is a rule (G1);
  - the times in an ICMP timestamp reply or an IP timestamp option, if they are the present time,
    or of late, as some packets are held for a while;
  - the identifier of an echo request that the router itself made;
  - zero bytes that pad a frame to Ethernet's minimum.
"""

import ipaddress
import struct
import time

from . import decode, packets

_ETHERNET_MINIMUM = 60
_CLOCK_TOLERANCE_MS = 2000
_HELD_MS = 10_000
_DAY_MS = 86_400_000
_ECHO, _TIMESTAMP_REPLY = 8, 14
_QUOTING = (3, 4, 5, 11, 12)
_END_OF_OPTIONS, _NO_OPERATION, _TIMESTAMP = 0, 1, 68


class OwnAddresses:
    """The addresses a router may send from: its own, loopback, and RFC 7600's for having none."""

    def __init__(self):
        self._known = {}
        self._networks = []
        for prefix in ("127.0.0.0/8", "192.0.0.8/32"):
            self.add(prefix)

    def add(self, prefix):
        self._networks.append(ipaddress.ip_network(prefix))
        self._known.clear()

    def __contains__(self, packed):
        if packed not in self._known:
            address = ipaddress.IPv4Address(packed)
            self._known[packed] = any(address in network for network in self._networks)
        return self._known[packed]


def _without_padding(frame):
    if len(frame) < 34 or len(frame) > _ETHERNET_MINIMUM:
        return frame
    if frame[12:14] == b"\x08\x00":
        end = 14 + struct.unpack_from("!H", frame, 16)[0]
    elif frame[12:14] == b"\x08\x06":
        end = 14 + 28
    else:
        return frame
    return frame if any(frame[end:]) else frame[:end]


def _is_now(milliseconds):
    age = int(time.time() * 1000) - milliseconds
    return (age + _CLOCK_TOLERANCE_MS) % _DAY_MS <= _HELD_MS + _CLOCK_TOLERANCE_MS


def _reply_without_times(message):
    """A timestamp reply whose two times are one and the same, and now, with both blanked."""
    if len(message) < 20:
        return message
    receive, transmit = struct.unpack_from("!II", message, 12)
    if receive != transmit or not _is_now(receive):
        return message
    return message[:12] + bytes(8) + message[20:]


def _options_without_times(options):
    """Blank the words of a timestamp option that are the present time."""
    blanked = bytearray(options)
    at = 0
    while at < len(options) and options[at] != _END_OF_OPTIONS:
        length = 1 if options[at] == _NO_OPERATION or at + 1 == len(options) else options[at + 1]
        if options[at] == _TIMESTAMP:
            word, end = at + 4, min(at + length, len(options))
            while word + 4 <= end:          # a pointer may lead anywhere
                if _is_now(int.from_bytes(options[word:word + 4], "big")):
                    blanked[word:word + 4] = bytes(4)
                    word += 3
                word += 1
        at += max(1, length)
    return bytes(blanked)


def _packet_normalised(packet, own_addresses):
    """Blank what may differ; with it go the checksums over it, but only if they were right.

    A quoted header may end before its options do.
    """
    header_bytes = (packet[0] & 15) * 4
    if len(packet) < 20 or header_bytes < 20:
        return packet
    header, message = packet[:header_bytes], packet[header_bytes:]
    blanked = header[:20] + _options_without_times(header[20:])
    own = header[12:16] in own_addresses
    if own:     # with DF it matters whether it is 0
        ident = b"\0\1" if header[6] & 0x40 and any(header[4:6]) else b"\0\0"
        blanked = blanked[:4] + ident + blanked[6:]
    if (own or blanked != header) and packets.checksum(header) == 0:
        blanked = blanked[:10] + b"\0\0" + blanked[12:]
    if own and header[9] == packets.ICMP and not (header[6] & 0x1f or header[7]):
        message = _message_normalised(message, own_addresses)
    return blanked + message


def _message_normalised(message, own_addresses):
    if message[:1] == bytes([_TIMESTAMP_REPLY]):
        blanked = _reply_without_times(message)
    elif message[:1] == bytes([_ECHO]) and len(message) >= 8:
        blanked = message[:4] + b"\0\0" + message[6:]
    elif message[:1] and message[0] in _QUOTING and len(message) >= 28:
        blanked = message[:8] + _packet_normalised(message[8:], own_addresses)
    else:
        return message
    if blanked != message and packets.checksum(message) == 0:
        blanked = blanked[:2] + b"\0\0" + blanked[4:]
    return blanked


def normalised(frame, own_addresses):
    frame = _without_padding(frame)
    if len(frame) < 34 or frame[12:14] != b"\x08\x00":
        return frame
    return frame[:14] + _packet_normalised(frame[14:], own_addresses)


def same(expected, got, own_addresses):
    return expected == got or (normalised(expected, own_addresses)
                               == normalised(got, own_addresses))


def first_difference(expected, got, own_addresses, tolerance=None, started=(0.0, 0.0),
                     sequence=None):
    """Compare what came out of each port: {port: [(time, frame)]}.

    With `tolerance`, times since `started` (of either side) must agree as well.  `sequence` gives
    for a frame, whose incidental parts are blanked, a text: the order of those of which it gives
    different ones does not matter.  Returns None or (port, index, expected frame or None, got
    frame or None, what is wrong).
    """
    def ordered(records):
        if not sequence:
            return records
        return sorted(records, key=lambda record: sequence(normalised(record[1], own_addresses)))

    for port in expected:
        left, right = ordered(expected[port]), ordered(got[port])
        for index in range(max(len(left), len(right))):
            if index >= len(left):
                return port, index, None, right[index][1], "a frame too many"
            if index >= len(right):
                return port, index, left[index][1], None, "a frame is missing"
            if not same(left[index][1], right[index][1], own_addresses):
                return port, index, left[index][1], right[index][1], "the frames differ"
            if tolerance is not None:
                at = [side[index][0] - start for side, start in zip((left, right), started)]
                if abs(at[0] - at[1]) > tolerance:
                    return (port, index, left[index][1], right[index][1],
                            f"times differ: {at[0]:.3f} s and {at[1]:.3f} s after the last frame"
                            f" or command (tolerance {tolerance:.2f} s)")
    return None


def _differing_byte(expected, got, own_addresses):
    left, right = normalised(expected, own_addresses), normalised(got, own_addresses)
    for offset in range(min(len(left), len(right))):
        if left[offset] != right[offset]:
            return (f"first differing byte: {offset} ({decode.field_at(left, offset)}),"
                    f" {left[offset]:02x} and {right[offset]:02x}")
    if len(left) != len(right):
        return f"one is longer: {len(left)} and {len(right)} bytes"
    return "same bytes"


def _outputs_text(name, outputs):
    lines = [f"  {name}:"]
    for port, records in outputs.items():
        for _, frame in records:
            lines.append(f"    {port} < {decode.summary(frame)}")
    if len(lines) == 1:
        lines.append("    nothing")
    return lines


def describe(difference, expected, got, names, own_addresses):
    """A difference found by first_difference, for a human."""
    port, index, left, right, what = difference
    lines = [f"{what}: {port}, output {index + 1}"]
    if left is not None and right is not None and not same(left, right, own_addresses):
        lines.append("  " + _differing_byte(left, right, own_addresses))
    lines += _outputs_text(names[0] + " (expected)", expected)
    lines += _outputs_text(names[1] + " (got)", got)
    for name, frame in zip(names, (left, right)):
        if frame is not None:
            lines += [f"  {name}, {port}, output {index + 1}:", decode.hexdump(frame)]
    return "\n".join(lines)
