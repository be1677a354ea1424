"""Proves that the harness can fail: Linux against Linux, with something wrong on one side.

Three kinds of wrong:
  - every scenario is played with one bit of one answer flipped (or, where there is no answer,
    one counter off by one);
  - selected scenarios are played with the second router configured a little differently;
  - the comparison of two frames is given every single-byte change, and the few changes it is to
    forgive.
What is not noticed counts as failed.
"""

import copy
import functools
import struct
import time

from . import compare, layout, packets, random_run, runner
from .scenario import Difference

# A command for the second router only, and a scenario that must then fail.
_PERTURBATIONS = (
    ("sysctl net.ipv4.ip_default_ttl=63", "C6: TOS of an error"),
    ("sysctl net.ipv4.conf.all.rp_filter=1", "A class 4: odd but ordinary sources are forwarded"),
    ("sysctl net.ipv4.icmp_echo_ignore_broadcasts=0", "F: echo to broadcasts and multicasts"),
    ("sysctl net.ipv4.icmp_errors_use_inbound_ifaddr=1",
     "C6: an error is sent from the address toward the sender"),
    ("sysctl net.ipv4.icmp_ratelimit=700", "C7: then one a second"),
    ("sysctl net.ipv4.icmp_ratemask=0", "C7: six at once for each sender"),
    ("sysctl net.ipv4.conf.p1.forwarding=0", "C1: TTL 0 and 1 are answered"),
    ("sysctl net.ipv4.conf.p0.arp_ignore=1",
     "I: requests are answered, whichever port has the address"),
    ("sysctl net.ipv4.conf.p1.arp_accept=1", "I: unasked replies make no entry"),
    ("sysctl net.ipv4.neigh.p1.unres_qlen_bytes=100000",
     "I: the queue holds so many bytes, the oldest go"),
    ("sysctl net.ipv4.neigh.p1.retrans_time_ms=1300",
     "I: nobody answers: three requests, then errors"),
    ("sysctl net.ipv4.neigh.p1.mcast_solicit=2",
     "I: nobody answers: three requests, then errors"),
    ("link set p2 mtu 1396", "C3, C4: too big with DF"),
    ("route del unreachable 172.16.1.0/24", "H3: kinds of routes, forwarding on"),
    ("route add 20.1.1.0/25 via 10.0.1.254", "H1: the longest prefix wins"),
    ("addr add 10.0.0.99/24 dev p0", "I: requests for others are not"),
    (f"neigh replace {layout.H1} lladdr {layout.STRANGER_MAC} dev p1 nud permanent",
     "A2: routed UDP, every byte of data kept"),
)


class Damage:
    """Flips one bit of the first answer it sees, and if there is none, counts one too many."""

    def __init__(self):
        self._damaged = None        # the answer, by port and original bytes

    def outputs(self, got):
        spoilt = {port: list(records) for port, records in got.items()}
        for port, records in spoilt.items():
            for index, (at, frame) in enumerate(records):
                if self._damaged is None:
                    self._damaged = port, frame
                if self._damaged == (port, frame):
                    records[index] = at, frame[:-1] + bytes([frame[-1] ^ 1])
                    return spoilt
        return spoilt

    def counters(self, got):
        if self._damaged is not None:
            return got
        return {**got, "Ip.InReceives": got.get("Ip.InReceives", 0) + 1}


def _must_fail(name, options, scenario, **wrong):
    started = time.monotonic()
    try:
        runner.play(scenario, options, **wrong)
        outcome, report = runner.FAILED, "nobody noticed"
    except Difference:
        outcome, report = runner.PASSED, ""
    return runner.Result(name, outcome, report, time.monotonic() - started)


def _random_must_fail(name, options):
    chapter = random_run.Chapter(1, 512, options)

    def story(play):
        play.testbed.sides[1].router.run(["sysctl net.ipv4.ip_default_ttl=63"])
        chapter.tell(play, boil_down=False)
    return _must_fail(name, options, chapter.scenario(story))


def _jobs(chosen, options):
    for scenario in chosen:
        name = f"damaged: {scenario.name}"
        yield runner.Job(name, functools.partial(_must_fail, name, options, scenario,
                                                 damage=Damage()), scenario.slow)
    by_name = {scenario.name: scenario for scenario in chosen}
    for command, scenario_name in _PERTURBATIONS:
        scenario = by_name.get(scenario_name)
        if scenario is not None:
            name = f"{command}: {scenario_name}"
            yield runner.Job(name, functools.partial(
                _must_fail, name, options, scenario, perturbation=(command,)), scenario.slow)
    name = "random frames with another TTL"
    yield runner.Job(name, functools.partial(_random_must_fail, name, options))


# The comparison by itself.

def _with_id(frame, ident):
    header = bytearray(frame[14:34])
    header[4:6] = struct.pack("!H", ident)
    header[10:12] = b"\0\0"
    header[10:12] = struct.pack("!H", packets.checksum(bytes(header)))
    return frame[:14] + bytes(header) + frame[34:]


def _comparison_checks():
    """(name, whether the two are to count as the same, one frame, another)"""
    def framed(packet):
        return packets.ethernet(layout.host_mac("p0"), layout.router_mac("p0"),
                                packets.ETH_IP, packet)

    now = struct.pack("!I", int(time.time() * 1000) % 86_400_000)
    long_ago = struct.pack("!I", 12_345)
    samples = {
        "forwarded": framed(packets.udp(layout.H1, layout.H0)),
        "echo reply": framed(packets.icmp(layout.R0, layout.H0, 0, data=b"12345678")),
        "error": framed(packets.icmp(layout.R0, layout.H0, 11,
                                     data=packets.udp(layout.H0, layout.H1))),
        "reset": framed(packets.tcp(layout.R0, layout.H0, packets.RST, flags=packets.DF, id=0)),
        "timestamp reply": framed(packets.icmp(layout.R0, layout.H0, 14,
                                               data=bytes(4) + now + now)),
        "ARP": packets.arp(1, layout.router_mac("p0"), layout.R0, "00:00:00:00:00:00",
                           layout.H0, dst=layout.BROADCAST_MAC),
    }
    for name, frame in samples.items():
        for offset in range(len(frame)):
            changed = frame[:offset] + bytes([frame[offset] ^ 0x10]) + frame[offset + 1:]
            yield f"{name}, byte {offset}", False, frame, changed
        yield f"{name}, cut", False, frame, frame[:-1]
        padding = bytes(max(0, 60 - len(frame)))
        yield f"{name}, padded", True, frame, frame + padding
        if padding:
            yield f"{name}, dirty padding", False, frame, frame + padding[:-1] + b"\1"
    for name in ("echo reply", "error"):
        yield f"{name}, ID", True, samples[name], _with_id(samples[name], 1)
    for name in ("forwarded", "reset"):
        yield f"{name}, ID", False, samples[name], _with_id(samples[name], 1)
    for times, same in ((bytes(4) + now + now, True), (bytes(4) + long_ago * 2, False),
                        (bytes(4) + now + long_ago, False)):
        other = framed(packets.icmp(layout.R0, layout.H0, 14, data=times))
        yield "timestamp reply, times", same, samples["timestamp reply"], other


def _check_comparison():
    own = compare.OwnAddresses()
    own.add(layout.R0)
    failed = 0
    passed = 0
    for name, same, left, right in _comparison_checks():
        if compare.same(left, right, own) == same:
            passed += 1
        else:
            failed += 1
            print(f"comparison: {name}: should be {'the same' if same else 'different'}")
    return passed, failed


def run(chosen, options):
    """Returns how many checks passed, failed, and were skipped."""
    options = copy.copy(options)
    options.self_mode = True
    passed, failed = _check_comparison()
    outcomes = []

    def take(result):
        outcomes.append(result.outcome)
        runner.print_result(result, options.verbose)

    runner.run_jobs(list(_jobs(chosen, options)), options, take)
    return (passed + outcomes.count(runner.PASSED), failed + outcomes.count(runner.FAILED), 0)
