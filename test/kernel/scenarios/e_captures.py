"""Rules E and D: fragments that others captured, delivered and forwarded."""

from lib import captures
from lib.layout import *
from lib.scenario import scenario

_GROUP = 16
_ALL = ("afs.pcap", "fragmented-1.pcap", "fragmented-2.pcap", "fragmented-3.pcap",
        "fragmented-4.pcap", "fragmented-syn.pcap")
_SETUP = ("sysctl net.ipv4.icmp_ratemask=0", "sysctl net.ipv4.ipfrag_time=1")


def _readdressed(name, destination):
    """All packets of a capture, its senders behind the gateway at p0, one by one."""
    hosts = {}
    packets = []
    for packet in captures.ipv4_packets(name):
        sender, receiver = (hosts.setdefault(packet[at:at + 4], 1 + len(hosts))
                            for at in (12, 16))
        packets.append(captures.readdressed(packet, far("p0", sender), destination(receiver)))
    return packets


def _play(s, packets):
    for at in range(0, len(packets), _GROUP):
        s.send("p0", *packets[at:at + _GROUP])


def _register(name):
    missing = captures.missing(name)

    @scenario(f"the packets of {name}, to the router", "E", slow=True, setup=_SETUP,
              missing=missing)
    def delivered(s):
        packets = _readdressed(name, lambda host: R0)
        for order in (packets, packets[::-1], [p for p in packets for _ in range(2)]):
            _play(s, order)
            s.wait(1.3)

    @scenario(f"the packets of {name}, forwarded over a narrow link", "E, D", setup=_SETUP,
              missing=missing)
    def forwarded(s):
        packets = _readdressed(name, lambda host: far("p1", host))
        for mtu in (1500, 576, 256, 68):
            s.run(f"link set p1 mtu {mtu}")
            _play(s, packets)


for capture in _ALL:
    _register(capture)
