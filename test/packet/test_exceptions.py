"""What hosts report of paths, and martians: how it is shown, logged, and forgotten in time."""

import pytest
from scapy.layers.inet import ICMP, IP

import frames
from frames import address, echo, forwarded, frame, udp
from router import wait_for

OLD, NEW, FAR = address(1, 2), address(1, 3), "198.51.100.9"
COMMANDS = ["route add 198.51.100.0/24 via " + OLD,
            f"neigh add {address(0, 2)} lladdr {frames.host_mac(0, 2)} dev p0",
            f"neigh add {OLD} lladdr {frames.host_mac(1, 2)} dev p1",
            f"neigh add {NEW} lladdr {frames.host_mac(1, 3)} dev p1",
            "sysctl net.ipv4.conf.all.accept_redirects=1"]


def report(kind, code, src=OLD, **fields):
    """About an echo reply of ours to FAR."""
    quoted = echo(frames.router_address(1), FAR, kind="echo-reply")
    return frame(1, IP(src=src, dst=frames.router_address(1))
                 / ICMP(type=kind, code=code, **fields) / quoted)


REDIRECT = report(5, 1, gw=NEW)
TOO_BIG = report(3, 4, nexthopmtu=1000)


@pytest.mark.parametrize("seconds", [300, 20])
def test_a_redirect_is_believed_for_so_long(router, captures, seconds):
    sent = frame(0, udp(address(0, 2), FAR))
    times = [1, seconds - 1, seconds + 1]
    router.run(captures.port(0, [(1000 + t, sent) for t in times])
               + captures.port(1, [(1000, REDIRECT)]) + COMMANDS
               + [f"sysctl net.ipv4.route.gc_timeout={seconds}"],
               "--until-idle", "--time", "packet")
    assert captures.out(1) == [forwarded(sent, 1, 3)] * 2 + [forwarded(sent, 1, 2)]


@pytest.mark.parametrize("option", [[], ["--no-fast-path"]])
def test_route_get_shows_what_was_learned(router, captures, option):
    router.start(captures.port(0) + captures.port(1, [(1000, TOO_BIG), (1001, REDIRECT)])
                 + COMMANDS, *option)
    wait_for(lambda: "redirected" in router.ctl(f"route get {FAR}"), what="the redirect")
    wait_for(lambda: "mtu" in router.ctl(f"route get {FAR}"), what="the MTU")
    text = router.ctl(f"route get {FAR}")
    assert f"{FAR} via {NEW} dev p1 src {frames.router_address(1)}" in text
    assert "cache <redirected> expires " in text and "sec mtu 1000" in text
    assert "neighbour PERMANENT" in text
    shown, = router.show(f"route get {FAR}")
    assert shown["gateway"] == NEW and shown["cache"] == ["redirected"]
    assert shown["metrics"] == [{"mtu": 1000}] and 290 < shown["expires"] <= 600
    learned, = router.show("route show cache")
    assert learned["dst"] == FAR and learned["gateway"] == NEW and learned["dev"] == "p1"
    assert router.show("route show cache dev p0") == []
    assert router.show("route show root 198.51.100.0/24 cache") == [learned]
    assert router.show(f"route show cache match {FAR} via {NEW}") == [learned]
    assert router.show("route show 198.51.100.0/24 cache") == []
    assert router.show("route show cache type local") == []
    assert router.show("route show cache via 10.0.9.9") == []
    assert router.show("route show root 198.51.101.0/24 cache") == []
    router.ctl("route flush cache")
    assert router.show("route show cache") == []
    assert f"via {OLD}" in router.ctl(f"route get {FAR}")
    router.stop()


def test_martians_are_logged_where_that_is_asked_for(router, captures):
    many = [frame(0, udp("127.0.0.1", OLD)), frame(0, udp(address(0, 2), "127.0.0.2")),
            frame(0, udp("224.0.0.5", OLD)), frame(0, udp(address(0, 2), "224.0.0.9"))] * 10
    quiet = [frame(1, udp("127.0.0.1", address(0, 2)))]
    router.start(captures.port(0, [(1000, f) for f in many])
                 + captures.port(1, [(1000, f) for f in quiet]) + COMMANDS
                 + ["sysctl net.ipv4.conf.p0.log_martians=1"], "--time", "packet")
    account = router.settled(len(many) + len(quiet))
    assert account["reasons"] == {"IP_LOCALNET": 21, "IP_INVALID_SOURCE": 10, "IP_NOT_JOINED": 10}
    lines = router.said().splitlines()
    assert len(lines) == 10
    assert any(f"martian source {OLD} from 127.0.0.1, on dev p0" in line for line in lines)
    assert any("martian destination 127.0.0.2 from 10.0.0.2" in line for line in lines)
    assert any(f"martian source {OLD} from 224.0.0.5" in line for line in lines)
    router.log.write_text("")       # nothing else may be there at the end
    router.stop()
