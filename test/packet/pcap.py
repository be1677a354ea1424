"""Capture files: lists of (seconds, frame) to a file of nanoseconds, and any classic file back."""

import struct

_MAGIC_NS = 0xa1b23c4d
_MAGIC_US = 0xa1b2c3d4
_ETHERNET = 1
_SNAPSHOT = 262144


def write(path, records):
    """`records` are pairs of a time in seconds and a frame, in the order of the file."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", _MAGIC_NS, 2, 4, 0, 0, _SNAPSHOT, _ETHERNET))
        for seconds, frame in records:
            nanoseconds = round(seconds * 1e9)
            file.write(struct.pack("<IIII", nanoseconds // 10**9, nanoseconds % 10**9,
                                   len(frame), len(frame)) + frame)


def read(path):
    """Pairs of a time in seconds and a frame."""
    with open(path, "rb") as file:
        data = file.read()
    order = "<" if struct.unpack_from("<I", data)[0] in (_MAGIC_NS, _MAGIC_US) else ">"
    magic, = struct.unpack_from(order + "I", data)
    assert magic in (_MAGIC_NS, _MAGIC_US), f"{path} is not a classic capture file"
    assert struct.unpack_from(order + "I", data, 20)[0] == _ETHERNET, f"{path}: not Ethernet"
    scale = 1e9 if magic == _MAGIC_NS else 1e6
    at, records = 24, []
    while at < len(data):
        seconds, fraction, length, _ = struct.unpack_from(order + "IIII", data, at)
        at += 16
        records.append((seconds + fraction / scale, data[at:at + length]))
        at += length
    return records


def frames(path):
    return [frame for _, frame in read(path)]
