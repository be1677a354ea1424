"""Packet buffers run out in the middle of cutting and of putting together: nothing is lost by that
but what there was no buffer for, no part of a datagram leaves where the whole can not, and when
buffers come back all goes on.

In replayed time: packets for a neighbour that does not answer hold as many buffers of a small pool
as the test wants, then come large packets for a narrow link, an echo request whose answer needs
hundreds of pieces, and fragments that never complete. Three seconds later the neighbour is given up
and its buffers are free; then the same packets come again.
"""

import struct

import pytest

import frames
from frames import address, echo_request, frame, in_fragments, router_address, udp

POOL = 1024
NARROW = 68
PROFILE = """[driver]
rxq = all
soft_mtu = yes
mtu_max = 16114
multi_seg = yes
shared_mbufs = yes
rx_file = yes
keep_running = yes
"""
FAR = address(1, 2)
FEW, MANY = 100, 200            # identifications while there are few buffers, and then
UNREACHABLE = 40                # bytes of the error about a packet for the silent neighbour
QUIET = ["sysctl net.ipv4.icmp_ratelimit=0", "sysctl net.ipv4.icmp_msgs_per_sec=1000000",
         "sysctl net.ipv4.ipfrag_max_dist=0"]


def to_far(ident, data):
    return frame(0, udp(address(0, 2), FAR, data, ident=ident))


def story(held):
    """(seconds, frame): twice the same, once with few buffers and once with all; at last, when all
    time has run out, one more."""
    records = [(1 + i / 10000, frame(0, udp(address(0, 2), address(1, 77), b"held", ident=i)))
               for i in range(held)]
    for start, ident in ((2, FEW), (10, MANY)):
        packets = [to_far(ident, bytes(8000)), to_far(ident + 1, b""),
                   to_far(ident + 2, bytes(8000)),
                   *in_fragments(router_address(0), 1, echo_request(6000), ident + 3, 1480),
                   *in_fragments(FAR, 17, bytes(6000), ident + 4, 1480)]
        packets += [in_fragments(router_address(0), 99, bytes(64), 1000 + ident + i, 32)[1]
                    for i in range(60)]
        packets.append(to_far(ident + 5, b""))
        records += [(start + i / 1000, packet) for i, packet in enumerate(packets)]
    return records + [(60, to_far(1, b""))]


def whole(sent):
    """The identifications of what left whole (fragments that stay fragments, of which each is cut,
    are whole when all are there), and how many bytes each had; of the rest nothing may have left.
    Echo replies, whose identification is the router's, are counted under 0."""
    sizes, ends = {}, set()
    for packet in sent:
        if packet[12:14] != b"\x08\x00":
            continue
        total, ident, word = struct.unpack_from("!HHH", packet, 16)
        sizes.setdefault(ident, 0)
        assert (word & 0x1fff) * 8 == sizes[ident], f"{ident}: a piece is missing"
        sizes[ident] += total - 20
        if not word & 0x2000:
            ends.add(ident)
    assert sizes.keys() == ends
    return sizes


@pytest.mark.parametrize("held, option", [(0, []), (780, []), (900, []), (900, ["--no-fast-path"]),
                                          (960, [])])
@pytest.mark.parametrize("defrag", [0, 1])
@pytest.mark.parametrize("refer", [640, 0])
def test_out_of_buffers(router, captures, directory, monkeypatch, held, refer, defrag, option):
    (directory / "net_pcap.ini").write_text(PROFILE + f"refer_bytes = {refer}\n")
    monkeypatch.setenv("MILLRACE_DRIVERS_CONFIG", str(directory))
    records = story(held)
    router.start([f"sysctl millrace.mbufs={POOL}", *captures.port(0, records), *captures.port(1),
                  "link set p0 mtu 9000", f"link set p1 mtu {NARROW}",
                  f"route add {address(0, 2)}/32 dev p0 mtu {NARROW}",
                  f"neigh add {address(0, 2)} lladdr {frames.host_mac(0, 2)} dev p0",
                  f"neigh add {FAR} lladdr {frames.host_mac(1, 2)} dev p1",
                  "sysctl net.ipv4.neigh.p1.unres_qlen_bytes=100000000",
                  "sysctl net.millrace.neigh_held_max=1000000",
                  f"sysctl net.millrace.defrag={defrag}", *QUIET],
                 "--time", "packet", *option)
    account = router.settled(len(records), held=0)
    assert account["received"] == len(records)
    assert sum(router.buffers().values()) == 0
    fails, oks, creates, discards, timeouts = (
        router.show(f"nstat {name}").get(name, 0)
        for name in ("Ip.FragFails", "Ip.FragOKs", "Ip.FragCreates", "Ip.OutDiscards",
                     "Ip.ReasmTimeout"))
    assert timeouts == 120
    router.shutdown()

    sent = whole(captures.out(1))
    replies = {ident: size for ident, size in whole(captures.out(0)).items() if size != UNREACHABLE}
    # of what was cut each is whole, or counted as failed and nothing of it left
    assert account["reasons"].get("NEIGH_FAILED", 0) == held
    missing = [ident for ident in (FEW, FEW + 2) if ident not in sent]
    assert all(sent[ident] == 8008 for ident in (FEW, FEW + 2) if ident not in missing)
    if held >= 900:
        assert len(missing) == 2 and discards == 1
    elif not held:
        assert fails == discards == 0
    assert fails >= len(missing)
    assert account["reasons"].get("NOMEM", 0) >= fails
    for ident in (FEW + 1, FEW + 5, MANY + 1, MANY + 5, 1):
        assert sent[ident] == 8
    for ident in (MANY, MANY + 2):
        assert sent[ident] == 8008
    assert sent[MANY + 4] == 6000
    assert set(replies.values()) == {6008} and len(replies) == 2 - discards
    assert oks + fails == (8 if defrag else 16) - discards
    assert creates > 300
