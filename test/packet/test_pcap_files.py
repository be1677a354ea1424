"""Capture files that links read and write: which are refused, and what is said of broken ones."""

import contextlib
import os
import signal
import struct
import subprocess

import pytest

import pcap
from frames import address, frame, udp

PACKETS = [(1 + i / 1e4, frame(0, udp(address(0, 2), address(1, 2), payload=b"x" * 1000, ident=i)))
           for i in range(200)]


def add(name, number, **files):
    words = "".join(f",{key}={path}" for key, path in files.items())
    return f"link add {name} type dpdk devargs net_pcap{number}{words}"


def test_a_file_that_is_read_and_written(router, directory):
    precious, other, copy = (directory / name for name in ("a.pcap", "b.pcap", "link.pcap"))
    pcap.write(precious, PACKETS)
    pcap.write(other, [])
    copy.symlink_to(precious)
    before = precious.read_bytes()
    router.start()
    assert "read and written" in router.refusal(add("p0", 0, rx_pcap=precious, tx_pcap=copy))
    router.ctl(add("p0", 0, rx_pcap=precious, tx_pcap=other))
    for files in ({"tx_pcap": copy}, {"rx_pcap": other}, {"tx_pcap": other}):
        reason = router.refusal(add("p1", 1, **files))
        assert "link p0" in reason and str(list(files.values())[0]) in reason
    router.ctl(add("p1", 1, rx_pcap=copy, tx_pcap="/dev/null"))
    router.ctl(add("p2", 2, rx_pcap=copy, tx_pcap="/dev/null"))
    router.stop()
    assert precious.read_bytes() == before


def with_type(path, order, number):
    path.write_bytes(struct.pack(order + "IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, number))


def pcapng(path, order, number):
    path.write_bytes(struct.pack(order + "IIIHHqI", 0x0a0d0d0a, 28, 0x1a2b3c4d, 1, 0, -1, 28)
                     + struct.pack(order + "IIHHII", 1, 20, number, 0, 65535, 20))


@pytest.mark.parametrize("write", [with_type, pcapng])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_capture_without_ethernet(router, directory, write, order):
    write(directory / "raw", order, 101)
    write(directory / "ether", order, 1)
    router.start()
    reason = router.refusal(add("p0", 0, rx_pcap=directory / "raw", tx_pcap="/dev/null"))
    assert f"{directory}/raw" in reason and "type RAW (Raw IP)" in reason
    router.ctl(add("p0", 0, rx_pcap=directory / "ether", tx_pcap="/dev/null"))
    router.stop()


@pytest.mark.parametrize("rest", [10, 200])
def test_a_capture_that_is_cut_short(router, captures, directory, rest):
    """It is said, and what is whole is replayed."""
    commands = captures.port(0, PACKETS)
    whole = (directory / "in0.pcap").read_bytes()
    record = (len(whole) - 24) // len(PACKETS)
    (directory / "in0.pcap").write_bytes(whole[:24 + 7 * record + rest])
    router.start(commands)
    assert router.settled(7)["received"] == 7
    said = router.said()
    assert said.count("\n") == 1 and "read whole: packet 8 " in said, said
    router.process.send_signal(signal.SIGTERM)
    assert router.process.wait(5) == 0
    router.process = None


@contextlib.contextmanager
def small_disk(path):
    path.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(path)],
                          capture_output=True)
    if done.returncode != 0:
        pytest.skip("a file system can not be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(path)], check=True)


@pytest.mark.parametrize("packets, status", [(20, 0), (200, 1)])
def test_the_disk_is_full(router, captures, directory, packets, status):
    with small_disk(directory / "small"):
        commands = captures.port(0, PACKETS[:packets]) + captures.port(1) + [
            f"neigh add {address(1, 2)} lladdr 02:00:00:00:01:02 dev p1"]
        commands = [c.replace(f"{directory}/out1", f"{directory}/small/out1") for c in commands]
        router.spawn(router.words("-c", str(router.write_config(commands)), "--until-idle"))
        assert router.process.wait(20) == status
        router.process = None
        assert os.path.getsize(directory / "small/out1.pcap") <= 65536
    said = router.said()
    assert (f"{directory}/small/out1.pcap" in said) == bool(status), said
    assert ("Error: not all that was sent" in said) == bool(status), said
