"""How the daemon starts, refuses to start, and stops."""

import concurrent.futures
import contextlib
import itertools
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

import frames
import pcap
from router import MEMORY, MILLCTL, MILLRACE, end_with_parent

# How long a stop may take on a machine that has nothing else to do.
STOP_SECONDS = 2
# Lcores that share CPUs rest when they are idle, so that many routers can run side by side.
SHARING = (*MEMORY, "--lcores", "0@(0,1),1@(0,1)")
NULL = "link add n type dpdk devargs net_null0,no-rx=1"


def run(*words, seconds=8):
    """A start that ends by itself."""
    return subprocess.run([MILLRACE, *map(str, words)], text=True, capture_output=True,
                          timeout=seconds, preexec_fn=end_with_parent)


def refused(router, *words, eal=MEMORY, config=None):
    """The one line on stderr with which it does not start; nothing may be left behind."""
    if config is not None:
        words = ("-c", router.write_config(config), *words)
    done = run(*router.words(*words, eal=eal)[1:])
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ") and done.stderr.endswith("\n"), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.returncode == 1
    assert router.leftovers() == []
    return done.stderr[len("Error: "):-1]


# ---- arguments ----

@pytest.mark.parametrize("words, said", [
    (["nonsense"], '"nonsense"'),
    (["--nonsense"], '"--nonsense"'),
    (["-x"], '"-x"'),
    (["-vx"], '"-vx"'),
    (["-v", "nonsense"], '"nonsense"'),
    (["-w", "0"], '"0"'),
    (["-w", "65"], '"65"'),
    (["-w", "-1"], '"-1"'),
    (["-w", "two"], '"two"'),
    (["-w", ""], '""'),
    (["-w", "2x"], '"2x"'),
    (["-w", "99999999999999999999"], '"99999999999999999999"'),
    (["--time", "fast"], '"fast"'),
    (["--socket-mode", "99"], '"99"'),
    (["--socket-mode", "rw"], '"rw"'),
    (["--socket-owner", "nobody-of-that-name"], '"nobody-of-that-name"'),
    (["--socket-owner", ":nogroup-of-that-name"], '"nogroup-of-that-name"'),
    (["--time", "packet", "-w", "2"], "-w 2"),
    (["--until-idle=yes"], '"--until-idle=yes"'),
    (["-c", "/dev/null", "-c", "/dev/null"], "-c: there can be but one"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_wrong_arguments(router, words, said):
    done = run("-s", router.socket, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1, done.stderr
    assert said in done.stderr


@pytest.mark.parametrize("option", ["-c", "--config", "-s", "--socket", "-w", "--workers",
                                    "--time", "--socket-mode", "--socket-owner"])
def test_a_value_is_missing(option):
    done = run(option)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"Error: {option} needs a value"), done.stderr
    assert done.stderr.count("\n") == 1


def test_help_and_version():
    for option in ("--help", "-h"):
        done = run(option)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("usage: millrace")
        assert max(map(len, done.stdout.splitlines())) <= 100
    for option in ("--version", "-V"):
        done = run(option)
        assert (done.returncode, done.stderr) == (0, "")
        assert re.fullmatch(r"millrace \S+, DPDK \d+\.\d+\S*\n", done.stdout), done.stdout


# ---- EAL ----

@pytest.mark.parametrize("eal", [
    ["--nonsense"], ["-l", "999"], ["--lcores", "0@0,1@"], ["--main-lcore", "7"],
    ["--vdev", "net_nonsense0"], ["-d", "/nowhere/driver.so"], ["nonsense"],
    ["--no-telemetry"] * 200,
], ids=lambda eal: " ".join(eal)[:30])
def test_eal_refuses(router, eal):
    text = refused(router, eal=(*MEMORY, *eal))
    assert len(text) > 20


def test_more_workers_than_lcores(router):
    assert "-w 3" in refused(router, "-w", "3", eal=(*MEMORY, "--lcores", "0@0,1@1"))


# ---- configuration ----

def test_no_configuration_file(router):
    assert "/nowhere/x.conf" in refused(router, "-c", "/nowhere/x.conf")
    assert str(router.directory) in refused(router, "-c", router.directory)


@pytest.mark.parametrize("line, word", [
    ("link add n type dpdk devargs net_null1,no-rx=1", '"n"'),
    ("nonsense", '"nonsense"'),
    ("route add 10.0.0.0/33 dev n", '"10.0.0.0/33"'),
    ("addr add 10.0.0.1/24 dev absent", '"absent"'),
    ("link set n mtu 12", '12'),
    ("link add m type dpdk devargs net_pcap0,rx_pcap=/nowhere/in.pcap", "/nowhere/in.pcap"),
    ("link add m type dpdk devargs net_af_packet0,iface=absent0", "absent0"),
    ("link add m type dpdk devargs nonsense", '"nonsense"'),
    ("link add m type dpdk devargs net_pcap0,nonsense=1", "nonsense"),
    ("link add m type dpdk devargs net_pcap0,rx_pcap=/etc/passwd", "/etc/passwd"),
    ("sysctl net.ipv4.nonsense=1", '"net.ipv4.nonsense"'),
    ('route add "10.0.0.0/8 dev n', "quote"),
    ("config load /nowhere/y.conf", "/nowhere/y.conf"),
], ids=lambda value: "" if value[0] == '"' else value)
def test_a_configuration_with_an_error(router, line, word):
    config = ["# a comment", NULL, "", line, "nonsense too"]
    text = refused(router, config=config)
    assert text.startswith(f"{router.directory}/millrace.conf:4: "), text
    assert word in text


def test_a_configuration_that_loads_itself(router):
    text = refused(router, config=[f"config load {router.directory}/millrace.conf"])
    assert "load one another" in text and len(text) < 2000


# ---- socket ----

def test_the_socket_is_taken(router, make_router):
    router.start()
    other = make_router()
    done = run(*other.words("-s", router.socket)[1:])
    assert done.returncode == 1
    assert done.stderr == f"Error: another millrace is listening on {router.socket}\n"
    assert other.leftovers() == []
    assert "lo" in router.ctl("link show")
    router.stop()


def test_a_second_start_is_told_of_the_first(router):
    """Though it would find the first one's DPDK file prefix sooner than its socket."""
    router.start()
    done = run(*router.words()[1:])
    assert done.returncode == 1
    assert done.stderr == f"Error: another millrace is listening on {router.socket}\n"
    router.stop()


def test_a_socket_that_nobody_listens_on_is_replaced(router):
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(router.socket)
    router.start()
    router.stop()


def test_a_file_in_the_sockets_place_stays(router):
    pathlib.Path(router.socket).write_text("precious")
    done = run(*router.words()[1:])
    assert done.returncode == 1 and "is not a socket" in done.stderr
    assert pathlib.Path(router.socket).read_text() == "precious"


@pytest.mark.parametrize("path", ["/tmp/" + "x" * 120, "", "/nowhere/deeper/sock", "/proc/sock"])
def test_no_socket_can_be_there(router, path):
    text = refused(router, "-s", path)
    assert f'"{path}"' in text or '"/nowhere/deeper"' in text


def test_socket_mode_and_owner(router):
    router.start([], "--socket-mode", "0660", "--socket-owner", "nobody:nogroup")
    status = os.stat(router.socket)
    assert status.st_mode & 0o777 == 0o660
    assert status.st_uid == 65534 and status.st_gid == 65534
    router.stop()
    router.start()
    assert os.stat(router.socket).st_mode & 0o777 == 0o600
    router.stop()


# ---- one file prefix, two processes ----

@pytest.mark.parametrize("eal", [["--no-huge", "-m", "256"], ["-m", "64"], []],
                         ids=["no-huge", "hugepages", "default"])
def test_the_file_prefix_is_taken(router, make_router, eal):
    other = make_router(prefix=router.prefix)
    router.spawn(router.words(eal=eal))
    try:
        router.await_ready()
    except AssertionError:
        pytest.skip(f"no memory of this kind here: {router.said()}")
    done = run(*other.words(eal=eal)[1:])
    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if "hugepages" not in line]
    assert len(said) == 1 and said[0].startswith("Error: another process runs with "), said
    assert "--file-prefix" in said[0]
    assert "lo" in router.ctl("link show")
    router.process.terminate()
    assert router.process.wait(5) == 0
    assert router.leftovers() == []
    router.process = None


def test_a_prefix_is_free_again_after_a_crash(router):
    router.start()
    router.process.kill()
    router.process.wait()
    router.process = None
    router.start()
    router.stop()


# ---- stopping ----

def heard(process):
    """Has it installed its handlers?"""
    try:
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return True
    caught = int(next(li for li in status.splitlines() if li.startswith("SigCgt")).split()[1], 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1)


def stopped_after(router, milliseconds, number, words, eal):
    """Start, send a signal after a time, and tell what was wrong with the end."""
    process = router.spawn(router.words(*words, eal=eal))
    time.sleep(milliseconds / 1000)
    knows = heard(process)
    process.send_signal(number)
    sent = time.monotonic()
    limit = STOP_SECONDS * max(1, os.getloadavg()[0] / os.cpu_count())
    try:
        status = process.wait(10)
    except subprocess.TimeoutExpired:
        return f"{milliseconds} ms: still runs 10 s after signal {number}"
    took = time.monotonic() - sent
    router.process = None
    said = router.said()
    complaints = [
        status != 0 and (knows or status != -number) and f"status {status}",
        took > limit and f"took {took:.1f} s",
        said and f"said {said!r}",
        router.leftovers(),
    ]
    router.kill()
    complaints = [str(c) for c in complaints if c]
    return f"{milliseconds} ms, signal {number}: {', '.join(complaints)}" if complaints else None


def sweep(make_router, times, *words, eal=MEMORY):
    """A signal at each of these times, several at once; TERM and INT in turn."""
    numbers = itertools.cycle((signal.SIGTERM, signal.SIGINT))
    routers = [make_router() for _ in times]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda job: stopped_after(*job, words, eal),
                                zip(routers, times, numbers)))
    return [r for r in results if r]


def test_a_signal_at_any_moment(make_router, directory):
    config = directory / "c"
    config.write_text(f"{NULL}\naddr add 10.0.0.1/24 dev n\nlink set n up\n")
    assert sweep(make_router, range(0, 505, 20), "-c", config, eal=SHARING) == []


def test_a_signal_while_the_configuration_loads(make_router, directory):
    config = directory / "routes"
    lines = [NULL, "addr add 10.0.0.1/24 dev n", "link set n up"]
    lines += [f"route add {11 + i // 65536}.{i // 256 % 256}.{i % 256}.0/24 via 10.0.0.2"
              for i in range(200_000)]
    config.write_text("\n".join(lines) + "\n")
    assert sweep(make_router, range(400, 1600, 150), "-c", config, eal=SHARING) == []


def test_a_signal_under_load(make_router, directory, captures):
    records = [(1, frames.frame(0, frames.udp(frames.address(0, 2), frames.address(1, 2), ident=i)))
               for i in range(64)]
    commands = captures.port(0, records, endless=True)
    commands += ["link add p1 type dpdk devargs net_null1,no-rx=1", "addr add 10.0.1.1/24 dev p1",
                 "link set p1 up",
                 f"neigh add 10.0.1.2 lladdr {frames.host_mac(1, 2)} dev p1"]
    config = directory / "load"
    config.write_text("\n".join(commands) + "\n")
    assert sweep(make_router, range(200, 1200, 100), "-c", config) == []


def ask_for_ever(router):
    """The counters, by DPDK's telemetry, until nobody answers."""
    with contextlib.suppress(OSError), \
            socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asked:
        asked.connect(f"{router.runtime}/dpdk_telemetry.v2")
        asked.recv(16384)
        while asked.send(b"/millrace/nstat") and asked.recv(16384):
            pass


@pytest.mark.parametrize("time_of_signal", range(4))
def test_counters_are_read_until_the_end(router, time_of_signal):
    router.start([NULL])
    clients = [threading.Thread(target=ask_for_ever, args=(router,)) for _ in range(6)]
    for client in clients:
        client.start()
    time.sleep(0.3 + 0.05 * time_of_signal)
    router.stop()
    for client in clients:
        client.join(10)
        assert not client.is_alive()


def test_a_capture_whose_clock_was_set_in_the_middle(router, directory):
    path = directory / "years.pcap"
    pcap.write(path, [(1, frames.frame(0, frames.udp("9.0.0.1", "9.0.0.2"))),
                      (1.79e9, frames.frame(0, frames.udp("9.0.0.1", "9.0.0.2")))])
    router.start([f"link add p type dpdk devargs net_pcap0,rx_pcap={path}",
                  "sysctl net.ipv4.neigh.default.base_reachable_time_ms=1000", "link set p up"],
                 "--time", "packet")
    assert router.ctl("link show p")
    router.stop()


def test_many_signals_are_as_good_as_one(router):
    router.start([NULL, "link set n up"])
    for _ in range(20):
        router.process.send_signal(signal.SIGTERM)
        router.process.send_signal(signal.SIGINT)
    router.ended(5)


def test_the_terminal_hangs_up(router):
    router.start([NULL])
    router.stop(signal.SIGHUP)
    router.start([NULL], wrapper=("nohup",))
    router.process.send_signal(signal.SIGHUP)
    time.sleep(0.2)
    assert "lo" in router.ctl("link show")
    router.stop()


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_standard_streams_are_closed(router, closed):
    router.start([NULL], wrapper=("sh", "-c", f'exec "$0" "$@" {closed}'))
    for words in ("", "link show"):
        done = subprocess.run(["sh", "-c", f"exec {MILLCTL} -s {router.socket} {words} {closed}"],
                              timeout=5, capture_output=True)
        assert done.returncode == 0
    assert "lo" in router.ctl("link show")
    router.stop()


def test_shutdown_command(router):
    router.start([NULL])
    router.shutdown()
