#!/usr/bin/python3
"""Writes the seeds in corpus/: small inputs that lead a fuzzer to each part.  See README.md."""

import pathlib
import struct

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"

MAC, TYPE, LENGTH, PAYLOAD, HEADER = 1, 2, 4, 8, 16
MEND = MAC | TYPE | LENGTH | PAYLOAD | HEADER
GO, TIGHT = 4, 8
FRAME, PADDED, TIME, SWITCH, FORGET, FULL, ANSWER, TURN = 0, 9, 10, 11, 12, 13, 14, 15

HOST, OTHER, FAR, US = "10.0.1.10", "10.0.2.10", "10.2.0.5", "10.0.1.1"


def address(text):
    return bytes(map(int, text.split(".")))


def ip(src, dst, protocol, payload, ttl=64, fragment=0, options=b"", tos=0):
    header = struct.pack("!BBHHHBBH", 0x45 + len(options) // 4, tos, 0, 7, fragment, ttl,
                         protocol, 0)
    return header + address(src) + address(dst) + options + payload


def ethernet(payload, ethertype=0x0800, dst=b"\2\0\0\0\0\1"):
    return dst + b"\2\0\0\0\1\x10" + struct.pack("!H", ethertype) + payload


def icmp(kind, code=0, rest=b"\0\1\0\1", data=b"12345678"):
    return struct.pack("!BBH", kind, code, 0) + rest + data


def udp(data=b"hello", length=0):
    return struct.pack("!HHHH", 1000, 2000, length or 8 + len(data), 0) + data


def tcp(flags, options=b"", data=b""):
    return struct.pack("!HHIIBBHHH", 1000, 80, 1, 2, (5 + len(options) // 4) << 4, flags, 100, 0,
                       0) + options + data


def arp(operation, sender, target, mac=b"\2\0\0\0\1\x50"):
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + mac + address(sender)
    return ethernet(body + bytes(6) + address(target), 0x0806, b"\xff" * 6)


def step(what, how=0):
    return bytes([what | how << 4])


def frame(data, link=0, mend=MEND, cut=0, how=GO, pad=None):
    head = step(FRAME if pad is None else PADDED, link | how)
    tail = b"" if pad is None else struct.pack("<H", pad)
    return head + bytes([mend, cut]) + struct.pack("<H", len(data)) + data + tail


def script(*steps, settings=0, mtus=0):
    return struct.pack("<IB", settings, mtus) + b"".join(steps)


def input_seeds():
    echo = ethernet(ip(HOST, US, 1, icmp(8)))
    through = ethernet(ip(HOST, FAR, 17, udp()))
    unresolved = ethernet(ip(HOST, "10.0.2.77", 17, udp()))
    yield "echo", script(frame(echo))
    yield "echo_chain", script(frame(echo, cut=16), frame(echo, cut=9, how=GO | TIGHT))
    yield "echo_tight", script(frame(echo, how=GO | TIGHT))
    yield "forward", script(frame(through))
    yield "forward_chain", script(frame(through, cut=34, how=0), frame(through, cut=7))
    yield "too_long", script(frame(through, pad=1499), mtus=0)
    yield "too_long_df", script(frame(ethernet(ip(HOST, FAR, 17, udp(), fragment=0x4000)),
                                      pad=1499))
    yield "too_long_chain", script(frame(ethernet(ip(HOST, "10.3.0.1", 17, udp())), cut=60,
                                         pad=900))
    yield "route_mtu", script(frame(ethernet(ip(HOST, "10.14.0.1", 17, udp())), pad=800))
    yield "ttl_1", script(frame(ethernet(ip(HOST, FAR, 17, udp(), ttl=1))))
    yield "redirect", script(frame(ethernet(ip(HOST, "10.1.0.5", 17, udp()))) * 3)
    for number in (10, 11, 12, 13):
        yield f"no_way_{number}", script(frame(ethernet(ip(HOST, f"10.{number}.0.1", 17, udp()))))
    yield "udp_here", script(frame(ethernet(ip(HOST, US, 17, udp()))))
    yield "udp_broken", script(frame(ethernet(ip(HOST, US, 17, udp(length=90))),
                                     mend=MEND & ~LENGTH))
    yield "udplite", script(frame(ethernet(ip(HOST, US, 136, udp()))))
    yield "tcp_syn", script(frame(ethernet(ip(HOST, US, 6, tcp(2)))))
    yield "tcp_md5", script(frame(ethernet(ip(HOST, US, 6, tcp(2, b"\1\1\x13\x12" + bytes(16))))))
    yield "proto_253", script(frame(ethernet(ip(HOST, US, 253, b"x" * 600))))
    yield "igmp", script(frame(ethernet(ip(HOST, "224.0.0.1", 2, bytes(8)))))
    yield "multicast", script(frame(ethernet(ip(HOST, "224.0.0.1", 1, icmp(8)))), settings=1 << 23)
    yield "broadcast", script(frame(ethernet(ip(HOST, "10.0.2.255", 17, udp()))), settings=3 << 5)
    yield "limited_broadcast", script(frame(ethernet(ip(HOST, "255.255.255.255", 1, icmp(8)))),
                                      settings=1 << 23)
    for kind in (0, 3, 4, 5, 11, 12, 13, 17, 42):
        quoted = ip(US, HOST, 17, udp())
        yield f"icmp_{kind}", script(frame(ethernet(ip(HOST, US, 1, icmp(kind, data=quoted)))))
    yield "timestamp_chain", script(frame(ethernet(ip(HOST, US, 1, icmp(13, data=bytes(12)))),
                                          cut=20))
    yield "options", script(frame(ethernet(ip(HOST, FAR, 17, udp(), options=b"\7\7\4\0\0\0\0\0"))))
    yield "options_route", script(frame(ethernet(
        ip(HOST, US, 17, udp(), options=b"\x83\7\4\x0a\0\2\x0a\0"))))
    yield "options_time", script(frame(ethernet(
        ip(HOST, US, 1, icmp(8), options=b"\x44\x0c\5\1" + bytes(8)))))
    way = b"\x83\x0b\4" + address(US) + address(FAR)
    yield "source_route", script(frame(ethernet(ip(HOST, US, 17, udp(), options=way + b"\1"))))
    yield "source_route_records", script(frame(ethernet(ip(
        HOST, US, 17, udp(), options=way + b"\7\7\4" + bytes(4) + b"\x44\x0c\5\1" + bytes(10)))))
    yield "source_route_strict", script(frame(ethernet(ip(
        HOST, US, 17, udp(), options=b"\x89\7\4" + address(FAR) + b"\0"))))
    yield "source_route_back", script(frame(ethernet(ip(
        HOST, US, 1, icmp(8), options=b"\x83\x0b\x0c" + address(FAR) * 2 + b"\0"))))
    first = ethernet(ip(HOST, US, 17, udp(b"a" * 16), fragment=0x2000))
    second = ethernet(ip(HOST, US, 17, b"b" * 16, fragment=3))
    yield "fragments", script(frame(first), frame(second))
    yield "fragments_back", script(frame(second, mend=MEND & ~PAYLOAD), frame(first))
    yield "fragment_alone", script(frame(first), step(TIME, 15) * 5)
    yield "fragments_overlap", script(frame(first), frame(ethernet(
        ip(HOST, US, 17, b"c" * 16, fragment=0x2002))), frame(second))
    yield "held_fails", script(frame(unresolved), step(TIME, 10), step(TIME, 10))
    yield "held_answered", script(frame(unresolved), step(ANSWER, 1), step(TURN))
    yield "held_flushed", script(frame(unresolved, how=0), frame(unresolved), step(FORGET))
    yield "held_link_down", script(frame(unresolved), step(SWITCH, 1), step(TIME, 3),
                                   step(SWITCH, 1))
    yield "arp_request", script(frame(arp(1, "10.0.1.50", US), mend=0))
    yield "arp_proxy", script(frame(arp(1, "10.0.1.50", FAR), mend=0), step(TIME, 5),
                              settings=1 << 16)
    yield "arp_gratuitous", script(frame(arp(2, "10.0.1.60", "10.0.1.60"), mend=0),
                                   settings=1 << 10)
    yield "arp_probe", script(frame(arp(1, "0.0.0.0", US), mend=0))
    yield "device_full", script(step(FULL, 0), frame(through) * 3, step(FULL, 15))
    yield "no_forwarding", script(frame(through), settings=1)
    yield "runt", script(frame(b"\2\0\0\0\0\1\2", mend=0), frame(echo[:20], mend=0))


CONFIGURATION = """# a router
link add p9 type dpdk devargs net_null9,no-rx=1 mtu 1400 address 02:00:00:00:00:09 promisc on
link set lo up
addr add 10.0.0.1/24 dev lo
addr show
route add 10.1.0.0/16 via 10.0.0.2 dev lo metric 7 mtu 1400 src 10.0.0.1 onlink
route replace unreachable 10.2.0.0/16 table 100
route del 10.1.0.0/16
route show table 255
route get 10.0.0.9
neigh replace 10.0.0.2 lladdr 02:00:00:00:00:02 dev lo nud permanent
neigh show dev lo
sysctl net.ipv4.ip_forward=0
sysctl -a net.ipv4.conf.*
nstat Ip*
drops all
worker show
mempool show
config show
help route add
"""


def command_seeds():
    yield "configuration", CONFIGURATION.encode()
    for index, line in enumerate(CONFIGURATION.splitlines()[1:]):
        yield f"line_{index:02}", (line + "\n").encode()
    yield "quotes", b"route add \"10.1.0.0/16\" via '10.0.0.2' # end\nlink show 'a b' \"c\\\"d\"\n"
    yield "abbreviated", b"#\n#\nr s\na s dev lo\n"


def rpc_seeds():
    head = '{"jsonrpc":"2.0","id":1,"method":'
    yield "run", (head + '"run","params":{"argv":["route","show"]}}\n').encode()
    yield "run_text", (head + '"run","params":{"argv":["link","show"],"format":"text",'
                       '"abbreviate":true}}\n').encode()
    yield "refused", (head + '"run","params":{"argv":["route","add","10.0.0.0/8"]}}\n').encode()
    yield "batch", (head + '"batch","params":{"commands":[["addr","show"],["x"],["nstat"]],'
                    '"force":true}}\n').encode()
    yield "complete", (head + '"complete","params":{"argv":["route","a"]}}\n').encode()
    yield "array", ('[' + head + '"run","params":{"argv":["drops"]}},{"jsonrpc":"2.0",'
                    '"method":"run","params":{"argv":["nstat"]}}]\n').encode()
    yield "wrong", b'{"id":"x"}\n[]\n{\n{"jsonrpc":"2.0","id":[],"method":"run"}\n'


def main():
    for target, seeds in (("input", input_seeds()), ("command", command_seeds()),
                          ("rpc", rpc_seeds())):
        directory = CORPUS / ("fuzz_" + target)
        directory.mkdir(parents=True, exist_ok=True)
        for name, data in seeds:
            (directory / name).write_bytes(data)


if __name__ == "__main__":
    main()
