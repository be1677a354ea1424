"""Writes what crossed one port, both ways, as a capture file that tcpdump and Wireshark read."""

import struct

_GLOBAL_HEADER = struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 65535, 1)


def write(path, records):
    """`records` are pairs of a time in seconds and a frame."""
    with open(path, "wb") as file:
        file.write(_GLOBAL_HEADER)
        for seconds, frame in sorted(records, key=lambda record: record[0]):
            whole = int(seconds)
            file.write(struct.pack("<IIII", whole, int((seconds - whole) * 1e9), len(frame),
                                   len(frame)) + frame)
