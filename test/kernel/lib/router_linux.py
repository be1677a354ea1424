"""The reference: the running kernel, as a router in a network namespace of its own."""

import itertools
import json
import subprocess

from . import counters, layout
from .services import Services

# A new namespace copies its IPv4 settings from the machine, where a distribution may have changed
# them.  These are the kernel's own defaults; only ip_forward is millrace's.
_DEFAULTS = {
    "rp_filter": 0, "accept_redirects": 1, "secure_redirects": 1, "send_redirects": 1,
    "shared_media": 1, "accept_local": 0, "route_localnet": 0, "bc_forwarding": 0,
    "proxy_arp": 0, "proxy_arp_pvlan": 0, "arp_accept": 0, "arp_announce": 0, "arp_filter": 0,
    "arp_ignore": 0, "arp_notify": 0, "log_martians": 0, "drop_gratuitous_arp": 0,
    "drop_unicast_in_l2_multicast": 0, "ignore_routes_with_linkdown": 0, "src_valid_mark": 0,
}

# millrace's words for what nft does, with the words that come before the rest of the line. While
# connections are tracked, fragments are put together before they are routed.
_NFT = {
    "sysctl net.millrace.defrag=1": """add table ip defrag
        add chain ip defrag c { type filter hook prerouting priority -150; }
        add rule ip defrag c ct state new counter
        add chain ip defrag o { type filter hook output priority -150; }
        add rule ip defrag o ct state new counter""",
    "sysctl net.millrace.defrag=0": "delete table ip defrag",
}


_PING = "-n -c 1 -W 1 -s 0 -M do".split()


def way(answer):
    """Of an answer to `route get` what is compared."""
    found = {key: answer[key] for key in ("type", "dst", "from", "gateway", "dev", "prefsrc",
                                          "mark", "iif", "metrics") if key in answer}
    found["cache"] = sorted(answer["cache"])
    if answer.get("table", "main") not in ("main", "local"):    # which Linux often holds in one
        found["table"] = answer["table"]
    return found


def _ip(router, lines):
    router.namespace.ip(lines)


def _sysctl(router, lines):
    for line in lines:
        key, _, value = line.removeprefix("sysctl ").partition("=")
        if router.services.is_setting(key):
            router.services.set(key, value)
        else:
            router.namespace.sysctl(key, value)


class _FilterHandles:
    """nft numbers the rules of a table, millrace those of each point."""

    def __init__(self, namespace):
        self._namespace = namespace
        self._handles = {}

    def look(self, point):
        """Take note of rules that have come since, in the order of their coming."""
        known = self._handles.setdefault(point, [])
        listed = self._namespace.nft_json("list", "table", "ip", "filter")["nftables"]
        known += sorted({entry["rule"]["handle"] for entry in listed
                         if entry.get("rule", {}).get("chain") == point} - set(known))
        return known

    def translate(self, point, words):
        """`handle N ...` with nft's number."""
        words = list(words)
        words[1] = str(self.look(point)[int(words[1]) - 1])
        return words


def _chain(point, policy=""):
    return f"""add table ip filter
        add chain ip filter {point} {{ type filter hook {point} priority 0; {policy} }}"""


def _filter(router, line):
    """Do what `filter ...` says with nft: the rule is nft's already, but for one word."""
    _, verb, point, *words = line.split(" ")
    if words[:1] == ["handle"]:
        words = router.filter_handles.translate(point, words)
    elif verb == "flush":
        router.filter_handles.look(point)
    words = " ".join(words).replace("fragment", "ip frag-off & 0x3fff != 0")
    if verb == "policy":
        return router.namespace.nft([_chain(point, f"policy {words};")])
    if verb == "flush":
        return router.namespace.nft([_chain(point), f"flush chain ip filter {point}"])
    verb = "delete" if verb == "del" else verb
    router.namespace.nft([_chain(point), f"{verb} rule ip filter {point} {words}"])


def _nft(router, lines):
    if any("tcp reset" in line for line in lines):
        for port in layout.PORTS:
            router.namespace.checksums_in_software(port)
    for simple, group in itertools.groupby(lines, lambda line: line.startswith("filter add")
                                           and " handle " not in line):
        if simple:      # all at once
            group = [line.split(" ", 3) for line in group]
            router.namespace.nft(
                [_chain(point) for point in {point for _, _, point, _ in group}]
                + [f"add rule ip filter {point} " + words.replace(
                    "fragment", "ip frag-off & 0x3fff != 0") for _, _, point, words in group])
            continue
        for line in group:
            if line in _NFT:
                router.namespace.nft([_NFT[line]])
            else:
                _filter(router, line)
    if any(line in _NFT for line in lines):
        # Tracking verifies checksums before anybody asks, and what it finds stays with the packet.
        router.namespace.sysctl("net.netfilter.nf_conntrack_checksum", "0")


def _program(line):
    if line in _NFT or line.startswith("filter "):
        return _nft
    return _sysctl if line.startswith("sysctl ") else _ip


class LinuxRouter:
    name = "linux"

    def __init__(self, namespace):
        self.namespace = namespace
        self.services = Services(namespace)
        self.filter_handles = _FilterHandles(namespace)

    def prepare(self):
        """What must be set before there are ports."""
        sysctl = self.namespace.sysctl
        for scope in ("all", "default"):
            sysctl(f"net.ipv6.conf.{scope}.disable_ipv6", "1")
        sysctl("net.ipv4.ip_forward", "1")
        for scope in ("all", "default"):
            for key, value in _DEFAULTS.items():
                sysctl(f"net.ipv4.conf.{scope}.{key}", str(value))
        sysctl("net.ipv4.conf.all.accept_redirects", "0")       # as ip_forward has set it
        sysctl("net.ipv4.conf.all.accept_source_route", "0")
        sysctl("net.ipv4.conf.default.accept_source_route", "1")

    def start(self, commands):
        self.namespace.ip(["link set lo up"] + [f"link set {p} up" for p in layout.PORTS])
        self.run(commands)

    def run(self, commands):
        """Carry out commands in order; those in a row for the same program share one run of it."""
        for program, lines in itertools.groupby(commands, _program):
            program(self, list(lines))

    def spread(self, port):
        """A softirq sends all pieces of a packet at once."""
        self.namespace.spread(port)

    def counters(self):
        return counters.parse_proc(self.namespace.read_proc_net("snmp"),
                                   self.namespace.read_proc_net("netstat"))

    def neighbours(self, port):
        entries = json.loads(self.namespace.ip_json("neigh", "show", "dev", port))
        return sorted((e["dst"], e.get("lladdr"), e["state"][0]) for e in entries)

    def filter_counters(self):
        """What rules have counted: for each point, packets and bytes in order."""
        counted = {}
        for entry in self.namespace.nft_json("list", "ruleset")["nftables"]:
            if entry.get("rule", {}).get("table") != "filter":
                continue
            for expression in entry.get("rule", {}).get("expr", ()):
                if "counter" in expression:
                    c = expression["counter"]
                    counted.setdefault(entry["rule"]["chain"], []).append(
                        (c["packets"], c["bytes"]))
        return counted

    def ways(self, questions):
        """What `route get` says to each: its members as JSON, or an error in words."""
        answers = self.namespace.ip_json_each(["route get " + words for words in questions])
        return [answer.removeprefix("RTNETLINK answers: ") if isinstance(answer, str)
                else way(answer[0]) for answer in answers]

    def ping(self, words):
        """One echo request; false if it can not be sent at all."""
        with self.namespace.entered():
            done = subprocess.run(["ping", "-b", *_PING, *words.split()], text=True,
                                  capture_output=True)
        return "ping: connect" not in done.stderr

    def last_words(self):
        """A kernel that has ended tells nobody."""
        return None

    def state(self):
        """Links and counters in words, for whoever looks for the reason of something."""
        with self.namespace.entered():
            return "\n".join(
                subprocess.run(words, text=True, check=True, capture_output=True).stdout
                for words in (["ip", "-s", "link", "show"], ["nstat", "-as"]))

    def unaccounted(self):
        """The kernel keeps no ledger of packets that could be checked."""
        return None

    def stop(self):
        self.services.stop()
        self.namespace.close()
