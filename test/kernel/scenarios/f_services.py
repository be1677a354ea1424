"""Rule F: UDP services of the router, against programs on the Linux router that do the same."""

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario

ON = ("sysctl net.millrace.udp_echo=1", "sysctl net.millrace.udp_discard=1",
      "sysctl net.ipv4.icmp_ratemask=0")
ECHO, DISCARD = 7, 9


@scenario("UDP echo: sizes, TOS, addresses", "F", setup=ON)
def udp_echo(s):
    for size in (0, 1, 2, 8, 47, 48, 49, 500, 1471, 1472):
        s.send("p0", udp(H0, R0, bytes((7 * i) & 255 for i in range(size)), dport=ECHO))
    for tos in (0, 1, 0x10, 0xfc, 0xff):
        s.send("p0", udp(H0, R0, dport=ECHO, tos=tos, ttl=1, flags=DF))
    for src in (H0, H1, far("p2", 1), J3):
        for dst in (R0, R1, R3):
            s.send("p0", udp(src, dst, dport=ECHO, sport=0))
    s.send("p0", udp(UNROUTED, R0, dport=ECHO))
    s.send("p0", udp(H0, R0, dport=ECHO, options=b"\x07\x0b\x04" + bytes(9)))


@scenario("UDP echo: answers larger than the MTU", "F, G3", mtu={"p0": 3000}, setup=ON)
def udp_echo_large(s):
    for size in (1371, 1372, 1373, 1400, 1472, 2000, 2744, 2745, 2752, 2972):
        s.send("p0", udp(H2, R0, bytes(i & 255 for i in range(size)), dport=ECHO))


@scenario("UDP services: checksums", "F", setup=ON)
def udp_service_checksums(s):
    for dport in (ECHO, DISCARD):
        for size in (8, 100, 1000):
            for check in (0, 1, 0xffff, None):
                s.send("p0", udp(H0, R0, bytes(size), dport=dport, udp_check=check))
                s.send("p0", udp(H0, B0, bytes(size), dport=dport, udp_check=check),
                       dst=BROADCAST_MAC)
    s.send("p0", udp(H0, R0, b"odd", dport=ECHO) + b"\0" * 11)
    for length in (0, 7, 8, 16, 17, 24, 25, 100):
        s.send("p0", udp(H0, R0, b"12345678" * 2, dport=ECHO, udp_length=length))
        s.send("p0", udp(H0, R0, b"12345678" * 2, dport=ECHO, udp_length=length, udp_check=0))


@scenario("UDP services: groups, and what would never cease", "F", setup=ON)
def udp_service_groups(s):
    for dport in (ECHO, DISCARD):
        for dst in (EVERYONE, B0, B2, ALL_HOSTS):
            s.send("p0", udp(H0, dst, dport=dport), dst=BROADCAST_MAC)
        s.send("p0", udp(H0, R0, dport=dport), dst=BROADCAST_MAC)
        for sport in (7, 9, 13, 17, 19, 37):
            s.send("p0", udp(H0, R0, sport=sport, dport=dport))


@scenario("UDP services open and close", "F", setup=("sysctl net.ipv4.icmp_ratemask=0",))
def udp_service_switched(s):
    for state in (0, 1, 0, 1, 1, 0):
        s.run(f"sysctl net.millrace.udp_echo={state}")
        s.send("p0", udp(H0, R0, dport=ECHO))
        s.send("p0", udp(H0, R0, dport=DISCARD))
    s.run("sysctl net.millrace.udp_echo=0", "sysctl net.millrace.udp_discard=1")
    s.send("p0", udp(H0, R0, dport=DISCARD))


@scenario("fragments for a UDP service", "F, E", setup=ON)
def udp_service_fragments(s):
    whole = udp(H0, R0, bytes(i & 255 for i in range(2000)), dport=ECHO)[20:]
    s.send("p0", *[ipv4(H0, R0, UDP, whole[at:at + 800], offset=at // 8, id=77,
                        flags=MF if at + 800 < len(whole) else 0)
                   for at in range(0, len(whole), 800)])
