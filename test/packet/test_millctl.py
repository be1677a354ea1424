"""millctl and the socket behind it: exit statuses, batches, JSON, hostile clients, saved state."""

import contextlib
import fcntl
import json
import os
import select
import socket
import struct
import subprocess
import termios
import time

import pytest

from frames import address, frame, udp
from router import MILLCTL, Router, wait_for
from saved import survives

COMMANDS = ["link add n type dpdk devargs net_null0,no-rx=1 mtu 1400", "addr add 10.0.0.1/24 dev n",
            "link set n up", "route add 10.5.0.0/16 via 10.0.0.2 metric 7",
            "neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev n", "route add blackhole 10.6.0.0/16",
            "sysctl net.millrace.defrag=1"]
SHOW = ["addr show", "addr show n", "config show", "drops", "drops all", "help", "help route",
        "help link add", "filter show", "frag show", "hook show", "link show", "link show n",
        "mempool show", "neigh show", "neigh show dev n", "nstat", "nstat Ip*", "route show",
        "rule show", "route show table all", "route show table local", "route show 10.5.0.0/16",
        "route show dev n", "route get 10.5.1.1", "route get 10.0.0.9", "route get 127.0.0.1",
        "route", "link", "addr", "neigh", "sysctl -a", "sysctl net.ipv4.ip_forward", "worker show",
        "worker", "mempool"]
ROUTES = 100_000


@pytest.fixture(scope="module")
def router(tmp_path_factory):
    """One that runs for all tests here that leave it as it was."""
    made = Router(tmp_path_factory.mktemp("millctl"))
    try:
        yield made.start(COMMANDS)
        made.stop()
    finally:
        made.kill()


# ---- exit statuses ----

def test_done(router):
    done = router.ctl_raw("link", "show")
    assert (done.returncode, done.stderr) == (0, "")
    assert router.ctl_raw("-4", "link", "show").stdout == done.stdout


@pytest.mark.parametrize("words", [["--nonsense"], ["-x"], ["-b"], ["-s"],
                                   ["-b", "-", "link", "show"]], ids=" ".join)
def test_wrong_usage(words):
    done = subprocess.run([MILLCTL, *words], text=True, capture_output=True,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert done.stdout == "" and done.stderr.endswith("Try: millctl --help\n")


def test_help_and_version():
    for option in ("-h", "--help", "-V", "--version"):
        done = subprocess.run([MILLCTL, option], text=True, capture_output=True)
        assert (done.returncode, done.stderr) == (0, "") and "millctl" in done.stdout


def test_the_help_has_the_default_socket():
    done = subprocess.run([MILLCTL, "-s", "/x", "-h"], text=True, capture_output=True)
    assert "(default /x)" not in done.stdout and "millrace.sock)" in done.stdout


def test_what_is_no_socket(directory):
    (directory / "file").write_text("")
    for path in (directory, directory / "file"):
        done = subprocess.run([MILLCTL, "-s", str(path), "link"], text=True, capture_output=True)
        assert (done.returncode, done.stderr) == (1, f"Error: {path} is not a socket\n")


def test_nobody_listens(directory):
    done = subprocess.run([MILLCTL, "-s", f"{directory}/absent", "link"], text=True,
                          capture_output=True)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ") and f"{directory}/absent" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("line, word", [
    ("nonsense", "nonsense"), ("link nonsense", "nonsense"), ("route add", "PREFIX"),
    ("route add 10.0.0.0/8", "via"), ("route add 300.0.0.0/8 dev n", "300.0.0.0/8"),
    ("route add 10.5.0.0/16 via 10.0.0.2 metric 7", "10.5.0.0/16"),
    ("route add 10.8.0.1/16 dev n", "10.8.0.1/16"),
    ("route add 10.8.0.0/16 via 10.99.0.1", "10.99"),
    ("route add 10.8.0.0/16 dev n metric -1", "-1"), ("route add 10.8.0.0/16 dev n dev n", "dev"),
    ("route add 10.8.0.0/16 dev n metric", "metric"), ("route del 10.99.0.0/16", "10.99.0.0/16"),
    ("route add 10.8.0.0/16 dev n nonsense 5", "nonsense"), ("route get nowhere", "nowhere"),
    ("addr add 10.0.0.1/24 dev n", "10.0.0.1"), ("addr add 10.3.0.1/33 dev n", "10.3.0.1/33"),
    ("addr del 10.3.0.1/24 dev n", "10.3.0.1"), ("addr add 224.0.0.1/24 dev n", "224.0.0.1"),
    ("addr show m", "m"), ("neigh add 10.0.0.2 dev n", "lladdr"),
    ("neigh add 10.0.0.2 lladdr 02:00:00:00:00:03 dev n", "10.0.0.2"),
    ("neigh add 10.0.0.3 lladdr 02:00:00:00:00 dev n", "02:00:00:00:00"),
    ("neigh add 10.0.0.3 lladdr 02:00:00:00:00:03 dev n nud happy", "happy"),
    ("neigh del 10.0.0.99 dev n", "10.0.0.99"), ("sysctl net.ipv4.nonsense", "nonsense"),
    ("sysctl net.ipv4.ip_forward=maybe", "maybe"), ("help nonsense", "nonsense"),
    ("config load /nowhere/x", "/nowhere/x"), ("config save /nowhere/x", "/nowhere/x"),
    ("drops nonsense", "nonsense"), ("shutdown now", "now"),
    ("filter replace forward index 0 ip ttl 1", "index"), ("filter replace forward drop", "drop"),
    ("filter replace forward handle 9 drop", "9"), ("filter del forward index 0", "index"),
    ("filter insert forward index 9 drop", "9"), ("filter add forward handle 9 drop", "9"),
    ("link set n mtu", "mtu"), ("", "missing"),
], ids=lambda value: value[:50])
def test_a_refusal_names_the_word(router, line, word):
    if line:
        assert word in router.refusal(line)
    else:
        assert router.ctl_raw("").returncode == 1
    assert router.show("config show") == router.show("config show")


# ---- JSON ----

@pytest.mark.parametrize("line", SHOW)
def test_json(router, line):
    plain = router.show(line)
    assert json.loads(router.ctl(line, "-j", "-p")) is not None
    pretty = router.ctl(line, "-p")
    assert type(json.loads(pretty)) is type(plain)
    assert router.ctl(line) != ""


def test_digits_of_numbers(directory):
    """They are printed as they came from the router, which here is the test."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{directory}/sock")
        listener.listen()
        for options in (["-j"], ["-j", "-p"]):
            child = subprocess.Popen([MILLCTL, "-s", f"{directory}/sock", *options, "worker"],
                                     stdout=subprocess.PIPE, text=True)
            with listener.accept()[0] as client:
                client.recv(65536)
                client.sendall(b'{"jsonrpc":"2.0","id":1,"result":[1.4,99.9,0.1,12345678.3]}\n')
                assert "".join(child.communicate()[0].split()) == "[1.4,99.9,0.1,12345678.3]"


def test_every_show_command_is_tested(router):
    usages = {u["usage"].split(" [")[0] for u in router.show("help")}
    shown = {u for u in usages if u.endswith("show") or u in ("drops", "nstat", "help", "worker")}
    assert shown <= set(SHOW)


# ---- batches ----

def test_batch_stops_at_the_first_error(router):
    done = router.ctl_raw("-b", "-", stdin="# comment\n\nroute add 10.20.0.0/16 dev n\n"
                          "route add nonsense\nroute add 10.21.0.0/16 dev n\n")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: stdin:4: ") and "nonsense" in done.stderr
    shown = router.ctl("route show")
    assert "10.20.0.0/16" in shown and "10.21.0.0/16" not in shown
    router.ctl("route del 10.20.0.0/16")


def test_batch_goes_on_with_force(router):
    done = router.ctl_raw("-f", "-b", "-", stdin="nonsense\nroute add 10.21.0.0/16 dev n\n"
                          "again nonsense")
    assert done.returncode == 1
    assert [line.split(":")[2] for line in done.stderr.splitlines()] == ["1", "3"]
    router.ctl("route del 10.21.0.0/16")


def test_batch_of_a_file(router, directory):
    path = directory / "batch"
    path.write_text("link show n\nroute show 10.5.0.0/16\n")
    assert router.ctl("", "-b", str(path)) \
        == router.ctl("link show n") + router.ctl("route show 10.5.0.0/16")
    done = router.ctl_raw("-b", "/nowhere/batch")
    assert done.returncode == 1 and "/nowhere/batch" in done.stderr


def test_many_clients_at_once(router):
    children = [subprocess.Popen([MILLCTL, "-s", router.socket, "-j", "route", "show"],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                for _ in range(24)]
    outputs = [child.communicate()[0] for child in children]
    assert len(set(outputs)) == 1 and json.loads(outputs[0])
    assert {child.returncode for child in children} == {0}


# ---- hostile clients, while packets flow ----

def connected(router):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(10)
    client.connect(router.socket)
    return client


def garbage(router):
    for data in (os.urandom(4096), b"{" * 100_000, b"[" * 100_000 + b"\n", b"\0" * 5000 + b"\n",
                 b'{"jsonrpc":"2.0","id":1}\n', b'{"jsonrpc":"2.0","id":1,"method":"run"}\n',
                 b'{"jsonrpc":"2.0","id":1,"method":"run","params":{"argv":[1,null,{}]}}\n',
                 b'{"jsonrpc":"2.0","id":1,"method":"run","params":{"argv":['
                 + b'"x",' * 5000 + b'"x"]}}\n', b"\xff\xfe\n", b"[]\n", b"null\n" * 1000):
        with connected(router) as client, contextlib.suppress(OSError):
            client.sendall(data)


def endless_line(router):
    with connected(router) as client, contextlib.suppress(OSError):
        for _ in range(64):
            client.sendall(b"x" * 65536)


def request(*argv, number=1):
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": "run",
                       "params": {"argv": argv}}).encode() + b"\n"


def never_reads(router):
    """Asks for much and reads nothing; kept open."""
    client = connected(router)
    client.setblocking(False)
    with contextlib.suppress(OSError):
        for _ in range(2000):
            client.send(request("sysctl", "-a") * 10)
    return client


def resets(router):
    for _ in range(50):
        with connected(router) as client, contextlib.suppress(OSError):
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.sendall(request("route", "show"))


def too_many(router):
    return [connected(router) for _ in range(31)]


def byte_by_byte(router):
    wait_for(lambda: router.ctl_raw("link").returncode == 0)
    with connected(router) as client:
        for byte in request("drops"):
            client.sendall(bytes([byte]))
        assert b'"balance"' in client.recv(65536)


def test_hostile_clients_while_packets_flow(make_router, captures):
    one = make_router()
    records = [(1, frame(0, udp(address(0, 2), "10.0.5.2", ident=i))) for i in range(64)]
    commands = captures.port(0, records, endless=True)
    one.start(commands + ["link add n type dpdk devargs net_null0,no-rx=1",
                          "addr add 10.0.5.1/24 dev n", "link set n up",
                          "neigh add 10.0.5.2 lladdr 02:00:00:00:05:02 dev n"])
    before = one.account()["transmitted"]
    garbage(one)
    endless_line(one)
    resets(one)
    byte_by_byte(one)
    silent = never_reads(one)
    began = time.monotonic()
    one.account()
    assert time.monotonic() - began < 2
    wait_for(lambda: one.account()["transmitted"] > before)
    silent.close()
    wait_for(lambda: one.ctl_raw("link").returncode == 0)
    clients = too_many(one)
    said = [one.ctl_raw("link", "show") for _ in range(2)]
    assert {done.returncode for done in said} <= {0, 1}
    for client in clients:
        client.close()
    wait_for(lambda: one.ctl_raw("link").returncode == 0)
    one.ctl("link set p0 down")
    account = one.settled()
    assert account["dropped"] == 0, account
    one.stop()


def test_silent_clients_make_room(router):
    clients = [connected(router) for _ in range(40)]
    try:
        assert router.ctl_raw("link").returncode == 0
        assert "too many clients" in clients[0].recv(1000).decode()
    finally:
        for client in clients:
            client.close()


def test_a_client_that_leaves_before_the_answer(router):
    with connected(router) as client:
        client.sendall(request("route", "show", "table", "all") * 100)
    assert "n:" in router.ctl("link show n")


def test_pings_end_with_their_clients(router):
    for half in (False, True):
        clients = [connected(router) for _ in range(20)]
        for client in clients:
            client.sendall(request("ping", "10.0.0.77", "-c", "600", "-W", "60"))
            if half:
                client.shutdown(socket.SHUT_WR)
        time.sleep(0.2)
        for client in clients:
            client.close()
        wait_for(lambda: router.ctl_raw("ping", "10.0.0.1", "-c", "1").returncode == 0)


# ---- the interactive shell ----

class Shell:
    """millctl on a terminal."""

    def __init__(self, router, home):
        self.terminal, end = os.openpty()
        self.process = subprocess.Popen([MILLCTL, "-s", router.socket], stdin=end, stdout=end,
                                        stderr=end, env={**os.environ, "HOME": str(home)},
                                        start_new_session=True, preexec_fn=self.take_terminal)
        os.close(end)
        self.said = ""
        self.await_text("millrace> ")

    @staticmethod
    def take_terminal():
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def await_text(self, text, seconds=10):
        """What is said up to this text, which must come."""
        deadline = time.monotonic() + seconds
        while text not in self.said:
            ready = select.select([self.terminal], [], [], deadline - time.monotonic())[0]
            assert ready, f"{text!r} does not come: {self.said!r}"
            self.said += os.read(self.terminal, 65536).decode()
        before, self.said = self.said.split(text, 1)
        return before

    def type(self, text):
        os.write(self.terminal, text.encode())

    def ended(self):
        status = self.process.wait(5)
        os.close(self.terminal)
        return status


def test_ctrl_c_at_the_prompt_drops_the_line(router, directory):
    shell = Shell(router, directory)
    shell.type("link sho n\n")
    shell.await_text("mtu 1400")
    shell.await_text("millrace> ")
    shell.type("nonsense")
    shell.await_text("nonsense")
    shell.type("\x03")
    shell.await_text("millrace> ")
    shell.type("addr show n\n")
    assert "Error" not in shell.await_text("10.0.0.1/24")
    shell.await_text("millrace> ")
    shell.type("exit\n")
    assert shell.ended() == 0
    history = (directory / ".millctl_history").read_text()
    assert "addr" in history and "nonsense" not in history


def test_ctrl_c_is_never_missed(router, directory):
    """However close to the prompt it comes: the shell may not be reading yet."""
    shell = Shell(router, directory)
    for _ in range(100):
        shell.type("\x03")
        shell.await_text("millrace> ", seconds=5)
    shell.type("exit\n")
    assert shell.ended() == 0


# ---- saving and loading ----

FULL = [
    "link add n type dpdk devargs net_null0,no-rx=1 rxd 256 txd 512 mtu 1400 "
    "address 02:00:00:00:00:aa promisc on",
    "link add m type dpdk devargs net_null1,no-rx=1 address 02:00:00:00:00:bb",
    "addr add 10.0.0.1/24 dev n", "addr add 10.0.0.5/24 dev n", "addr add 192.0.2.1/32 dev lo",
    "addr add 10.1.0.1/30 dev m", "link set n up", "link set m up",
    "route add default via 10.0.0.2 src 10.0.0.5", "route add 10.5.0.0/16 via 10.0.0.2 metric 7",
    "route add 10.5.0.0/16 dev m metric 9 mtu 1200", "route add blackhole 10.6.0.0/16",
    "route add unreachable 10.7.0.0/16 metric 3", "route add prohibit 10.8.0.0/16",
    "route add 10.9.0.0/16 via 172.31.0.1 dev m onlink", "route add throw 10.10.0.0/16",
    "route add 10.11.0.0/16 via 10.1.0.2 proto bird",
    "neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev n",
    "sysctl net.ipv4.ip_forward=0", "sysctl net.ipv4.ip_default_ttl=77",
    "sysctl net.ipv4.conf.n.rp_filter=2", "sysctl net.ipv4.conf.default.rp_filter=1",
]


def test_what_is_saved_loads_again(make_router, directory):
    one = make_router().start(FULL)
    survives(one)
    assert [n["state"] for n in one.show("neigh show")] == [["PERMANENT"]]
    again = directory / "again.conf"
    one.ctl(f"config save {again}")
    assert again.read_text() == (one.directory / "saved.conf").read_text()
    one.stop()


@pytest.mark.parametrize("low, high", [(0, 60000), (4000000, 4100000), (5000000, 6000000),
                                       (2**63, 2**64 - 1)])
def test_settings_that_bound_each_other_load_again(make_router, low, high):
    one = make_router().start(())
    pair = [f"sysctl net.ipv4.ipfrag_low_thresh={low}",
            f"sysctl net.ipv4.ipfrag_high_thresh={high}"]
    one.batch(pair if low < 4194304 else pair[::-1])
    survives(one)
    one.stop()


@pytest.mark.parametrize("value, shown", [(2**63 - 1, 2**63 - 1), (2**63, str(2**63)),
                                          (2**64 - 1, str(2**64 - 1))])
def test_the_largest_numbers(router, value, shown):
    name = "net.ipv4.ipfrag_high_thresh"
    assert router.ctl(f"sysctl {name}={value}") == f"{name} = {value}\n"
    for options in (("-j",), ("-j", "-p")):
        assert json.loads(router.ctl(f"sysctl {name}", *options)) == {name: shown}
        assert json.loads(router.ctl("frag show", *options))["bytes_max"] == shown
    assert "18446744073709551615" in router.refusal(f"sysctl {name}=18446744073709551616")
    router.ctl(f"sysctl {name}=4194304")


def test_relative_paths_begin_where_the_client_is(router, directory):
    def there(*words, stdin=None):
        return subprocess.run([MILLCTL, "-s", router.socket, *words], cwd=directory, input=stdin,
                              text=True, capture_output=True)

    assert there("config", "save", "rel.conf").returncode == 0
    assert (directory / "rel.conf").read_text().endswith(router.ctl("config show"))
    (directory / "more").write_text("route add 10.40.0.0/16 dev n\nconfig load again\n")
    (directory / "again").write_text("route add 10.41.0.0/16 dev n\n")
    (directory / "rules").write_text("add forward ip ttl 3 drop\n")
    done = there("-b", "-", stdin="config load more\nfilter load rules\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert "ttl 3" in router.ctl("filter show")
    for line in ("filter flush", "route del 10.40.0.0/16", "route del 10.41.0.0/16"):
        router.ctl(line)
    assert f"{directory}/absent" in there("config", "load", "absent").stderr


def test_a_relative_path_that_begins_nowhere(router):
    with connected(router) as client:
        client.sendall(request("config", "save", "rel.conf"))
        assert '"rel.conf\\" is a relative path' in client.recv(65536).decode()


def test_saving_fails_cleanly(router, directory):
    before = router.ctl("config show")
    (directory / "dir").mkdir()
    os.mkfifo(directory / "fifo")
    os.mknod(directory / "null", 0o20666, os.makedev(1, 3))
    (directory / "nowhere").symlink_to(directory / "none")
    there = sorted(directory.iterdir())
    for path in there:
        assert str(path) in router.refusal(f"config save {path}")
    assert sorted(directory.iterdir()) == there
    assert (directory / "fifo").is_fifo() and (directory / "null").is_char_device()
    assert "regular" in router.refusal(f"config load {directory}/fifo")
    assert router.ctl("config show") == before


def test_what_is_replaced_keeps_its_owner_and_mode(router, directory):
    path, link = directory / "config", directory / "link"
    path.write_text("")
    path.chmod(0o640)
    os.chown(path, 1, 2)
    link.symlink_to(path)
    router.ctl(f"config save {link}")
    now = path.stat()
    assert link.is_symlink() and now.st_size > 0
    assert (now.st_mode & 0o777, now.st_uid, now.st_gid) == (0o640, 1, 2)


@pytest.mark.parametrize("words", [
    ("filter", "add", "forward", "accept", "comment", "a\nroute add blackhole 9.9.9.9"),
    ("filter", "add", "forward", "log", "prefix", "a\x1b[2J"), ("link", "set", "n\x7f", "up")])
def test_control_characters_are_refused(router, words):
    with connected(router) as client:
        client.sendall(request(*words))
        assert "control character" in client.recv(65536).decode()


def test_thousands_of_filter_rules(make_router, directory):
    one = make_router()
    rules = [f"filter add forward ip saddr 10.{i >> 8}.{i & 255}.0/24 tcp dport {i + 1} drop"
             for i in range(4000)]
    began = time.monotonic()
    one.start(COMMANDS + rules)
    saved = directory / "saved"
    one.ctl(f"config save {saved}")
    one.ctl("filter flush")
    for start in range(0, len(rules), 1000):
        one.batch(rules[start:start + 1000])
    assert time.monotonic() - began < 60
    assert one.ctl("config show") == "".join(saved.read_text().splitlines(True)[1:])
    assert "filter" in one.ctl("hook show")
    one.stop()


def test_a_worker_that_is_no_more(make_router):
    one = make_router().start([*COMMANDS, "worker set 7 dev n rxq 0"])
    assert "there is no worker 7" in one.refusal("worker set 7 dev n rxq 0")
    assert one.ctl("link show n")
    assert "millrace.conf:8: worker set: there is no worker 7" in one.said()
    one.kill()


def test_loading_while_running(router, directory):
    path = directory / "more"
    path.write_text("route add 10.30.0.0/16 dev n # a comment\n\n  # another\nroute nonsense\n")
    assert router.refusal(f"config load {path}").startswith(f"config load: {path}:4: ") \
        or f"{path}:4: " in router.refusal(f"config load {path}")
    assert "10.30.0.0/16" in router.ctl("route show")
    router.ctl("route del 10.30.0.0/16")


def test_many_routes_in_a_file(make_router):
    one = make_router()
    lines = [f"route add {11 + i // 65536}.{i // 256 % 256}.{i % 256}.0/24 via 10.0.0.2"
             for i in range(ROUTES)]
    began = time.monotonic()
    one.start(COMMANDS + lines)
    assert time.monotonic() - began < 20
    assert len(one.show("route show")) == ROUTES + 3
    assert one.show("route get 12.1.2.3")[0]["gateway"] == "10.0.0.2"
    assert len(one.show("config show")) == ROUTES + len(COMMANDS)
    one.ctl("route del 12.1.2.0/24")
    assert "12.1.2.3" in one.refusal("route get 12.1.2.3")
    one.ctl("link del n")
    assert len(one.show("route show")) == 1
    one.stop()
