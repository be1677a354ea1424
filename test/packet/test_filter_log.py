"""What rules with `log` write, and how many lines of it."""

from scapy.layers.inet import IP, TCP

import frames
from frames import address, echo, frame, udp

A, B, HERE = address(0, 2), address(1, 2), frames.router_address(0)
COMMANDS = [f"neigh add {B} lladdr {frames.host_mac(1, 2)} dev p1",
            f"neigh add {A} lladdr {frames.host_mac(0, 2)} dev p0"]
SENT = [udp(A, B, b"12345678", ident=7, flags="DF", tos=0xb8),
        echo(A, HERE, ident=8),
        IP(src=A, dst=B, id=9, ttl=9) / TCP(sport=1000, dport=22),
        IP(src=A, dst=B, id=10, proto=17, flags="MF", frag=5) / bytes(16),
        IP(src=A, dst=B, id=11, proto=99) / bytes(8)]


def said_of(router, captures, packets, commands):
    """What is written, all the packets coming in at once."""
    router.start(captures.port(0, [(1000, frame(0, packet)) for packet in packets])
                 + captures.port(1) + COMMANDS + commands, "--time", "packet")
    router.settled(len(packets))
    said = router.said().splitlines()
    router.log.write_text("")           # nothing else may be there at the end
    router.stop()
    return said


def test_what_a_line_says(router, captures):
    said = said_of(router, captures, SENT, [
        'filter add forward log prefix "through: " counter', "filter add input log",
        "filter add output log prefix out_", "filter add postrouting tcp dport 22 log drop"])
    links = "IN=p0 OUT=p1"
    assert any(line.endswith(
        f"through: {links} SRC={A} DST={B} LEN=36 TOS=0x18 PREC=0xA0 TTL=63 ID=7 DF PROTO=UDP"
        " SPT=4000 DPT=5000") for line in said)
    assert any(line.endswith(
        f"IN=p0 OUT= SRC={A} DST={HERE} LEN=36 TOS=0x00 PREC=0x00 TTL=64 ID=8 PROTO=ICMP"
        " TYPE=8 CODE=0") for line in said)
    assert any(f"out_IN= OUT=p0 SRC={HERE} DST={A} " in line and "TYPE=0 CODE=0" in line
               for line in said)
    assert sum("SPT=1000 DPT=22" in line for line in said) == 2
    assert any("ID=10 MF FRAG:5 PROTO=UDP" in line and "SPT" not in line for line in said)
    assert any(line.endswith("TTL=63 ID=11 PROTO=99") for line in said)
    assert len(said) == 7


def test_so_many_lines_a_second_and_no_more(router, captures):
    many = [udp(A, B, ident=n) for n in range(200)]
    said = said_of(router, captures, many, ["sysctl net.millrace.filter_log_per_second=5",
                                            "filter add forward log"])
    assert len(said) == 5
    assert "ID=0 " in said[0] and "ID=4 " in said[4]


def test_none_at_all(router, captures):
    assert said_of(router, captures, SENT, ["sysctl net.millrace.filter_log_per_second=0",
                                            "filter add forward log"]) == []


def test_a_level_that_is_an_error(router, captures):
    said = said_of(router, captures, SENT,
                   ['filter add forward tcp dport 22 log level err prefix "no "',
                    "filter add forward tcp dport 22 log level debug"])
    assert [" error: " in line for line in said] == [True, False]
    assert "error: no IN=p0 OUT=p1 " in said[0] and "SPT=1000 DPT=22" in said[0]
