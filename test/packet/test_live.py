"""Two Linux hosts with a router between them: everyday tools do what they do over Linux."""

import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from netns import Namespace, cable, no_offload
from router import MILLCTL, Router, wait_for

CONFIG = ["link add ra type dpdk devargs net_af_packet0,iface=ra",
          "link add rb type dpdk devargs net_af_packet1,iface=rb",
          "addr add 10.1.0.1/24 dev ra", "addr add 10.2.0.1/24 dev rb",
          "link set ra up", "link set rb up"]
A, B = "10.1.0.2", "10.2.0.2"
FILE_BYTES = 20 << 20


class Net:
    """Host a, the router, host b."""

    def __init__(self, directory):
        self.a, self.b, self.middle = Namespace(), Namespace(), Namespace()
        for namespace in (self.a, self.b, self.middle):
            namespace.quiet()
        cable(self.a, "eth0", self.middle, "ra")
        cable(self.b, "eth0", self.middle, "rb")
        self.middle.sysctl("net.ipv4.ip_forward", 0)
        self.middle.ip("link set ra arp off", "link set rb arp off")
        for namespace, name, gateway in ((self.a, A, "10.1.0.1"), (self.b, B, "10.2.0.1")):
            no_offload(namespace, "eth0")
            namespace.ip(f"addr add {name}/24 dev eth0", f"route add default via {gateway}")
        self.router = Router(directory, namespace=self.middle)
        self.router.start(CONFIG)

    def close(self):
        self.router.kill()
        for namespace in (self.a, self.b, self.middle):
            namespace.close()


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    """One network for all tests here; at the end nothing was lost and no buffer is missing."""
    made = Net(tmp_path_factory.mktemp("live"))
    try:
        yield made
        made.router.settled()
        assert set(made.router.buffers().values()) == {0}
        made.router.stop()
    finally:
        made.close()


def ping(net, target, *options, count=200):
    return net.a.run("ping", "-n", "-q", "-c", str(count), "-i", "0.01", *options, target,
                     check=False).stdout


@pytest.mark.parametrize("target", ["10.1.0.1", B])
def test_ping(net, target):
    ping(net, target, count=1)
    assert " 0% packet loss" in ping(net, target)


def test_large_pings(net):
    assert " 0% packet loss" in ping(net, B, "-M", "do", "-s", "1472", count=20)
    assert "message too long" in net.a.run(
        "ping", "-n", "-c", "1", "-M", "do", "-s", "1473", B, check=False).stderr.lower()


def test_the_path_mtu_is_found(net):
    """A narrower second link: the router says 3/4 and the host learns it."""
    net.router.ctl("link set rb mtu 1300")
    try:
        said = net.a.run("ping", "-n", "-c", "2", "-M", "do", "-s", "1400", B,
                         check=False).stdout
        assert "Frag needed" in said and "mtu = 1300" in said, said
        assert "mtu 1300" in net.a.run("ip", "route", "get", B).stdout
    finally:
        net.router.ctl("link set rb mtu 1500")
        net.a.ip("route flush cache")


def test_both_know_each_other(net):
    ping(net, B, count=2)
    addresses = {li["ifname"]: li["address"] for li in net.router.show("link show")}
    for host, name, gateway in ((net.a, "ra", "10.1.0.1"), (net.b, "rb", "10.2.0.1")):
        known = json.loads(host.run("ip", "-j", "neigh", "show", gateway).stdout)
        assert known[0]["lladdr"] == addresses[name]
        mac = json.loads(host.run("ip", "-j", "link", "show", "eth0").stdout)[0]["address"]
        entry = [n for n in net.router.show(f"neigh show dev {name}") if n["dst"].endswith(".2")]
        assert entry[0]["lladdr"] == mac
        assert entry[0]["state"][0] in ("REACHABLE", "STALE", "DELAY", "PROBE")


@pytest.mark.parametrize("words", [
    ["traceroute", "-n", "-q", "1", "-w", "2"], ["traceroute", "-n", "-I", "-q", "1", "-w", "2"],
    ["tracepath", "-n"]], ids=["udp", "icmp", "tracepath"])
def test_the_way(net, words):
    shown = net.a.run(*words, B).stdout
    assert re.search(r"^ *1[?:]? +10\.1\.0\.1 ", shown, re.M), shown
    assert re.search(rf"^ *2[?:]? +{re.escape(B)} ", shown, re.M), shown


def iperf(net, *options):
    server = net.b.popen("iperf3", "-s", "-1", "-J", stdout=-1, stderr=-1)
    try:
        wait_for(lambda: ":5201" in net.b.run("ss", "-tln").stdout, what="iperf3 -s")
        done = net.a.run("iperf3", "-c", B, "-J", *options, check=False)
        return json.loads(done.stdout)["end"]
    finally:
        server.terminate()
        server.communicate()


@pytest.mark.parametrize("options", [[], ["-R"]], ids=["there", "back"])
def test_iperf_tcp(net, options):
    end = iperf(net, "-t", "1", *options)
    rate = end["sum_received"]["bits_per_second"]
    print(f"TCP {' '.join(options)}: {rate / 1e6:.0f} Mbit/s")
    assert end["sum_received"]["bytes"] > 0


def test_iperf_udp(net):
    end = iperf(net, "-t", "1", "-u", "-b", "20M", "-l", "1400")
    print(f"UDP: {end['sum']['bits_per_second'] / 1e6:.0f} Mbit/s, "
          f"{end['sum']['lost_percent']:.1f}% lost")
    assert end["sum"]["packets"] > end["sum"]["lost_packets"]


def send_file(sender, receiver, address, data):
    """Over a plain TCP connection; the other side's digest."""
    with receiver.entered():
        listener = socket.create_server((address, 0))
    digest = hashlib.sha256()

    def receive():
        connection, _ = listener.accept()
        with connection:
            while part := connection.recv(1 << 16):
                digest.update(part)

    taker = threading.Thread(target=receive)
    taker.start()
    with sender.entered():
        connection = socket.create_connection(listener.getsockname(), timeout=30)
    with connection:
        connection.sendall(data)
    taker.join(60)
    listener.close()
    return digest.hexdigest()


def test_a_file_both_ways(net):
    data = os.urandom(FILE_BYTES)
    wanted = hashlib.sha256(data).hexdigest()
    assert send_file(net.a, net.b, B, data) == wanted
    assert send_file(net.b, net.a, A, data) == wanted


def test_nobody_listens(net):
    """The router itself refuses: TCP with a reset, UDP with port unreachable, both at once."""
    with net.a.entered():
        tcp, udp = socket.socket(), socket.socket(type=socket.SOCK_DGRAM)
    with tcp, udp:
        for one in (tcp, udp):
            one.settimeout(3)
        with pytest.raises(ConnectionRefusedError):
            tcp.connect(("10.2.0.1", 179))
        udp.connect(("10.1.0.1", 179))
        udp.send(b"x")
        with pytest.raises(ConnectionRefusedError):
            udp.recv(1)


def test_the_router_pings(net):
    """What its operator asks for goes out, and is shown as ping shows it."""
    net.router.ctl("ping 10.2.0.2 -c 1")
    shown = net.router.ctl("ping 10.2.0.2 -c 3 -i 0.05")
    assert shown.startswith("PING 10.2.0.2 (10.2.0.2) 56(84) bytes of data.\n"), shown
    assert re.search(r"^64 bytes from 10\.2\.0\.2: icmp_seq=3 ttl=64 time=[\d.]+ ms$", shown, re.M)
    assert "\n3 packets transmitted, 3 received, 0% packet loss, time " in shown
    assert re.search(r"^rtt min/avg/max/mdev = ([\d.]+/){3}[\d.]+ ms$", shown, re.M), shown
    assert "from 10.1.0.1 : 56(84)" in net.router.ctl("ping 10.2.0.2 -c 1 -I 10.1.0.1")


def pings_in_vain(net, *words):
    """Nobody answers: what is shown all the same."""
    done = net.router.ctl_raw(*words[:-1], *words[-1].split())
    address = words[-1].split()[1]
    assert (done.returncode, done.stderr) == (1, f'Error: ping: "{address}" does not answer\n')
    return done.stdout


def test_the_router_pings_with_much(net):
    """In pieces, and not at all where it may not be cut."""
    for size in (1472, 1473, 20000, 65400):
        said = net.router.show(f"ping 10.2.0.2 -c 2 -i 0.05 -s {size}")
        assert said["received"] == 2 and said["size"] == size, said
        assert said["answers"][0]["bytes"] == size + 8
    said = json.loads(pings_in_vain(net, "-j", "ping 10.2.0.2 -c 1 -s 1473 -M do"))
    assert said["received"] == 0
    assert said["answers"] == [{"error": "message too long", "mtu": 1500, "icmp_seq": 1}]
    assert net.router.show("ping 10.2.0.2 -c 1 -s 1472 -M do")["received"] == 1


def test_the_router_pings_without_df(net):
    """As ping on a host: ip_no_pmtu_disc says what it begins with, unless it is told."""
    with net.b.entered():
        heard = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    heard.settimeout(5)
    for mode, options, df in ((0, "", True), (1, "", False), (2, "", False), (3, "-M want", True),
                              (3, "-M do", True), (0, "-M dont", False)):
        net.router.ctl(f"sysctl net.ipv4.ip_no_pmtu_disc={mode}")
        net.router.ctl(f"ping 10.2.0.2 -c 1 {options}")
        assert bool(heard.recv(2000)[6] & 0x40) == df, (mode, options)
    net.router.ctl("sysctl net.ipv4.ip_no_pmtu_disc=0")
    heard.close()


def test_the_router_pings_nobody(net):
    shown = pings_in_vain(net, "ping 10.2.0.98 -c 1 -W 5")
    assert "From 10.2.0.1 icmp_seq=1 Destination Host Unreachable" in shown, shown
    assert "1 packets transmitted, 0 received, +1 errors, 100% packet loss" in shown
    assert "Network is unreachable" in net.router.refusal("ping 192.0.2.1")
    assert '"10.2.0.2" is not an address' in net.router.refusal("ping 10.2.0.2 -I 10.2.0.2")
    assert "ten minutes" in net.router.refusal("ping 10.2.0.2 -c 1000 -i 60")
    assert "0.01 to 60" in net.router.refusal("ping 10.2.0.2 -i 0")


def test_a_ping_holds_nobody_up(net):
    """While it goes on others are served, and a client that leaves takes its ping along."""
    going = subprocess.Popen([MILLCTL, "-s", net.router.socket, "ping", "10.2.0.2", "-i", "0.2"],
                             stdout=subprocess.PIPE, text=True)
    began = time.monotonic()
    net.router.ctl("nstat")
    assert time.monotonic() - began < 0.9 and going.poll() is None
    assert "5 received" in going.communicate(timeout=10)[0]
    leaving = subprocess.Popen([MILLCTL, "-s", net.router.socket, "ping", "10.2.0.2", "-c", "500"])
    time.sleep(0.2)
    leaving.kill()
    leaving.wait()
    net.router.ctl("nstat")


def start(net, *words):
    """Ctrl-C reaches it, also where whoever runs the tests ignores that (nohup)."""
    return subprocess.Popen([MILLCTL, "-s", net.router.socket, *words], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True,
                            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))


def test_a_ping_is_seen_to_come(net):
    """Each line when it comes, and not all at the end."""
    net.router.ctl("ping 10.2.0.2 -c 1")
    began = time.monotonic()
    going = start(net, "ping", "10.2.0.2", "-c", "4", "-i", "0.5")
    assert going.stdout.readline() == "PING 10.2.0.2 (10.2.0.2) 56(84) bytes of data.\n"
    for number in range(4):
        assert f"icmp_seq={number + 1} " in going.stdout.readline()
        assert number * 0.5 - 0.1 < time.monotonic() - began < number * 0.5 + 1.2
    rest = going.stdout.read()
    assert rest.startswith("\n--- 10.2.0.2 ping statistics ---\n4 packets transmitted, 4 received")
    assert going.wait(10) == 0 and not going.stderr.read()


def test_a_ping_is_interrupted(net):
    """Ctrl-C ends it as it ends ping: with the statistics; JSON is one document all the same."""
    net.router.ctl("ping 10.2.0.2 -c 1")
    going = start(net, "ping", "10.2.0.2", "-c", "100", "-i", "0.3")
    for _ in range(3):
        going.stdout.readline()
    going.send_signal(signal.SIGINT)
    rest = going.stdout.read()
    assert re.search(r"\n([2-9]) packets transmitted, \1 received, 0% packet loss", rest), rest
    assert going.wait(10) == 0
    going = start(net, "-j", "ping", "10.2.0.2", "-c", "100", "-i", "0.3")
    time.sleep(0.7)
    going.send_signal(signal.SIGINT)
    said = json.loads(going.communicate(timeout=10)[0])
    assert 2 <= said["transmitted"] <= 20 and len(said["answers"]) == said["received"]


def test_a_traceroute_is_seen_to_come(net):
    began = time.monotonic()
    going = start(net, "traceroute", "10.2.0.97", "-q", "1", "-m", "4", "-w", "1")
    assert going.stdout.readline().startswith("traceroute to 10.2.0.97")
    assert time.monotonic() - began < 0.9
    assert going.stdout.readline() == " 1  *\n"
    assert time.monotonic() - began < 1.9
    going.send_signal(signal.SIGINT)
    assert going.stdout.read() == " 2  *\n"
    assert going.wait(10) == 0


def test_what_takes_a_while_on_the_socket(net):
    """Who does not ask to see it come gets one answer; and lines behind wait, but for `stop`."""
    net.router.ctl("ping 10.2.0.2 -c 1")

    def ask(*requests):
        with socket.socket(socket.AF_UNIX) as asked:
            asked.connect(net.router.socket)
            asked.sendall(b"".join(json.dumps({"jsonrpc": "2.0", **request}).encode() + b"\n"
                                   for request in requests))
            file = asked.makefile()
            while True:
                yield json.loads(file.readline())

    words = ["ping", "10.2.0.2", "-c", "3", "-i", "0.05"]
    nstat = {"id": "n", "method": "run", "params": {"argv": ["nstat"]}}
    answers = ask({"id": 1, "method": "run", "params": {"argv": words, "format": "text"}}, nstat)
    answer = next(answers)
    assert answer["id"] == 1 and answer["result"].startswith("PING") and "3 rec" in answer["result"]
    assert next(answers)["id"] == "n"
    answers = ask({"id": 2, "method": "run", "params": {"argv": words, "live": True}})
    assert next(answers)["result"]["received"] == 3
    answers = ask({"id": 3, "method": "run",
                   "params": {"argv": words, "format": "text", "live": True}}, nstat)
    seen = ""
    for answer in answers:
        if "id" in answer:
            break
        assert answer["method"] == "output" and answer["params"]["id"] == 3
        seen += answer["params"]["text"]
    assert seen.startswith("PING") and "seq=1 " in seen and "seq=1 " not in answer["result"]
    assert (seen + answer["result"]).count("icmp_seq=") == 3 and answer["id"] == 3
    assert next(answers)["id"] == "n"
    began = time.monotonic()
    answers = ask({"id": 4, "method": "run", "params": {"argv": ["ping", "10.2.0.2", "-c", "99"]}},
                  {"id": 5, "method": "stop"}, {"id": 6, "method": "stop"}, nstat)
    assert next(answers)["error"]["data"]["result"]["transmitted"] == 1
    assert [next(answers)["id"] for _ in range(3)] == [5, 6, "n"]
    assert time.monotonic() - began < 10


def test_the_router_traces(net):
    shown = net.router.ctl("traceroute 10.2.0.2")
    assert shown.startswith("traceroute to 10.2.0.2 (10.2.0.2), 30 hops max, 60 byte packets\n")
    assert re.search(r"^ 1  10\.2\.0\.2(  [\d.]+ ms){3}$", shown, re.M), shown
    hops = net.router.show("traceroute 10.2.0.97 -q 1 -m 2 -w 1")["hops"]
    assert [h["hop"] for h in hops] == [1, 2]
    net.b.sysctl("net.ipv4.ip_forward", 1)
    net.router.ctl("route add 10.3.0.0/24 via 10.2.0.2")
    try:
        assert "icmp_seq=1 Time to live exceeded" in pings_in_vain(net, "ping 10.3.0.9 -c 1 -t 1")
        hop = net.router.show("traceroute 10.3.0.9 -q 1 -m 1")["hops"][0]["answers"][0]
        assert hop["from"] == "10.2.0.2"
    finally:
        net.router.ctl("route del 10.3.0.0/24")
        net.b.sysctl("net.ipv4.ip_forward", 0)
    net.router.settled(held=0)          # what waited for 10.2.0.97


def unreachable_after(net, target):
    began = time.monotonic()
    shown = net.a.run("ping", "-n", "-c", "1", "-W", "8", target, check=False).stdout
    assert "From 10.1.0.1 icmp_seq=1 Destination Host Unreachable" in shown, shown
    return time.monotonic() - began


def test_a_neighbour_that_was_never_there(net):
    assert 2.5 < unreachable_after(net, "10.2.0.99") < 4.5
    assert "FAILED" in net.router.ctl("neigh show dev rb")
    assert [n["dst"] for n in net.router.show("neigh show 10.2.0.99 nud failed")] \
        == ["10.2.0.99"]
    assert "10.2.0.99" not in net.router.ctl("neigh show nud reachable nud stale nud permanent")


def test_a_neighbour_that_dies(net):
    net.b.ip("addr add 10.2.0.7/24 dev eth0")
    assert " 0% packet loss" in ping(net, "10.2.0.7", count=3)
    net.b.ip("addr del 10.2.0.7/24 dev eth0")
    net.router.ctl("neigh del 10.2.0.7 dev rb")
    assert 2.5 < unreachable_after(net, "10.2.0.7") < 4.5


def test_the_router_restarts(net):
    """Hosts keep going: what they send is answered again when the router is back."""
    going = net.a.popen("ping", "-n", "-i", "0.05", "-c", "60", "-W", "1", B, stdout=-1)
    time.sleep(0.5)
    net.router.settled()
    net.router.stop()
    time.sleep(0.3)
    net.router.start(CONFIG)
    shown, _ = going.communicate(timeout=30)
    numbers = [int(n) for n in re.findall(r"icmp_seq=(\d+) ttl", shown)]
    assert numbers[0] == 1 and numbers[-1] == 60, shown
    assert len(numbers) > 20
    assert " 0% packet loss" in ping(net, B, count=20)


def test_a_busy_router_answers_its_operator(net):
    """While packets flow routes are changed by the thousand, and no packet is lost."""
    going = net.a.popen("ping", "-n", "-q", "-i", "0.005", "-c", "200", B, stdout=-1)
    for turn in range(5):
        words = "add" if turn % 2 == 0 else "del"
        net.router.batch([f"route {words} 172.{16 + i // 256}.{i % 256}.0/24 via {B}"
                          for i in range(2000)])
    shown, _ = going.communicate(timeout=30)
    assert " 0% packet loss" in shown, shown
