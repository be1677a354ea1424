"""Fixtures: routers that are gone when the test is, and ports of captures to give to one."""

import itertools
import pathlib
import tempfile

import pytest

import frames
import pcap
from router import MILLCTL, MILLRACE, Router


def pytest_sessionstart(session):
    for binary in (MILLRACE, MILLCTL):
        if not pathlib.Path(binary).exists():
            pytest.exit(f"{binary} is not there; build first (MILLRACE, MILLCTL name others)", 2)


@pytest.fixture
def directory():
    """A new one, with a short path, as sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="mrpkt") as path:
        yield pathlib.Path(path)


@pytest.fixture
def make_router(directory):
    """A function that makes routers, which are killed at the end if they still run."""
    made = []

    def make(**options):
        made.append(Router(directory, **options))
        return made[-1]

    yield make
    for one in made:
        one.kill()


@pytest.fixture
def router(make_router):
    return make_router()


class Captures:
    """Ports on capture files: what goes in, the commands that make the links, what came out."""

    def __init__(self, directory):
        self.directory = directory
        self.numbers = itertools.count()

    def port(self, number, records=(), up=True, link="", endless=False):
        """The commands for port N, which receives these (seconds, frame); or over and over, as
        fast as they are taken, and then nobody keeps what leaves."""
        pcap.write(self.directory / f"in{number}.pcap", records)
        name = f"p{number}"
        rest = "infinite_rx=1" if endless else f"tx_pcap={self.directory}/out{number}.pcap"
        commands = [f"link add {name} type dpdk devargs net_pcap{number},"
                    f"rx_pcap={self.directory}/in{number}.pcap,{rest}"
                    f" address {frames.mac(number)} {link}",
                    f"addr add {frames.router_address(number)}/24 dev {name}"]
        return commands + ([f"link set {name} up"] if up else [])

    def out(self, number):
        """Frames that left by port N."""
        return pcap.frames(self.directory / f"out{number}.pcap")


@pytest.fixture
def captures(directory):
    return Captures(directory)
