#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes a capture, routes it through millrace, and tells what became of every packet.

Called by ./demo: run.py MILLRACE MILLCTL CONFIGURATION DIRECTORY
"""

import collections
import json
import os
import pathlib
import subprocess
import sys
import time

import story
from frames import ETH_ARP, ETH_IP, ICMP, Packet, read_capture, write_capture

TIMEOUT_SECONDS = 30
BROADCAST = "ff:ff:ff:ff:ff:ff"
ICMP_TEXT = {
    (3, 0): "network unreachable", (3, 1): "host unreachable", (3, 3): "port unreachable",
    (3, 4): "frag needed", (11, 0): "time exceeded",
}
# What a packet is dropped for when this ICMP message told its sender so.
ICMP_REASON = {(3, 0): "IP_NOROUTE", (3, 1): "NEIGH_FAILED", (3, 3): "NO_SOCKET",
               (3, 4): "PKT_TOO_BIG", (11, 0): "IP_TTL"}

COLOURS = sys.stdout.isatty() and os.environ.get("TERM") != "dumb" \
    and "NO_COLOR" not in os.environ


def paint(colour, text):
    return f"\033[{colour}m{text}\033[0m" if COLOURS else text


def bold(text):
    return paint("1", text)


def heading(text):
    print("\n" + bold(text))


class Router:
    """The daemon, run in the directory where the captures are."""

    def __init__(self, millrace, millctl, configuration, directory):
        self.millctl, self.directory = millctl, directory
        # Ordinary memory and nothing shared, so that this runs anywhere, beside anything.
        self.words = [millrace, "-c", configuration, "-s", "millrace.sock", "--time", "packet",
                      "--", "--no-huge", "-m", "256", "--no-shconf", "--no-telemetry"]
        self.log = directory / "millrace.log"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(self.words, cwd=directory, stdout=log, stderr=log)

    def ask(self, *words):
        return json.loads(subprocess.run(
            [self.millctl, "-s", "millrace.sock", "-j", *words], cwd=self.directory,
            capture_output=True, check=True, text=True).stdout)

    def print(self, *words):
        return subprocess.run(
            [self.millctl, "-s", "millrace.sock", *words], cwd=self.directory,
            capture_output=True, check=True, text=True).stdout

    def account_when_done(self, packets):
        """The account of packets, once all have been received and none is held any more."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                account = self.ask("drops")
            except (subprocess.CalledProcessError, json.JSONDecodeError):
                account = {"received": 0}           # it is still starting
            if account["received"] >= packets and account["held"] == 0:
                return account
            time.sleep(0.05)
        self.process.kill()
        sys.exit(f"millrace did not get through the capture. It said:\n{self.log.read_text()}")

    def stop(self):
        subprocess.run([self.millctl, "-s", "millrace.sock", "shutdown"], cwd=self.directory,
                       check=True)
        if self.process.wait(TIMEOUT_SECONDS):
            sys.exit(f"millrace ended with an error:\n{self.log.read_text()}")


def write_inputs(events, directory):
    for port in story.PORTS:
        write_capture(directory / f"{port}-in.pcap",
                      [(story.BEGIN + e.at, e.frame) for e in events if e.port == port])


class Outputs:
    """What came out of the ports, to be taken piece by piece."""

    def __init__(self, directory):
        self.left = {port: [Packet(f) for f in read_capture(directory / f"{port}-out.pcap")]
                     for port in story.PORTS}
        self.counts = {port: len(packets) for port, packets in self.left.items()}
        # addresses that the router asked everybody for, until the first packet to them
        self.asked_for = {(port, p.target): p.target for port, packets in self.left.items()
                          for p in packets if p.kind == ETH_ARP and p.operation == 1
                          and p.dst_mac == BROADCAST}

    def take(self, wanted):
        """The first that is wanted, with its port; None, None if there is none."""
        for port, packets in self.left.items():
            for packet in packets:
                if wanted(packet):
                    packets.remove(packet)
                    return port, packet
        return None, None


def arp_fate(packet, outputs):
    if packet.operation == 2:
        return f"learned: {packet.sender} is at {packet.sender_mac}", "learned"
    port, reply = outputs.take(lambda p: p.kind == ETH_ARP and p.operation == 2
                               and p.target == packet.sender)
    if reply:
        return f"answered on {port}: {reply.sender} is at {reply.sender_mac}", "answered"
    return None, None


def forwarded(packet, outputs):
    def same(other):
        return other.kind == ETH_IP and other.protocol == packet.protocol \
            and other.key == packet.key and other.dst_mac != packet.dst_mac

    port, out = outputs.take(same)
    if not out:
        return None, None
    text = f"forwarded out {port}, TTL {packet.ttl} -> {out.ttl}"
    pieces = 1
    while outputs.take(same)[1]:
        pieces += 1
    if pieces > 1:
        text += f", in {pieces} pieces"
    if packet.frame[14 + packet.length:].strip(b"\0"):
        text += ", filling kept" if out.padding else ", filling left out"
    asked = outputs.asked_for.pop((port, packet.dst), None)
    if asked:
        text += f", after ARP for {asked}"
    return text, "forwarded"


def answered(packet, outputs):
    def error_about_it(other):
        return other.kind == ETH_IP and other.protocol == ICMP \
            and getattr(other, "quoted", None) == packet.key

    def echo_reply(other):
        return other.kind == ETH_IP and other.protocol == ICMP and other.icmp == 0 \
            and other.src == packet.dst and other.echo_id == packet.echo_id

    if packet.protocol == ICMP and packet.icmp == 8:
        port, reply = outputs.take(echo_reply)
        if reply:
            return f"answered on {port}: echo reply", "answered", None
    port, error = outputs.take(error_about_it)
    if not error:
        return None, None, None
    kind = (error.icmp, error.code)
    text = ICMP_TEXT.get(kind, f"type {kind[0]} code {kind[1]}")
    if kind == (3, 4):
        text += f", MTU {error.info & 0xffff}"
    reason = ICMP_REASON.get(kind)
    return f"dropped: {reason} -> ICMP {text}", "answered", reason


def fates(events, outputs, dropped):
    """(event, text, kind, drop reason) of each; dropped: how often for which reason."""
    left = collections.Counter(dropped)
    for event in events:
        packet = Packet(event.frame)
        text = kind = reason = None
        if packet.kind == ETH_ARP:
            text, kind = arp_fate(packet, outputs)
        elif packet.kind == ETH_IP:
            text, kind = forwarded(packet, outputs)
            if not text:
                text, kind, reason = answered(packet, outputs)
        if not text:
            reason = event.reason if left[event.reason] > 0 else None
            text, kind = f"dropped: {reason or 'for one of the reasons below'}", "dropped"
        left[reason] -= 1
        yield event, text, kind, reason


def tell_fates(rows):
    heading("What went in, and what became of it")
    colours = {"forwarded": "32", "answered": "36", "learned": "36", "dropped": "31"}
    width = max(len(event.text) for event, *_ in rows)
    print(f"  seconds  in  {'packet':{width}}  what became of it")
    for event, text, kind, _ in rows:
        print(f"  {event.at:7.3f}  {event.port}  {event.text:{width}}  "
              f"{paint(colours[kind], text)}")
    kinds = collections.Counter(kind for *_, kind, _ in rows)
    print(f"  {len(rows)} frames: {kinds['forwarded']} forwarded,"
          f" {len(rows) - kinds['forwarded'] - kinds['dropped']} for the router to answer or"
          f" learn from, {kinds['dropped']} dropped in silence")


def tell_rest(outputs):
    """What the router sent of its own accord."""
    asked = collections.Counter(
        (port, p.target, "everybody" if p.dst_mac == BROADCAST else "it alone")
        for port, packets in outputs.left.items() for p in packets
        if p.kind == ETH_ARP and p.operation == 1)
    heading("What the router sent of its own accord")
    for (port, target, whom), times in asked.items():
        print(f"    on {port}, {times} x ARP: who has {target}? asking {whom}")
    return sum(map(len, outputs.left.values())) - sum(asked.values())


def tell_drops(account):
    heading("Why packets were dropped (millctl drops)")
    for row in account["reasons"]:
        print(f"    {row['packets']:3} {row['reason']:16} {row['help']}")


def tell_account(account, events, outputs):
    heading("The account")
    a = account
    print(f"    {a['received']} received + {a['originated']} originated = "
          f"{a['transmitted']} transmitted + {a['delivered']} delivered + "
          f"{a['dropped']} dropped + {a['held']} held")
    for port, count in outputs.counts.items():
        print(f"    {port}: {sum(e.port == port for e in events)} frames in, {count} out")


def indent(text):
    return "".join(f"    {line.rstrip()}\n" for line in text.splitlines() if line.strip("# \n"))


def tell_state(nstat, neighbours, routes):
    heading("Counters that moved, under Linux's names (millctl nstat)")
    lines = [line.split()[:2] for line in nstat.splitlines() if not line.startswith("#")]
    half = (len(lines) + 1) // 2
    for left, right in zip(lines[:half], lines[half:] + [["", ""]]):
        print(f"    {left[0]:26} {left[1]:>6}      {right[0]:26} {right[1]:>6}".rstrip())
    heading("Routes (millctl route)")
    print(indent(routes), end="")
    heading("Neighbours (millctl neigh)")
    print(indent(neighbours), end="")


def tell_further(router, configuration, directory):
    heading("Where it lies, and how to look further")
    where = os.path.relpath(directory)
    if where.startswith(".."):
        where = str(directory)
    names = {word: os.path.relpath(word) for word in (router.words[0], router.millctl,
                                                      configuration)}
    if any(name.startswith("..") for name in names.values()):
        names = {word: word for word in names}
    millrace, millctl, configuration = names.values()
    print(f"""\
    captures       {where}/p0-in.pcap p1-in.pcap (made), p0-out.pcap p1-out.pcap (came out)
    configuration  {configuration}
    look into one  tcpdump -nevr {where}/p1-out.pcap
                   tshark -r {where}/p0-out.pcap -V -Y icmp
    run it again   (cd {where} && {os.path.abspath(millrace)} \\
                       -c {os.path.abspath(configuration)} --until-idle --time packet)
    or leave it running (without --until-idle), and ask it, in another terminal:
                   {millctl} drops
                   {millctl} link show -s
                   {millctl} route get 198.51.100.7
                   {millctl}                  (a shell: Tab completes, help explains)""")


def main():
    millrace, millctl, configuration = map(os.path.abspath, sys.argv[1:4])
    directory = pathlib.Path(sys.argv[4]).resolve()
    events = story.events()
    write_inputs(events, directory)
    heading("The network")
    print(story.PICTURE, end="", flush=True)

    router = Router(millrace, millctl, configuration, directory)
    account = router.account_when_done(len(events))
    state = [router.print(*words) for words in (["nstat"], ["neigh"], ["route"])]
    router.stop()

    outputs = Outputs(directory)
    dropped = {row["reason"]: row["packets"] for row in account["reasons"]}
    rows = list(fates(events, outputs, dropped))
    tell_fates(rows)
    unexplained = tell_rest(outputs)
    tell_drops(account)
    tell_account(account, events, outputs)
    tell_state(*state)
    tell_further(router, configuration, directory)

    # The demo is also a test of itself: every drop belongs to a packet, and every frame that
    # came out is explained.
    told = collections.Counter(reason for *_, reason in rows if reason)
    if told != dropped or unexplained or account["balance"]:
        print(f"\n{paint('31', 'Something is wrong')}: drops told {dict(told)}, counted {dropped};"
              f" {unexplained} frames came out unexplained; balance {account['balance']}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
