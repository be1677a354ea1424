"""The reference: the running kernel, as a router in a network namespace of its own."""

import json

from . import counters, layout

# A new namespace copies its IPv4 settings from the machine, where a distribution may have changed
# them.  These are the kernel's own defaults; only ip_forward is millrace's.
_DEFAULTS = {
    "rp_filter": 0, "accept_redirects": 0, "secure_redirects": 1, "send_redirects": 1,
    "shared_media": 1, "accept_local": 0, "route_localnet": 0, "bc_forwarding": 0,
    "proxy_arp": 0, "proxy_arp_pvlan": 0, "arp_accept": 0, "arp_announce": 0, "arp_filter": 0,
    "arp_ignore": 0, "arp_notify": 0, "log_martians": 0, "drop_gratuitous_arp": 0,
    "drop_unicast_in_l2_multicast": 0, "ignore_routes_with_linkdown": 0, "src_valid_mark": 0,
}


class LinuxRouter:
    name = "linux"

    def __init__(self, namespace):
        self.namespace = namespace

    def prepare(self):
        """What must be set before there are ports."""
        sysctl = self.namespace.sysctl
        for scope in ("all", "default"):
            sysctl(f"net.ipv6.conf.{scope}.disable_ipv6", "1")
        sysctl("net.ipv4.ip_forward", "1")
        for scope in ("all", "default"):
            for key, value in _DEFAULTS.items():
                sysctl(f"net.ipv4.conf.{scope}.{key}", str(value))
        sysctl("net.ipv4.conf.all.accept_source_route", "0")
        sysctl("net.ipv4.conf.default.accept_source_route", "1")

    def start(self, commands):
        self.namespace.ip(["link set lo up"] + [f"link set {p} up" for p in layout.PORTS])
        self.run(commands)

    def run(self, commands):
        """Carry out commands in order; those in a row that are iproute2's share one `ip`."""
        batch = []
        for line in commands:
            if line.startswith("sysctl "):
                self.namespace.ip(batch)
                batch = []
                key, _, value = line[len("sysctl "):].partition("=")
                self.namespace.sysctl(key, value)
            else:
                batch.append(line)
        self.namespace.ip(batch)

    def counters(self):
        return counters.parse_proc(self.namespace.read_proc_net("snmp"),
                                   self.namespace.read_proc_net("netstat"))

    def neighbours(self, port):
        entries = json.loads(self.namespace.ip_json("neigh", "show", "dev", port))
        return sorted((e["dst"], e.get("lladdr"), e["state"][0]) for e in entries)

    def last_words(self):
        """A kernel that has ended tells nobody."""
        return None

    def unaccounted(self):
        """The kernel keeps no ledger of packets that could be checked."""
        return None

    def stop(self):
        self.namespace.close()
