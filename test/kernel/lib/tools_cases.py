"""What is run: the tools, in the words one would type, against the router and through it."""

import dataclasses
import re

from .layout import (BLACKHOLED, EVERYONE, H1 as B, H3 as NOBODY, PROHIBITED, R0 as R, R1, R2,
                     UNREACHABLE, UNROUTED)
from .tools_network import BEHIND_NEIGHBOUR, C, GATEWAY_FAR, OPEN_TCP_PORT

# Where each comes from; the first is the one that ./check installs.
PACKAGES = {"ping": "iputils-ping", "arping": "iputils-arping", "tracepath": "iputils-tracepath",
            "traceroute": "traceroute", "mtr": "mtr-tiny", "hping3": "hping3", "nmap": "nmap"}

_HERE, _FAR_OFF = "router", "through"


@dataclasses.dataclass(frozen=True)
class Case:
    command: str
    about: str
    port: str = "p0"        # where its host is
    silent: bool = False    # hears no answer that it understands: a dead router looks the same
    excerpt: bool = False   # shown in docs/tools.md

    @property
    def words(self):
        return self.command.split()

    @property
    def tool(self):
        return self.words[0]

    @property
    def name(self):
        """Fit for a file."""
        text = re.sub(r"[^A-Za-z0-9.]+", "-", self.command).strip("-")
        return text if self.port == "p0" else f"{text}-{self.port}"


def _case(command, about, **more):
    return Case(command, about, **more)


_PING = "ping -n -c 3 -i 0.2 -W 1"
_PING_1 = "ping -n -c 1 -W 1"

PING = [
    _case(f"{_PING} {R}", "the router"),
    _case(f"{_PING} {B}", "through it"),
    _case(f"{_PING} {C}", "through it and a gateway"),
    _case(f"{_PING} {R2}", "the router's address on another side"),
    _case(f"{_PING} -s 3000 {R}", "in fragments"),
    _case(f"{_PING} -s 3000 {B}", "in fragments, through"),
    _case(f"{_PING} -s 3000 {C}", "in fragments, cut smaller on the way"),
    _case(f"{_PING_1} -s 65507 {R}", "the largest there is"),
    _case(f"{_PING_1} -s 65507 {B}", "the largest, through"),
    _case(f"{_PING} -s 1472 -M do {B}", "exactly the MTU, DF"),
    _case(f"{_PING} -s 1400 -M do {C}", "too large for the router's link, DF", excerpt=True),
    _case(f"{_PING} -s 1350 -M do {C}", "too large for a link behind, DF"),
    _case(f"{_PING} -s 1400 -M want {C}", "learns the path's MTU and goes in fragments"),
    _case(f"{_PING} -s 0 {R}", "without data"),
    _case(f"{_PING} -s 1 -p ff -Q 0xb8 {R}", "TOS and pattern"),
    _case(f"{_PING} -t 1 {B}", "TTL 1"),
    _case(f"{_PING} -t 1 {R}", "TTL 1 to the router itself"),
    _case(f"{_PING} -t 2 {C}", "TTL 2: the gateway behind answers"),
    _case(f"{_PING} -t 1 -s 3000 {B}", "TTL 1 in fragments: one error for each datagram"),
    _case(f"ping -n -c 9 -i 0.05 -W 1 -t 1 {B}", "more errors than one host is sent"),
    _case(f"{_PING} -R {R}", "record route"),
    _case(f"{_PING} -R {B}", "record route, through"),
    _case(f"{_PING} -R {C}", "record route, through and a gateway", excerpt=True),
    _case(f"{_PING} -R -t 1 {B}", "record route that ends at the router"),
    _case(f"{_PING} -R -s 2000 {B}", "record route in fragments"),
    _case(f"{_PING} -R -s 2000 {C}", "record route in fragments that are cut smaller"),
    _case(f"{_PING} -R {UNREACHABLE}", "record route to what is unreachable"),
    _case(f"{_PING} -R {BEHIND_NEIGHBOUR}", "record route, redirected"),
    _case(f"{_PING} -T tsonly {R}", "timestamps"),
    _case(f"{_PING} -T tsonly {B}", "timestamps, through"),
    _case(f"{_PING} -T tsandaddr {R}", "timestamps and addresses"),
    _case(f"{_PING} -T tsandaddr {B}", "timestamps and addresses, through"),
    _case(f"{_PING} -T tsandaddr {C}", "timestamps and addresses, until they are full"),
    _case(f"{_PING} -T tsprespec {R} {B} {R1} {B}", "timestamps of these, through"),
    _case(f"{_PING} -T tsprespec {R2} {R} {R}", "timestamps of these, of the router"),
    _case(f"{_PING} -T tsprespec {NOBODY} {R}", "timestamps of somebody else"),
    _case(f"{_PING} -T tsonly {UNROUTED}", "timestamps where there is no route"),
    # Not a flood: after its last packet that waits only twice the longest time seen.
    _case(f"ping -n -q -i 0.1 -c 20 {R}", "twenty in two seconds"),
    _case(f"ping -n -q -i 0.1 -c 20 {B}", "twenty in two seconds, through"),
    _case(f"ping -n -q -i 0.1 -c 20 -s 4000 {C}",
          "twenty in two seconds in fragments, cut smaller"),
    _case(f"{_PING} -b 10.0.0.255", "the subnet's broadcast"),
    _case(f"{_PING} -b {EVERYONE}", "everyone"),
    _case(f"{_PING} 10.0.1.255", "the broadcast of another subnet"),
    _case(f"{_PING} 10.0.0.0", "the subnet's own number", silent=True),
    _case(f"ping -n -c 4 -i 0.3 -W 1 {UNROUTED}", "no route: two errors, then none"),
    _case(f"{_PING} {UNREACHABLE}", "unreachable"),
    _case(f"{_PING} {PROHIBITED}", "prohibited"),
    _case(f"{_PING} {BLACKHOLED}", "a blackhole", silent=True),
    _case(f"ping -n -c 3 -i 0.2 -W 5 {NOBODY}", "nobody there"),
    _case(f"{_PING} {BEHIND_NEIGHBOUR}", "redirected"),
    _case(f"{_PING} -m 7 -e 4711 {B}", "an identifier of its own"),
    _case(f"{_PING} 127.0.0.2 -I eth0", "a loopback address on a cable", silent=True),
    _case(f"{_PING} {B}", "through, from the other side", port="p3"),
    _case(f"{_PING} -R {B}", "record route, from the other side", port="p3"),
]

ARPING = [
    _case(f"arping -c 2 -w 3 -I eth0 {R}", "the router"),
    _case(f"arping -c 2 -w 3 -I eth0 {R1}", "its address on another side"),
    _case(f"arping -c 1 -w 1 -I eth0 {B}", "somebody behind it", silent=True),
    _case(f"arping -D -c 1 -w 2 -I eth0 {R}", "is the address taken?"),
    _case(f"arping -b -c 2 -w 3 -I eth0 {R}", "only broadcasts"),
    _case("arping -c 1 -w 1 -I eth0 10.0.0.255", "the subnet's broadcast", silent=True),
]

_TRACEROUTE = "traceroute -n -w 1"
_SOURCE_ROUTE = f"{_TRACEROUTE} -q 1 -m 5"

TRACEROUTE = [
    _case(f"{_TRACEROUTE} {R}", "UDP"),
    _case(f"{_TRACEROUTE} {B}", "UDP, through"),
    _case(f"{_TRACEROUTE} {C}", "UDP, through and a gateway"),
    _case(f"{_TRACEROUTE} -I {R}", "ICMP"),
    _case(f"{_TRACEROUTE} -I {C}", "ICMP, through"),
    _case(f"{_TRACEROUTE} -T -p 81 {R}", "TCP"),
    _case(f"{_TRACEROUTE} -T -p 81 {C}", "TCP, through"),
    _case(f"{_TRACEROUTE} -U -p 53 {C}", "UDP to one port"),
    _case(f"{_TRACEROUTE} -P 99 -m 2 {R}", "another protocol"),
    _case(f"{_TRACEROUTE} --mtu {C}", "finds where it gets narrower"),
    _case(f"{_TRACEROUTE} {C} 3000", "in fragments"),
    _case(f"{_TRACEROUTE} -F {C} 1450", "too large, DF"),
    _case(f"{_TRACEROUTE} -m 3 {UNROUTED}", "no route"),
    _case(f"{_TRACEROUTE} -m 3 {UNREACHABLE}", "unreachable"),
    _case(f"{_TRACEROUTE} -m 3 {PROHIBITED}", "prohibited"),
    _case(f"{_TRACEROUTE} -q 1 -m 3 {BLACKHOLED}", "a blackhole, behind no hop", silent=True),
    _case(f"{_TRACEROUTE} --back {C}", "with the way back"),
    _case(f"{_TRACEROUTE} -t 0x10 {C}", "TOS"),
    _case(f"{_TRACEROUTE} -f 2 -N 1 {C}", "one by one, beginning with the second hop"),
    _case(f"{_TRACEROUTE} -e {C}", "with extensions of ICMP"),
    _case(f"{_TRACEROUTE} -UL {C}", "UDP-Lite"),
    _case(f"{_TRACEROUTE} -T -O ecn -p {OPEN_TCP_PORT} {B}", "TCP with ECN to an open port"),
    _case(f"{_SOURCE_ROUTE} -I -g {R} {B}", "over the router, ICMP"),
    _case(f"{_SOURCE_ROUTE} -I -g {R} {C}", "over the router, ICMP, to behind a gateway"),
    _case(f"{_SOURCE_ROUTE} -I -g {R} -g {GATEWAY_FAR} {C}", "over the router and the gateway",
          excerpt=True),
    _case(f"{_SOURCE_ROUTE} -I -g {GATEWAY_FAR} {C}", "over the gateway"),
    _case(f"{_SOURCE_ROUTE} -I -g {R2} {R}", "over the router to the router"),
    _case(f"{_SOURCE_ROUTE} -T -p 81 -g {R} {B}", "over the router, TCP"),
    _case(f"{_SOURCE_ROUTE} -g {R} {C}", "over the router, UDP"),
    _case(f"{_SOURCE_ROUTE} -g {R} {B}", "over the router, UDP, not behind a gateway",
          silent=True),
    _case(f"{_SOURCE_ROUTE} -I -g 10.0.3.1 {B}", "where source routes are not let in",
          port="p3", silent=True),
]

TRACEPATH = [
    _case(f"tracepath -n -m 5 {R}", "the router"),
    _case(f"tracepath -n -m 5 {B}", "through"),
    _case(f"tracepath -n -m 5 {C}", "through, getting narrower", excerpt=True),
    _case(f"tracepath -n -m 5 -l 1350 {C}", "beginning with less"),
    _case(f"tracepath -n -m 3 {UNROUTED}", "no route"),
    _case(f"tracepath -n -m 3 {PROHIBITED}", "prohibited"),
]

_MTR = "mtr --report -n -c 3 -i 0.3 -G 1 -Z 1"

MTR = [
    _case(f"{_MTR} {R}", "the router"),
    _case(f"{_MTR} {B}", "through"),
    _case(f"{_MTR} {C}", "through and a gateway"),
    _case(f"{_MTR} -u {C}", "UDP"),
    _case(f"{_MTR} -T -P 81 {C}", "TCP"),
    _case(f"{_MTR} -s 1300 {C}", "large"),
]

# While it sends, it does not read what it captures, and its buffer holds 16 moments: on a busy
# machine a datagram of many more pieces than that can make it miss the answer.
_HPING = "hping3 -n -I eth0 -c 2 -i u100000"

HPING = [
    _case(f"{_HPING} -1 {R}", "ICMP"),
    _case(f"{_HPING} -1 {B}", "ICMP, through"),
    _case(f"{_HPING} -1 -d 1600 -m 160 {R}", "ICMP in fragments"),
    _case(f"{_HPING} -1 -d 40 -f {B}", "ICMP in small fragments, through"),
    _case(f"{_HPING} -1 --ttl 1 {B}", "TTL 1"),
    _case(f"{_HPING} -1 --ttl 1 {R}", "TTL 1 to the router"),
    _case(f"{_HPING} -1 -o 03 {R}", "TOS with ECN"),
    _case(f"{_HPING} --icmp-ts {R}", "ICMP timestamp"),
    _case(f"{_HPING} --icmp-ts {B}", "ICMP timestamp, through"),
    _case(f"{_HPING} --icmp-addr {R}", "ICMP address mask", silent=True),
    _case(f"{_HPING} -1 -C 8 -K 5 {R}", "an echo request with a code"),
    _case(f"{_HPING} -1 -C 15 --force-icmp {R}", "ICMP information request", silent=True),
    _case(f"{_HPING} -1 -C 200 --force-icmp {R}", "an unknown ICMP type", silent=True),
    _case(f"{_HPING} -1 -C 200 --force-icmp --ttl 1 {B}", "an unknown ICMP type, TTL 1",
          silent=True),
    _case(f"{_HPING} -1 -C 13 --ttl 1 {B}", "an ICMP timestamp, TTL 1"),
    _case(f"{_HPING} -1 -C 5 -K 1 --icmp-gw 10.0.0.9 {R}", "a redirect that nobody needs",
          silent=True),
    _case(f"{_HPING} -1 -C 3 -K 3 --ttl 1 {B}", "an error with TTL 1", silent=True),
    _case(f"{_HPING} -1 -G {R}", "record route"),
    _case(f"{_HPING} -1 -G {B}", "record route, through"),
    _case(f"{_HPING} -1 --lsrr {R} {B}", "loose source route"),
    _case(f"{_HPING} -1 --lsrr {R} --ttl 1 {B}", "loose source route, TTL 1", silent=True),
    _case(f"{_HPING} -1 --lsrr {UNROUTED} {R}", "loose source route to the router", silent=True),
    _case(f"{_HPING} -1 --ssrr {R} {B}", "strict source route", silent=True),
    _case(f"{_HPING} -2 --lsrr {R} -p 9 {B}", "loose source route, UDP"),
    _case(f"{_HPING} -1 --lsrr 10.0.3.1 {B}", "where source routes are not let in", port="p3",
          silent=True),
    _case(f"{_HPING} -2 -p 9 {R}", "UDP to a closed port"),
    _case(f"{_HPING} -2 -p 9 {B}", "UDP to a closed port, through"),
    _case(f"{_HPING} -2 -p 9 -f -d 100 {R}", "UDP in small fragments"),
    _case(f"{_HPING} -2 -p 9 -f -d 100 {B}", "UDP in small fragments, through"),
    _case(f"{_HPING} -2 -p 9 -b {R}", "UDP with a wrong checksum", silent=True),
    _case(f"{_HPING} -2 -p 9 -b --ttl 1 {B}", "UDP with a wrong checksum and TTL 1"),
    _case(f"{_HPING} -2 -p 9 --ttl 1 {B}", "UDP with TTL 1"),
    _case(f"{_HPING} -2 -p 9 -x {R}", "a fragment alone", silent=True),
    _case(f"{_HPING} -2 -p 9 -g 8 --ttl 1 {B}", "TTL 1 in a later fragment", silent=True),
    _case(f"{_HPING} -2 -p 9 -y -d 1380 {C}", "too large, DF"),
    _case(f"{_HPING} -2 -p 9 {UNROUTED}", "no route"),
    _case(f"{_HPING} -S -p 81 {R}", "SYN to a closed port"),
    _case(f"{_HPING} -S -p 81 {B}", "SYN to a closed port, through"),
    _case(f"{_HPING} -S -p {OPEN_TCP_PORT} {B}", "SYN to an open port, through"),
    _case(f"{_HPING} -S -p 81 -f -d 64 {R}", "SYN in small fragments"),
    _case(f"{_HPING} -S -p 81 -b {R}", "SYN with a wrong checksum", silent=True),
    _case(f"{_HPING} -A -p 81 {R}", "ACK"),
    _case(f"{_HPING} -F -P -U -p 81 {R}", "FIN, PSH, URG"),
    _case(f"{_HPING} -p 81 {R}", "no flags"),
    _case(f"{_HPING} -R -p 81 {R}", "RST", silent=True),
    _case(f"{_HPING} -S -A -p 81 -M 1000 -L 2000 -Q {R}", "SYN and ACK, with numbers"),
    _case(f"{_HPING} -S -p 81 --tcp-timestamp {R}", "TCP timestamp"),
    _case(f"{_HPING} -S -p 81 -O 2 {R}", "a data offset that is too small", silent=True),
    _case(f"{_HPING} -0 -H 99 -d 20 {R}", "an unknown protocol"),
    _case(f"{_HPING} -0 -H 99 -d 20 --ttl 1 {B}", "an unknown protocol with TTL 1"),
    _case(f"{_HPING} -0 -H 99 -d 1600 -m 160 {R}", "an unknown protocol in fragments"),
    _case(f"{_HPING} -0 -H 2 -d 20 {R}", "IGMP", silent=True),
    _case(f"hping3 -n -I eth0 -T -1 -c 4 -i u200000 {C}", "traceroute by ICMP"),
    _case(f"hping3 -n -I eth0 -T -2 -p 33434 -c 4 -i u200000 {C}", "traceroute by UDP"),
    _case(f"hping3 -n -I eth0 -8 80-83 -S {B}", "scan, through"),
    _case(f"hping3 -n -I eth0 -8 80-83 -S {R}", "scan"),
]

_NMAP = "nmap -n -r -Pn --send-ip --reason -T4 --max-retries 1"

NMAP = [
    _case(f"{_NMAP} -sO -p 1,6,17,99,136 {R}", "protocols"),
    _case(f"{_NMAP} -sO -p 2,4,41,47,103 {R}", "protocols that routers speak"),
    _case(f"{_NMAP} -sO -p 50,51,108,132,255 {R}", "more protocols"),
    _case(f"{_NMAP} -sO -p 1,2,6,17,99 {B}", "protocols, through", excerpt=True),
    _case(f"{_NMAP} -sU -p 7,53,67,161 {R}", "UDP ports"),
    _case(f"{_NMAP} -sU -p 7,53,67,161 {B}", "UDP ports, through"),
    _case(f"{_NMAP} -sS -p 22,80,443 {R}", "TCP ports"),
    _case(f"{_NMAP} -sS -p 22,80,443 {B}", "TCP ports, through"),
    _case(f"{_NMAP} -sA -p 22,80,443 {R}", "TCP ports by ACK"),
    _case(f"{_NMAP} -sX -p 22,80 {R}", "TCP ports by FIN, PSH and URG"),
    _case(f"{_NMAP} -sS -f -p 22,80 {R}", "TCP ports in small fragments"),
    _case(f"{_NMAP} -sS --mtu 16 -p 22,80 {B}", "TCP ports in small fragments, through"),
    _case(f"{_NMAP} -sS --ttl 1 -p 22,80 {B}", "TCP ports, TTL 1"),
    _case(f"{_NMAP} -sN -p 22,80 {R}", "TCP ports without flags"),
    _case(f"{_NMAP} -sF -p 22,80 {R}", "TCP ports by FIN"),
    _case(f"{_NMAP} -sW -p 22,80 {R}", "TCP ports by the window"),
    _case(f"{_NMAP} -sY -p 22,80 {R}", "SCTP ports"),
    _case(f"{_NMAP} -sU -f -p 7,53 {R}", "UDP ports in small fragments", silent=True),
    _case(f"{_NMAP} -sU -p 7,53 {UNREACHABLE}", "UDP ports of what is unreachable"),
    _case(f"{_NMAP} -sS --ip-options R -p 22,80 {R}", "TCP ports with record route"),
    _case(f"{_NMAP} -sS --ip-options U -p 22,80 {B}", "record route and timestamps, through"),
    _case(f"{_NMAP} -sS --ip-options T -p 22,80 {R}", "TCP ports with timestamps"),
    _case(f"{_NMAP} -sS --badsum -p 22,80 {R}", "TCP ports, wrong checksums", silent=True),
    _case("nmap -n -sn -PE --send-ip 10.0.1.1-3", "who answers echoes"),
    _case("nmap -n -sn -PP --send-ip 10.0.1.1-2", "who answers timestamps"),
    _case(f"nmap -n -sn -PM -T4 --send-ip {R}", "who answers mask requests", silent=True),
    _case(f"nmap -n -sn -Pn --traceroute --send-ip {C}", "its traceroute"),
    _case(f"nmap -n -Pn -O -d -p 81 --max-os-tries 1 --send-ip {R}", "what system is it?"),
]

ALL = PING + ARPING + TRACEROUTE + TRACEPATH + MTR + HPING + NMAP
