"""Any number of workers on any number of CPUs: all packets come out, nothing is lost inside."""

import pytest

import frames
from frames import address, frame, udp
import pcap
from router import MEMORY, wait_for

A, B = address(0, 2), address(1, 2)
PER_QUEUE = 400
KNOWN = [f"neigh add {A} lladdr {frames.host_mac(0, 2)} dev p0",
         f"neigh add {B} lladdr {frames.host_mac(1, 2)} dev p1"]


def flow(queue, port):
    """Packets that come in by one queue of a port, numbered."""
    source, target = (A, B) if port == 0 else (B, A)
    first = frame(port, udp(source, target, payload=bytes([queue]) * 9))
    return [(1 + i / 1e6, frames.with_id(first, i)) for i in range(PER_QUEUE)]


def many_queues(directory, port, rx_queues, tx_queues):
    """The commands for a port with a capture file each queue, and all that comes in by it."""
    arguments, sent = [], []
    for queue in range(rx_queues):
        records = flow(queue, port)
        pcap.write(directory / f"in{port}_{queue}.pcap", records)
        arguments.append(f"rx_pcap={directory}/in{port}_{queue}.pcap")
        sent.append([f for _, f in records])
    arguments += [f"tx_pcap={directory}/out{port}_{queue}.pcap" for queue in range(tx_queues)]
    return [f"link add p{port} type dpdk devargs net_pcap{port},{','.join(arguments)}"
            f" address {frames.mac(port)}",
            f"addr add {frames.router_address(port)}/24 dev p{port}", f"link set p{port} up"], sent


def check(router, directory, rx_queues, tx_queues, workers, *options, eal=MEMORY, wrapper=()):
    """Traffic both ways: each queue's packets come out, each in order within its flow."""
    commands, sent = [], {}
    for port in (0, 1):
        lines, sent[port] = many_queues(directory, port, rx_queues, tx_queues)
        commands += lines
    router.start(commands + KNOWN, *options, eal=eal, wrapper=wrapper)
    total = 2 * rx_queues * PER_QUEUE
    account = router.settled(total)
    assert (account["received"], account["transmitted"]) == (total, total), account
    shown = router.show("worker show")
    assert len(shown) == workers
    assert sum(w["packets"] for w in shown) == total
    assert sum(q["packets"] for w in shown for q in w["queues"]) == total
    assert sum(router.buffers().values()) == 0
    router.stop()
    for port in (0, 1):
        out = [f for queue in range(tx_queues)
               for f in pcap.frames(directory / f"out{1 - port}_{queue}.pcap")]
        assert len(out) == rx_queues * PER_QUEUE
        for queue, flow_sent in enumerate(sent[port]):
            came = [f for f in out if f[42] == queue]
            assert came == [frames.forwarded(f, 1 - port) for f in flow_sent]


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_workers(router, directory, workers):
    check(router, directory, 1, 1, workers, "-w", str(workers))


@pytest.mark.parametrize("workers, rx_queues, tx_queues", [
    (2, 4, 1), (4, 4, 1), (4, 3, 2), (4, 4, 4), (1, 5, 1)])
def test_queues(router, directory, workers, rx_queues, tx_queues):
    check(router, directory, rx_queues, tx_queues, workers, "-w", str(workers))


def test_lcores_that_share_cpus(router, directory):
    check(router, directory, 3, 2, 3, eal=(*MEMORY, "--lcores", "0@0,1@0,2@1,3@1"))


def test_lcores_that_roam(router, directory):
    check(router, directory, 2, 2, 2, eal=(*MEMORY, "--lcores", "3@(0,1),5@(0,1),9@(0,1)"))


@pytest.mark.parametrize("options", [[], ["--no-fast-path"], ["-w", "1"]],
                         ids=["default", "general", "w1"])
def test_control_and_worker_on_one_lcore(router, directory, options):
    check(router, directory, 3, 1, 1, *options, wrapper=("taskset", "-c", "0"))


def test_one_lcore_by_eal(router, directory):
    check(router, directory, 2, 1, 1, eal=(*MEMORY, "-l", "0"))


def owners(router):
    return {(q["dev"], q["queue"]): w["id"] for w in router.show("worker show")
            for q in w["queues"]}


def test_queues_by_command(router, directory):
    """Queues change their workers, before and under traffic; what is saved says so."""
    commands = []
    for port in (0, 1):
        lines, _ = many_queues(directory, port, 3, 3)
        commands += lines
    files = [f"rx_pcap={directory}/in0_{queue}.pcap" for queue in range(3)]
    commands[0] = (f"link add p0 type dpdk devargs net_pcap0,{','.join(files)},infinite_rx=1"
                   f" address {frames.mac(0)}")
    router.start([*commands, "worker set 0 dev p0 rxq 1", *KNOWN], "-w", "3")
    assert owners(router)["p0", 1] == 0
    before = router.account()["received"]
    for turn in range(60):
        router.ctl(f"worker set {turn % 3} dev p0 rxq {turn // 3 % 3}")
    router.ctl("worker set 2 dev p0 rxq 0")
    assert owners(router)["p0", 0] == 2
    assert "worker set 2 dev p0 rxq 0" in router.show("config show")
    assert router.account()["received"] > before
    for line, wrong in (("worker set 3 dev p0 rxq 0", "no worker 3: there are 3"),
                        ("worker set 0 dev p0 rxq 3", "p0 has no receive queue 3: there are 3"),
                        ("worker set 0 dev nope rxq 0", "nope"),
                        ("worker set 0 dev p0", "rxq")):
        assert wrong in router.refusal(line)
    router.stop()


def test_nothing_waits_for_a_link_that_is_down(router, directory):
    """What a link was to send when it went down, by its own queue or left for worker 0, is
    dropped: it does not leave, long out of date, when the link is up again."""
    lines, _ = many_queues(directory, 0, 2, 2)
    lines[0] = lines[0].replace(" address", ",infinite_rx=1 address")
    out = (f"link add p1 type dpdk devargs net_pcap1,rx_pcap={directory}/in0_0.pcap,"
           f"tx_pcap=/dev/null address {frames.mac(1)}")
    router.start([*lines, out, "addr add 10.0.1.1/24 dev p1", "link set p1 up", *KNOWN],
                 "-w", "2")
    for _ in range(15):
        sent = router.stats("p1")["tx"]["packets"]
        wait_for(lambda sent=sent: router.stats("p1")["tx"]["packets"] > sent)
        router.ctl("link set p1 down")
        wait_for(lambda: router.account()["held"] == 0, 2, "nothing held")
        router.ctl("link set p1 up")
        router.ctl(KNOWN[1].replace("add", "replace", 1))
    router.ctl("link set p0 down")
    account = router.settled(held=0)
    assert account["reasons"]["LINK_DOWN"] > 0
    router.stop()


@pytest.mark.parametrize("full", [1, 3])
def test_a_full_queue_is_asked_four_times_a_turn(router, directory, full):
    """Whoever else has nothing: a port that only sends, and a queue whose capture is over."""
    lines, _ = many_queues(directory, 0, full, 1)
    lines[0] = lines[0].replace(f",tx_pcap={directory}/out0_0.pcap", ",infinite_rx=1")
    pcap.write(directory / "few.pcap", flow(0, 1))
    out = (f"link add p1 type dpdk devargs net_pcap1,rx_pcap={directory}/few.pcap,"
           f"tx_pcap=/dev/null address {frames.mac(1)}")
    router.start([*lines, out, "addr add 10.0.1.1/24 dev p1", "link set p1 up", *KNOWN])
    worker, = router.show("worker show")
    turns = 4 * PER_QUEUE // 32
    wait_for(lambda: router.show("worker show")[0]["busy_loops"] > worker["busy_loops"] + turns)
    shown, = router.show("worker show")
    busy, queues = shown["busy_loops"], {q["dev"]: q for q in shown["queues"]}
    assert abs(shown["packets"] - (busy * full * 4 * 32 + queues["p1"]["packets"])) <= full * 128
    assert queues["p0"]["mean_burst"] == 32 and queues["p1"]["bursts"] == -(-PER_QUEUE // 32)
    router.stop()


def test_two_workers_on_one_cpu(router, directory):
    check(router, directory, 2, 2, 2, "-w", "2", wrapper=("taskset", "-c", "0"))


def test_control_and_worker_on_one_lcore_stop_by_themselves(router, captures):
    records = [(1, frame(0, udp(A, B)))]
    commands = captures.port(0, records) + captures.port(1) + KNOWN
    router.spawn(router.words("-c", str(router.write_config(commands)), "--until-idle",
                              wrapper=("taskset", "-c", "0")))
    router.ended(10)
    assert captures.out(1) == [frames.forwarded(records[0][1], 1)]


def test_more_than_the_transmit_ring_holds(router, directory):
    """Four queues full at once for one transmit queue: what does not fit is dropped and said."""
    count, files = 30_000, []
    records = [(1, frame(0, udp(A, B, ident=1)))] * count
    for queue in range(4):
        pcap.write(directory / f"in{queue}.pcap", records)
        files.append(f"rx_pcap={directory}/in{queue}.pcap")
    pcap.write(directory / "none.pcap", [])
    commands = [f"link add p0 type dpdk devargs net_pcap0,{','.join(files)}"
                f",tx_pcap={directory}/out0.pcap address {frames.mac(0)}",
                f"link add p1 type dpdk devargs net_pcap1,rx_pcap={directory}/none.pcap,"
                f"tx_pcap={directory}/out1.pcap address {frames.mac(1)}",
                "addr add 10.0.0.1/24 dev p0", "addr add 10.0.1.1/24 dev p1",
                "link set p0 up", "link set p1 up"] + KNOWN
    router.start(commands, "-w", "4")
    account = router.settled(4 * count)
    assert account["transmitted"] + account["dropped"] == 4 * count
    assert set(account["reasons"]) <= {"TX_QUEUE_FULL"}
    assert router.stats("p1")["tx"]["dropped"] == account["dropped"]
    assert sum(router.buffers().values()) == 0
    router.stop()
    assert len(pcap.frames(directory / "out1.pcap")) == account["transmitted"]


def test_many_pieces_behind_a_few_frames(router, directory):
    """A device that takes all it is given is given all, whatever stood in the buffer before: some
    frames that were put there together, then more pieces of large packets than the buffer holds."""
    small = (1, frame(0, udp(A, "10.9.0.1", payload=bytes(9))))
    expired = (1, frame(0, udp(A, "10.9.0.1", ttl=1)))
    large = (1, frame(0, udp(A, "10.9.0.1", payload=bytes(1472))))
    pieces = -(-1480 // 48)
    pcap.write(directory / "in.pcap",
               [small] * 20 + [expired] + [small] * 11 + [small] * 20 + [large] * 76)
    pcap.write(directory / "none.pcap", [])
    router.start([f"link add p0 type dpdk devargs net_pcap0,rx_pcap={directory}/in.pcap,"
                  f"tx_pcap={directory}/out0.pcap address {frames.mac(0)}",
                  f"link add p1 type dpdk devargs net_pcap1,rx_pcap={directory}/none.pcap,"
                  f"tx_pcap={directory}/out1.pcap mtu 68 address {frames.mac(1)}",
                  "addr add 10.0.0.1/24 dev p0", "addr add 10.0.1.1/24 dev p1",
                  "link set p1 up", *KNOWN, f"route add 10.9.0.0/16 via {B}"])
    router.ctl("link set p0 up")        # now that the next hop is ready for the fast path
    account = router.settled(128)
    assert account["reasons"] == {"IP_TTL": 1}
    assert router.stats("p1")["tx"]["dropped"] == 0
    router.stop()
    assert len(pcap.frames(directory / "out1.pcap")) == 51 + 76 * pieces
