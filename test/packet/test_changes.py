"""Anything is changed while packets of all kinds flow: none is lost count of, and each buffer comes
back."""

import random
import time

import pytest

from frames import address, echo, frame, udp
from router import wait_for

A, ROUTER = address(0, 2), address(0, 1)
SECONDS = 6
LINKS = {"n1": "net_null{},no-rx=1", "r2": "net_ring{}", "n3": "net_null{},no-rx=1",
         "r4": "net_ring{}"}
SETTINGS = ("net.millrace.defrag=1", "net.millrace.defrag=0", "net.ipv4.ip_forward=0",
            "net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=1",
            "net.ipv4.conf.all.rp_filter=0")
FILTERS = ("filter add forward ip ttl 255 drop", "filter add input counter accept", "filter flush")


def gateway(name):
    return f"10.5.{name[1]}.2"


def flood(dice):
    """Ordinary packets, pings, some that are over, some that are cut, pieces that may fit."""
    for number in range(1000):
        to = f"10.{60 + dice.randrange(4)}.0.{dice.randrange(256)}"
        kind = dice.randrange(8)
        if kind < 3:
            yield frame(0, udp(A, to, ttl=dice.choice((1, 2, 64, 255))))
        elif kind == 3:
            yield frame(0, udp(A, to, bytes(1400)))
        elif kind == 4:
            yield frame(0, echo(A, ROUTER, number))
        else:
            yield frame(0, udp(A, dice.choice((ROUTER, to)), bytes(8 * dice.randrange(1, 4)),
                               dice.randrange(40), frag=dice.randrange(12),
                               flags=dice.choice((0, "MF", "MF"))))


class Changes:
    def __init__(self, router, dice):
        self.router, self.dice, self.devices = router, dice, 0

    def make(self, name):
        self.devices += 1
        mac = f"02:00:00:00:05:0{name[1]}"
        return [f"link add {name} type dpdk devargs {LINKS[name].format(self.devices)} "
                f"address {mac}", f"addr add 10.5.{name[1]}.1/24 dev {name}", f"link set {name} up",
                f"neigh replace {gateway(name)} lladdr {mac} dev {name}"]

    def routes(self):
        return [f"route replace 10.{60 + number}.0.0/16 via {gateway(name)}"
                for number, name in enumerate(LINKS)]

    def all(self):
        lines = [line for name in LINKS for line in self.make(name)]
        self.router.batch(lines + self.routes())

    def one(self):
        name = self.dice.choice(list(LINKS))
        kind = self.dice.randrange(8)
        if kind < 3:
            lines = [f"link del {name}", *self.make(name)]
        elif kind == 3:
            lines = [f"link set {name} down", f"link set {name} up"]
        elif kind == 4:
            lines = [f"link set {name} mtu {self.dice.choice((68, 576, 1500))}"]
        elif kind == 5:
            lines = [f"neigh flush dev {name}", "frag flush"]
        elif kind == 6:
            lines = [f"sysctl {self.dice.choice(SETTINGS)}"]
        else:
            lines = [self.dice.choice(FILTERS)]
        self.router.batch(lines + self.routes())


@pytest.mark.parametrize("path", [(), ("--no-fast-path",)], ids=["fast", "general"])
def test_all_is_changed_under_load(router, captures, path):
    dice = random.Random(7)
    records = [(1 + n / 1e4, one) for n, one in enumerate(flood(dice))]
    router.start(captures.port(0, records, up=False, endless=True), *path)
    idle = router.buffers()
    changes = Changes(router, dice)
    changes.all()
    router.ctl("link set p0 up")
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        changes.one()
    assert router.account()["transmitted"] > 0
    router.batch([f"link set {name} down" for name in ("p0", *LINKS)]
                 + ["sysctl net.ipv4.ip_forward=1", "neigh flush", "frag flush"])
    wait_for(lambda: router.account()["held"] == 0, what="nothing held")
    account = router.account()
    assert account["balance"] == 0, account
    wait_for(lambda: router.buffers() == idle, what="all buffers")
    router.stop()
