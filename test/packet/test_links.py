"""Links on every driver that needs no hardware: made, used, taken down, taken away."""

import contextlib
import errno
import itertools
import socket
import time

import pytest

import frames
from frames import address, frame, udp
from netns import Namespace, cable
from router import Refused, Router, wait_for

A, B = address(0, 2), address(1, 2)
ETH_P_ALL = 3


@pytest.fixture
def wires():
    """Two namespaces: `inside` for the router with interface r0, `outside` with interface h0."""
    inside, outside = Namespace(), Namespace()
    for namespace in (inside, outside):
        namespace.quiet()
    cable(inside, "r0", outside, "h0")
    yield inside, outside
    inside.close()
    outside.close()


class Wire:
    """A packet socket on an interface."""

    def __init__(self, namespace, name):
        with namespace.entered():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.bind((name, 0))
        self.socket.settimeout(0.1)

    def send(self, *sent):
        """What is sent while the interface is down is lost, as on a wire."""
        for one in sent:
            try:
                self.socket.send(one)
            except OSError as error:
                if error.errno != errno.ENETDOWN:
                    raise

    def receive(self, wanted, seconds=1.5):
        """Does this frame come, whatever its IP ID? Others are passed over."""
        deadline = time.monotonic() + seconds
        wanted = frames.without_id(wanted)
        while time.monotonic() < deadline:
            with contextlib.suppress(TimeoutError):
                got, about = self.socket.recvfrom(65536)
                if about[2] != socket.PACKET_OUTGOING and frames.is_ip(got) \
                        and frames.without_id(got) == wanted:
                    return True
        return False

    def close(self):
        self.socket.close()


def make_p0(devargs, link=""):
    return [f"link add p0 type dpdk devargs {devargs} address {frames.mac(0)} {link}",
            "addr add 10.0.0.1/24 dev p0", "link set p0 up",
            f"neigh add {A} lladdr {frames.host_mac(0, 2)} dev p0"]


def echo_request(sequence):
    return frame(0, frames.echo(A, address(0, 1), sequence=sequence, ttl=9))


def echo_works(wire, sequence):
    """An echo request to the router is answered."""
    wire.send(echo_request(sequence))
    reply = bytes(frames.Ether(dst=frames.host_mac(0, 2), src=frames.mac(0))
                  / frames.echo(address(0, 1), A, sequence=sequence, kind="echo-reply"))
    return wire.receive(reply)


def echo_works_again(wire, sequence):
    """The same after the wire was unplugged: the kernel may take a while until it sends."""
    return wait_for(lambda: echo_works(wire, sequence), 4, "an answer")


def life(router, wire):
    """Traffic, down, up, other settings, traffic, gone."""
    assert echo_works(wire, 1)
    before = router.stats("p0")
    assert before["rx"]["packets"] >= 1 and before["tx"]["packets"] >= 1
    router.ctl("link set p0 down")
    assert "UP" not in router.flags("p0")
    wire.send(echo_request(99))
    time.sleep(0.1)
    assert router.stats("p0")["tx"]["packets"] == before["tx"]["packets"]
    router.ctl("link set p0 up")
    wait_for(lambda: "LOWER_UP" in router.flags("p0"), what="carrier")
    router.ctl(f"neigh replace {A} lladdr {frames.host_mac(0, 2)} dev p0")
    assert echo_works_again(wire, 2)
    router.ctl("link set p0 mtu 1400 promisc on")
    shown = router.show("link show p0")[0]
    assert shown["mtu"] == 1400 and "PROMISC" in shown["flags"]
    assert echo_works(wire, 3)
    router.settled()
    router.ctl("link del p0")
    assert [li["ifname"] for li in router.show("link show")] == ["lo"]
    account = router.settled()
    assert account["held"] == 0
    assert set(router.buffers().values()) == {0}


@pytest.mark.parametrize("devargs", [
    "net_af_packet0,iface=r0", "net_pcap0,iface=r0", "net_pcap0,rx_iface_in=r0,tx_iface=r0"],
    ids=["af_packet", "pcap", "pcap_in"])
def test_on_a_kernel_interface(make_router, wires, devargs):
    router = make_router(namespace=wires[0]).start(make_p0(devargs))
    wire = Wire(wires[1], "h0")
    life(router, wire)
    for command in make_p0(devargs):
        router.ctl(command)
    assert echo_works_again(wire, 9)
    router.stop()
    wire.close()


def test_tap(make_router, wires):
    router = make_router(namespace=wires[0]).start(make_p0("net_tap0,iface=tap0"))
    wires[0].ip("link set tap0 up")
    wire = Wire(wires[0], "tap0")
    life(router, wire)
    wire.close()
    assert "tap0" not in wires[0].run("ip", "link", "show").stdout
    router.stop()


def test_traffic_elsewhere_while_a_link_comes_and_goes(make_router, wires, captures):
    """Forwarding by p0 loses nothing while another link is made and taken away."""
    inside, outside = wires
    router = make_router(namespace=inside)
    router.start(make_p0("net_af_packet0,iface=r0"))
    wire = Wire(outside, "h0")
    for turn in range(15):
        router.ctl("link add n type dpdk devargs net_null5,no-rx=1")
        router.ctl("addr add 10.9.0.1/24 dev n")
        router.ctl("link set n up")
        router.ctl("route add 10.77.0.0/16 via 10.9.0.2")
        router.ctl(f"neigh replace 10.9.0.2 lladdr {frames.host_mac(9, 2)} dev n")
        wire.send(*[frame(0, udp(A, "10.77.0.1", ident=i)) for i in range(50)])
        assert echo_works(wire, turn + 1)
        router.ctl("link del n")
        wire.send(*[frame(0, udp(A, "10.77.0.1", ident=i)) for i in range(3)])
    account = router.settled(15 * 54)
    assert account["received"] == 15 * 54
    assert router.buffers() == {"packets_0": 0}
    router.stop()
    wire.close()


def test_a_link_goes_with_what_is_on_it(router, captures):
    """Routes, neighbours and packets that wait go with the link; nothing is lost unsaid."""
    waiting = [(1, frame(0, udp(A, address(1, 60 + i % 3), ident=i))) for i in range(30)]
    commands = captures.port(0, waiting) + captures.port(1)
    router.start(commands + ["route add 10.50.0.0/16 via 10.0.1.9"])
    router.settled(30, held=30)
    router.ctl("link del p1")
    account = router.settled(30, held=0)
    assert account["reasons"]["NEIGH_FLUSHED"] == 30
    assert not any(r.get("dev") == "p1" for r in router.show("route show table all"))
    assert router.show("neigh show") == [] or "p1" not in str(router.show("neigh show"))
    assert router.buffers() == {"packets_0": 0}
    for command in captures.port(1):
        router.ctl(command)
    assert "10.50.0.0/16" not in router.ctl("route show")
    router.stop()


def test_a_link_goes_down_with_packets_that_wait(router, captures):
    waiting = [(1, frame(0, udp(A, address(1, 60), ident=i))) for i in range(30)]
    router.start(captures.port(0, waiting) + captures.port(1))
    router.settled(30, held=30)
    router.ctl("link set p1 down")
    assert router.settled(30, held=0)["dropped"] == 30
    assert router.show("route show dev p1") == []
    router.stop()


def test_null(router):
    """It gives packets of zeros without end and takes all; they are counted, each with a reason."""
    router.start(["link add n type dpdk devargs net_null0,size=64", "link set n up"])
    wait_for(lambda: router.account()["received"] > 10_000)
    router.ctl("link set n down")
    account = router.settled()
    assert account["dropped"] == account["received"]
    assert router.stats("n")["rx"]["packets"] == account["received"]
    assert router.stats("n")["rx"]["bytes"] == 64 * account["received"]
    router.ctl("link set n up")
    wait_for(lambda: router.account()["received"] > account["received"])
    router.ctl("link del n")
    assert set(router.buffers().values()) == {0}
    router.stop()


def test_ring(router, captures):
    """A ring gives back what it is given: a packet comes in again by the port that it left by,
    until its TTL is over."""
    records = [(1, frame(0, udp(A, "10.0.5.2", ttl=5)))]
    router.start(captures.port(0, records, up=False)
                 + ["link add ring type dpdk devargs net_ring0 address 02:00:00:00:05:01",
                    "addr add 10.0.5.1/24 dev ring", "link set ring up",
                    f"neigh add {A} lladdr {frames.host_mac(0, 2)} dev p0",
                    "neigh add 10.0.5.2 lladdr 02:00:00:00:05:01 dev ring", "link set p0 up"])
    account = wait_for(lambda: (a := router.account())["reasons"].get("IP_TTL") and a)
    account = router.settled(1)
    ring = router.stats("ring")
    assert account["reasons"] == {"IP_TTL": 1}
    assert ring["tx"]["packets"] == ring["rx"]["packets"] >= 4
    router.ctl("link set ring down")
    router.ctl("link set ring up")
    router.ctl("link del ring")
    router.settled(1, held=0)
    assert set(router.buffers().values()) == {0}
    router.stop()


def test_ring_deleted_while_full(router, captures):
    """Packets go round in the ring while others come; what lies in it then is not lost."""
    records = [(1 + i, frame(0, udp(A, "10.0.5.2", ttl=64))) for i in range(64)]
    ring = ["addr add 10.0.5.1/24 dev ring", "link set ring up",
            "neigh add 10.0.5.2 lladdr 02:00:00:00:05:01 dev ring"]
    router.start(captures.port(0, records, up=False, endless=True))
    idle = router.buffers()
    router.ctl("link set p0 up")
    for number in range(4):
        router.ctl(f"link add ring type dpdk devargs net_ring{number} address 02:00:00:00:05:01")
        router.batch(ring)
        wait_for(lambda: router.stats("ring")["rx"]["packets"] > 1000)
        router.ctl("link del ring")
    router.ctl("link set p0 down")
    wait_for(lambda: router.account()["held"] == 0)
    assert router.buffers() == idle
    router.stop()


def memif(directory, number, role, address_number):
    return [f"link add m type dpdk devargs net_memif{number},role={role},id=0,"
            f"socket-abstract=no,socket={directory}/memif.sock "
            f"address 02:00:00:00:07:{address_number:02x}",
            f"addr add 10.7.0.{address_number}/24 dev m", "link set m up"]


def test_memif_between_two_routers(make_router, captures, directory):
    """A capture crosses two routers; the carrier goes when the other one does."""
    records = [(1 + i / 1e5, frame(0, udp(A, B, ident=i, ttl=64))) for i in range(200)]
    server = make_router()
    server.start(captures.port(1) + memif(directory, 0, "server", 1)
                 + [f"neigh add {B} lladdr {frames.host_mac(1, 2)} dev p1"])
    assert "NO-CARRIER" in server.flags("m")
    client = make_router()
    client.start(memif(directory, 0, "client", 2)
                 + ["route add 10.0.1.0/24 via 10.7.0.1"])
    for one in (server, client):
        wait_for(lambda: "LOWER_UP" in one.flags("m"), what="carrier on memif")
    client.ctl("config load " + str(client.write_config(captures.port(0, records))))
    client_account = client.settled(200, held=0)
    account = wait_for(lambda: (a := server.account())["transmitted"] >= 201 and a)
    assert client_account["dropped"] == 0, client_account
    assert account["dropped"] == 0, account
    client.stop()
    wait_for(lambda: "NO-CARRIER" in server.flags("m"), what="carrier lost on memif")
    server.settled()
    client.start(memif(directory, 0, "client", 2))
    wait_for(lambda: "LOWER_UP" in server.flags("m"), what="carrier back on memif")
    server.stop()
    client.stop()
    out = captures.out(1)
    assert out == [frames.forwarded(frames.forwarded(f, 0), 1) for _, f in records]


def test_carrier_of_a_kernel_interface_that_is_unplugged(make_router, wires):
    """Whether net_af_packet tells or not: the link works again when the interface does."""
    router = make_router(namespace=wires[0]).start(make_p0("net_af_packet0,iface=r0"))
    assert "LOWER_UP" in router.flags("p0")
    wires[0].ip("link set r0 down")
    time.sleep(0.7)
    router.settled()
    wires[0].ip("link set r0 up")
    wire = Wire(wires[1], "h0")
    wait_for(lambda: "LOWER_UP" in router.flags("p0"), what="carrier")
    assert echo_works_again(wire, 1)
    wire.close()
    router.stop()


def test_the_interface_vanishes(make_router, wires):
    """The kernel's interface is deleted under the router, which goes on and can delete the link."""
    router = make_router(namespace=wires[0]).start(make_p0("net_af_packet0,iface=r0"))
    wires[0].ip("link del r0")
    router.ctl(f"neigh replace {A} lladdr {frames.host_mac(0, 2)} dev p0")
    time.sleep(0.7)
    assert router.show("link show p0")[0]["ifname"] == "p0"
    router.ctl("link del p0")
    router.settled()
    router.stop()


# ---- refused ----

@pytest.mark.parametrize("line, word", [
    ("link add p0 type dpdk devargs net_null1,no-rx=1", "p0"),
    ("link add p1 type dpdk devargs net_null0,no-rx=1", "net_null0"),
    ("link add lo type dpdk devargs net_null1,no-rx=1", "lo"),
    ("link add all type dpdk devargs net_null1,no-rx=1", "all"),
    ("link add all.5 type dpdk devargs net_null1,no-rx=1", "all.5"),
    ("link add a/b type dpdk devargs net_null1,no-rx=1", "a/b"),
    ("link add nameofseventeen17 type dpdk devargs net_null1,no-rx=1", "nameofseventeen17"),
    ("link add p1 type veth devargs net_null1,no-rx=1", "veth"),
    ("link add p1 type dpdk", "devargs"),
    ("link add p1 type dpdk devargs net_absent0", "net_absent0"),
    ("link add p1 type dpdk devargs 0000:ff:1f.7", "0000:ff:1f.7"),
    ("link add p1 type dpdk devargs net_null1,no-rx=1 mtu 67", "67"),
    ("link add p1 type dpdk devargs net_null1,no-rx=1 mtu 65536", "65536"),
    ("link add p1 type dpdk devargs net_null1,no-rx=1 rxq 0", "0"),
    ("link add p1 type dpdk devargs net_null1,no-rx=1 rxq 2000", "2000"),
    ("link add p1 type dpdk devargs net_null1,no-rx=1 address 01:00:5e:00:00:01", "multicast"),
    ("link add p1 type dpdk devargs net_null1,no-rx=1 address 00:00:00:00:00:00", "zero"),
    ("link add p1 type dpdk devargs net_null1,no-rx=1 address 02:00:00:00:00", "02:00:00:00:00"),
    ("link add p1 type dpdk devargs net_null1,no-rx=1 promisc maybe", "maybe"),
    ("link add p1 type dpdk devargs net_tap0,iface=averyverylongname0", "averyverylongname0"),
    ("link add p1 type dpdk devargs net_ring0,nodeaction=nonsense", "nonsense"),
    ("link set p0 mtu 67", "67"),
    ("link set p0", "missing"),
    ("link set p9 up", "p9"),
    ("link set p0 up down", "down"),
    ("link set p0 address ff:ff:ff:ff:ff:ff", "multicast"),
    ("link set lo address 02:00:00:00:00:01", "lo"),
    ("link del p9", "p9"),
    ("link del lo", "lo"),
    ("link show p9", "p9"),
], ids=lambda value: value.replace("link ", "").replace(" type dpdk devargs", "")[:48])
def test_refused(refusing, line, word):
    assert word in refusing.refusal(line)
    assert [li["ifname"] for li in refusing.show("link show")] == ["lo", "p0"]


@pytest.mark.parametrize("wrong", ["address ff:ff:ff:ff:ff:ff", "address 00:00:00:00:00:00",
                                   "mtu 65536", "mtu 67", "promisc maybe"])
def test_a_refused_change_changes_nothing(refusing, wrong):
    before = refusing.show("config show"), refusing.show("addr show")
    good = {"mtu": "mtu 1300", "address": "address 02:00:00:00:00:77", "promisc": "promisc on"}
    del good[wrong.split()[0]]
    for words in itertools.permutations([wrong, "down", *good.values()]):
        assert wrong.split()[1] in refusing.refusal(f"link set p0 {' '.join(words)}")
        assert (refusing.show("config show"), refusing.show("addr show")) == before


def test_what_a_device_refuses_changes_nothing(make_router, wires):
    """The other changes are taken back; routes by the link are still there, and traffic flows."""
    router = make_router(namespace=wires[0]).start(
        make_p0("net_tap0,iface=tap0") + [f"route add 10.7.0.0/16 via {A}"])
    wires[0].ip("link set tap0 up")
    wire = Wire(wires[0], "tap0")
    before = router.show("config show")
    assert "mtu 65535" in router.refusal(
        "link set p0 down promisc on mtu 65535 address 02:00:00:00:00:77")
    assert router.show("config show") == before
    assert echo_works_again(wire, 1)
    router.stop()
    wire.close()


@pytest.fixture(scope="module")
def refusing(tmp_path_factory):
    router = Router(tmp_path_factory.mktemp("refusing"))
    try:
        yield router.start(["link add p0 type dpdk devargs net_null0,no-rx=1", "link set p0 up"])
        router.stop()
    finally:
        router.kill()


@pytest.mark.parametrize("devargs, unknown, known", [
    ("net_null9,foo=1", "foo", "no-rx"), ("net_null9,no-rx=1,rx=1", "rx", "no-rx"),
    ("net_pcap9,rx_pcap=in.pcap,infinite=1", "infinite", "infinite_rx")])
def test_an_argument_that_the_driver_does_not_know(refusing, devargs, unknown, known):
    reason = refusing.refusal(f"link add p9 type dpdk devargs {devargs}")
    assert f'tells of no "{unknown}"' in reason and f"{known}=" in reason, reason


def test_as_many_links_as_dpdk_has_ports(router):
    """Each works; the first that is too many is refused in a sentence, and none is harmed."""
    router.start()
    added, reason = 0, None
    while reason is None and added < 70:
        try:
            router.ctl(f"link add n{added} type dpdk devargs net_null{added},no-rx=1")
            router.ctl(f"link set n{added} up")
            added += 1
        except Refused as refused:
            reason = refused.text
    assert 30 <= added <= 63
    assert "maximum number of Ethernet ports" in reason
    assert reason.startswith("Error: ") and reason.count("\n") == 1 and len(reason) > 30, reason
    assert len(router.show("link show")) == added + 1
    router.ctl("link del n0")
    router.ctl("link add again type dpdk devargs net_null99,no-rx=1")
    router.stop()


def test_settings_survive_down_and_up(router, captures):
    router.start(captures.port(0))
    router.ctl("link set p0 mtu 1280 address 02:00:00:00:99:01 promisc on")
    router.ctl("link set p0 down")
    router.ctl("link set p0 up")
    shown = router.show("link show p0")[0]
    assert (shown["mtu"], shown["address"]) == (1280, "02:00:00:00:99:01")
    assert "PROMISC" in shown["flags"]
    router.stop()


def test_settings_of_a_link_whose_name_begins_as_anothers(router):
    router.start([f"link add {name} type dpdk devargs net_null{i},no-rx=1"
                  for i, name in enumerate(("p0", "p0.5"))])
    router.ctl("sysctl net.ipv4.conf.p0.5.rp_filter=2")
    router.ctl("link del p0")
    assert router.show("sysctl -a net.ipv4.conf.p0.5.rp_filter") == {
        "net.ipv4.conf.p0.5.rp_filter": 2}
    assert router.show("sysctl net.ipv4.neigh.p0.5.mcast_solicit")
    router.refusal("link add p0 type dpdk devargs net_absent0")
    assert router.show("sysctl -a net.ipv4.conf.p0.*") \
        == router.show("sysctl -a net.ipv4.conf.p0.5.*")
    router.ctl("link del p0.5")
    router.stop()


def test_packet_buffers_are_made_once(router):
    router.start(["sysctl millrace.mbufs=8192"])
    router.ctl("sysctl millrace.mbufs=4096")
    router.ctl("link add n type dpdk devargs net_null0,no-rx=1")
    for name, value in (("mbufs", 4096), ("mbuf_bytes", 2048)):
        reason = router.refusal(f"sysctl millrace.{name}=9000")
        assert f"millrace.{name}" in reason and "first link" in reason
        assert router.show(f"sysctl millrace.{name}={value}") == {f"millrace.{name}": value}
    assert router.show("config show")[0] == "sysctl millrace.mbufs=4096"
    router.stop()


def test_drops_on_the_way_in_are_counted(router, captures):
    """An address and promiscuous mode decide what is taken."""
    mine = frame(0, udp(A, B))
    records = [(1, mine), (1, frames.with_destination(mine, "02:00:00:00:77:77")),
               (1, frames.with_destination(mine, "ff:ff:ff:ff:ff:ff"))]
    router.start(captures.port(0, records))
    account = router.settled(3)
    assert account["reasons"]["OTHERHOST"] == 1
    assert router.stats("p0")["rx"]["packets"] == 3
    assert router.stats("p0")["rx"]["bytes"] == sum(len(f) for _, f in records)
    router.stop()
