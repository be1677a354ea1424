"""Fragments of one datagram come in by any queue, so that any worker may have them: each datagram
comes out once and whole, and what never becomes one is given back.

There are more workers than CPUs, so that each is stopped at any moment for as long as others run.
"""

import random
import struct
import time

import pytest

import frames
from frames import checksum
import pcap
from router import MEMORY, wait_for

QUEUES = 4
WORKERS_ON_TWO_CPUS = (*MEMORY, "--lcores", "0@0,1@0,2@1,3@1,4@1")
SENDERS = 240
HERE = "10.0.9.1"
MORE = 0x2000
TIME_EXCEEDED = 11

# No more in one wave than the rings between the workers hold, whoever may sleep meanwhile.
WAVE = 1200
WAVES = 3
IN_FILES = 20000    # datagrams; limits are reached soon where one file is read before another


def piece(sender, ident, message, start, end, protocol=1):
    """Bytes of a message to the router as a fragment, in a frame from the gateway at port 9."""
    word = start // 8 | (MORE if end < len(message) else 0)
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + end - start, ident, word, 64, protocol, 0,
                         bytes((10, 8, 0, 1 + sender)), bytes(map(int, HERE.split("."))))
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    return (bytes.fromhex((frames.mac(9) + frames.host_mac(9, 2)).replace(":", ""))
            + b"\x08\x00" + header + message[start:end])


def echo(kind, number, data):
    head = struct.pack("!BBHHH", kind, 0, 0, number >> 16, number & 0xffff)
    return head[:2] + struct.pack("!H", checksum(head + data)) + head[4:] + data


def cuts(rng, size):
    """Two to twelve pieces: where they begin and end."""
    units = (size + 7) // 8
    inner = sorted(rng.sample(range(1, units), min(rng.randrange(1, 12), units - 1)))
    edges = [0, *(8 * unit for unit in inner), size]
    return list(zip(edges, edges[1:]))


def requests(rng, numbers):
    """Echo requests {number: data}, and all their fragments in no order."""
    asked, fragments = {}, []
    for number in numbers:
        asked[number] = rng.randbytes(rng.randrange(9, 3000))
        message = echo(8, number, asked[number])
        fragments += [piece(number % SENDERS, number // SENDERS, message, *span)
                      for span in cuts(rng, len(message))]
    rng.shuffle(fragments)
    return asked, fragments


def deal(rng, directory, wave, fragments):
    """The commands for two ports of two queues each, which receive them."""
    queues = [[] for _ in range(QUEUES)]
    for fragment in fragments:
        queues[rng.randrange(QUEUES)].append((1, fragment))
    files = [directory / f"in{wave}_{number}.pcap" for number in range(QUEUES)]
    for path, records in zip(files, queues):
        pcap.write(path, records)
    commands = []
    for port in (0, 1):
        received = ",".join(f"rx_pcap={path}" for path in files[2 * port:2 * port + 2])
        commands += [f"link add p{port} type dpdk devargs net_pcap{port},{received}"
                     f" address {frames.mac(9)}", f"addr add 10.0.{port}.1/24 dev p{port}",
                     f"link set p{port} up"]
    return commands


def port_out(directory):
    """Port 9, by which all answers leave; a queue for each worker."""
    pcap.write(directory / "none.pcap", [])
    sent = ",".join(f"tx_pcap={directory}/out{number}.pcap" for number in range(QUEUES))
    return [f"link add p9 type dpdk devargs net_pcap9,rx_pcap={directory}/none.pcap,{sent}"
            f" address {frames.mac(9)}",
            f"addr add {HERE}/24 dev p9", "link set p9 up",
            f"neigh add 10.0.9.2 lladdr {frames.host_mac(9, 2)} dev p9",
            "route add 10.8.0.0/16 via 10.0.9.2",
            # files wait, so that none of their fragments are too many
            "sysctl net.millrace.ipfrag_overload_rate=1",
            "sysctl net.ipv4.ipfrag_max_dist=0", "sysctl net.ipv4.ipfrag_high_thresh=200000000",
            "sysctl net.millrace.ipfrag_mbufs_max=16384"]


def answers(directory):
    """The echo replies in the order in which they left: (number, data)."""
    came = []
    for queue in range(QUEUES):
        parts = {}
        for frame in pcap.frames(directory / f"out{queue}.pcap"):
            total, ident, word = struct.unpack_from("!HHH", frame, 16)
            assert checksum(frame[14:34]) == 0
            key, data = (frame[30:34], ident), frame[34:14 + total]
            assert len(parts.get(key, b"")) == (word & 0x1fff) * 8
            parts[key] = parts.get(key, b"") + data
            if word & MORE:
                continue
            message = parts.pop(key)
            assert checksum(message) == 0
            if message[0] != TIME_EXCEEDED:
                assert message[0] == 0
                came.append((struct.unpack_from("!I", message, 4)[0], message[8:]))
        assert not parts
    return came


def nstat(router, name):
    return router.show(f"nstat {name}").get(name, 0)


@pytest.mark.parametrize("options", [[], ["--no-fast-path"]], ids=["default", "general"])
def test_every_datagram_once_and_whole(router, directory, options):
    rng = random.Random(20)
    router.start(port_out(directory), *options, eal=WORKERS_ON_TWO_CPUS)
    asked, sent = {}, 0
    for wave in range(WAVES):
        more, fragments = requests(rng, range(wave * WAVE, (wave + 1) * WAVE))
        asked.update(more)
        sent += len(fragments)
        router.batch(deal(rng, directory, wave, fragments))
        account = router.settled(sent, held=0)
        assert nstat(router, "Ip.ReasmOKs") == len(asked)
        router.batch(["link del p0", "link del p1"])
    assert (account["received"], account["dropped"]) == (sent, 0), account
    assert nstat(router, "Ip.ReasmReqds") == sent
    assert nstat(router, "Ip.ReasmFails") == 0
    assert len([worker for worker in router.show("worker show") if worker["packets"]]) == QUEUES
    assert sum(router.buffers().values()) == 0
    router.stop()
    came = answers(directory)
    assert len(came) == len(asked)
    assert dict(came) == asked


@pytest.mark.parametrize("defrag", [0, 1])
def test_files_of_more_than_the_rings_hold(router, directory, defrag):
    rng = random.Random(21)
    asked, fragments = {}, []
    for start in range(0, IN_FILES, 50):
        more, mixed = requests(rng, range(start, start + 50))
        asked.update(more)
        fragments += mixed
    # all in the configuration, so that no port is read before the other one is there
    router.start([*port_out(directory), f"sysctl net.millrace.defrag={defrag}",
                  *deal(rng, directory, 0, fragments)], eal=WORKERS_ON_TWO_CPUS)
    account = router.settled(len(fragments), held=0, seconds=60)
    assert (account["received"], account["dropped"]) == (len(fragments), 0), account
    assert nstat(router, "Ip.ReasmOKs") == IN_FILES
    router.stop()
    came = answers(directory)
    assert len(came) == IN_FILES
    assert dict(came) == asked


def hostile(rng, number):
    """Fragments of one datagram that will not be put together, in no order."""
    message = bytes(8 * rng.randrange(8, 200))
    kind, sender, units = number % 4, number % SENDERS, len(message) // 8
    spans = [(8 * unit, 8 * unit + 8) for unit in range(1, units)]
    if kind == 1:
        spans = spans[::2]
    elif kind == 2:
        spans += [(0, 8), (8 * (units // 2) - 8, 8 * (units // 2) + 8)] * 2
    made = [piece(sender, number // SENDERS, message, *span, protocol=2) for span in spans]
    if kind == 3:
        made += [piece(sender, number // SENDERS, message[:end], 8, end, protocol=2)
                 for end in (40, 48)]
    rng.shuffle(made)
    return made


def test_what_never_becomes_a_datagram_is_given_back(router, directory):
    rng = random.Random(21)
    router.start(port_out(directory) + ["sysctl net.ipv4.ipfrag_time=3"],
                 eal=WORKERS_ON_TWO_CPUS)
    asked, fragments = requests(rng, range(1000 * SENDERS, 1000 * SENDERS + 100))
    for number in range(300):
        fragments += hostile(rng, number)
    rng.shuffle(fragments)
    router.batch(deal(rng, directory, 0, fragments))
    router.settled(len(fragments))
    wait_for(lambda: router.account()["held"] == 0, 20, "all timers running out")
    account = router.settled(len(fragments), held=0)
    assert sum(router.buffers().values()) == 0
    assert nstat(router, "Ip.ReasmTimeout") > 0
    assert nstat(router, "IpExt.ReasmOverlaps") > 0
    lost = sum(account["reasons"].get(reason, 0)
               for reason in ("FRAG_QUEUE_FULL", "FRAG_MBUFS_MAX", "FRAG_TABLE_FULL"))
    router.stop()
    came = answers(directory)
    assert len(came) == len(dict(came)) >= len(asked) - lost
    assert dict(came).items() <= asked.items()


def overloaded(captures, ordinary):
    """Twelve pieces that are one datagram each two, and so many other packets, over and over."""
    to = frames.router_address(0)
    pieces = [frames.frame(0, frames.udp(frames.address(0, 2), to, bytes(16), number // 2,
                                         frag=number % 2 * 3, flags=("MF", 0)[number % 2]))
              for number in range(12)]
    others = [frames.frame(0, frames.udp(frames.address(0, 2), f"10.60.0.{number}"))
              for number in range(ordinary)]
    return captures.port(0, [(1, one) for one in pieces + others], endless=True) + [
        "link add out type dpdk devargs net_null5,no-rx=1 address 02:00:00:00:05:01",
        "addr add 10.5.0.1/24 dev out", "link set out up",
        "neigh add 10.5.0.2 lladdr 02:00:00:00:05:02 dev out",
        "route add 10.60.0.0/16 via 10.5.0.2"]


@pytest.mark.parametrize("path", [(), ("--no-fast-path",)], ids=["fast", "general"])
def test_no_more_than_a_rate_while_overloaded(router, captures, path):
    router.start(["sysctl net.millrace.ipfrag_overload_rate=1000"] + overloaded(captures, 100),
                 *path)
    wait_for(lambda: router.account()["reasons"].get("FRAG_OVERLOAD", 0) > 100000,
             what="fragments that are too many")
    before = nstat(router, "Ip.ReasmReqds"), nstat(router, "Ip.ReasmFails")
    taken = before[0] - before[1]
    wait_for(lambda: nstat(router, "Ip.ReasmReqds") - nstat(router, "Ip.ReasmFails") > taken,
             what="some that are taken")
    assert set(router.account()["reasons"]) <= {"FRAG_OVERLOAD", "NO_SOCKET"}
    router.ctl("sysctl net.millrace.ipfrag_overload_rate=0")
    time.sleep(0.2)
    refused = router.account()["reasons"]["FRAG_OVERLOAD"]
    done = nstat(router, "Ip.ReasmOKs")
    wait_for(lambda: nstat(router, "Ip.ReasmOKs") > done + 10000, what="datagrams")
    account = router.account()
    assert account["reasons"]["FRAG_OVERLOAD"] == refused
    router.ctl("link set p0 down")
    router.ctl("frag flush")
    wait_for(lambda: router.account()["held"] == 0, what="nothing held")
    assert router.account()["balance"] == 0
    router.stop()


def test_all_that_come_where_nothing_else_does(router, captures):
    router.start(["sysctl net.millrace.ipfrag_overload_rate=1"] + overloaded(captures, 0))
    wait_for(lambda: nstat(router, "Ip.ReasmOKs") > 1000000, what="datagrams")
    assert nstat(router, "Ip.ReasmFails") == 0
    router.stop()
