"""A frame of more segments than the device takes leaves in fewer: the same bytes, copied. Here an
echo request comes in fragments of 8 bytes, and its answer refers to all of them."""

import pytest

from scapy.layers.inet import IP

import frames
from frames import address, echo_request, in_fragments, router_address

PROFILE = """[driver]
rxq = all
soft_mtu = yes
mtu_max = 9000
multi_seg = yes
shared_mbufs = yes
rx_file = yes
keep_running = yes
refer_bytes = 0
"""
DATA = 2992


@pytest.mark.parametrize("option", [[], ["--no-fast-path"]])
@pytest.mark.parametrize("most, answered", [(0, True), (200, True), (2, True), (1, False)])
def test_segments_out(router, captures, directory, monkeypatch, most, answered, option):
    (directory / "net_pcap.ini").write_text(f"{PROFILE}tx_segs = {most}\n")
    monkeypatch.setenv("MILLRACE_DRIVERS_CONFIG", str(directory))
    request = echo_request(DATA)
    pieces = [(i / 1000, piece) for i, piece in
              enumerate(in_fragments(router_address(0), 1, request, 1, 8))]
    router.start(["sysctl net.ipv4.ipfrag_high_thresh=10000000", *captures.port(0, pieces),
                  "link set p0 mtu 4000",
                  f"neigh add {address(0, 2)} lladdr {frames.host_mac(0, 2)} dev p0"], *option)
    account = router.settled(len(pieces), held=0)
    assert sum(router.buffers().values()) == 0
    assert account["reasons"].get("TX_INVALID", 0) == (not answered)
    router.shutdown()
    replies = [bytes(IP(sent[14:]).payload) for sent in captures.out(0)]
    assert [reply[8:] for reply in replies] == [request[8:]] * answered
