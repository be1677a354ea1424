"""The network that every scenario starts from: four ports, their hosts, and a few routes.

    port  address      MTU   hosts (permanent neighbours)      behind the gateway
    p0    10.0.0.1/24  1500  10.0.0.2, .3, gateway 10.0.0.254  198.51.0.0/24
    p1    10.0.1.1/24  1500  10.0.1.2, .3, gateway 10.0.1.254  198.51.1.0/24
    p2    10.0.2.1/24  1400  10.0.2.2, .3, gateway 10.0.2.254  198.51.2.0/24
    p3    10.0.3.1/24  1500  10.0.3.2, .3, gateway 10.0.3.254  198.51.3.0/24

172.16.1.0/24 is unreachable, 172.16.2.0/24 prohibited, 172.16.3.0/24 a blackhole; there is no
default route, so 203.0.113.0/24 has none.  198.18.0.0/15 belongs to the sentinels (wire.py).
"""

PORTS = ("p0", "p1", "p2", "p3")
MTU = {"p0": 1500, "p1": 1500, "p2": 1400, "p3": 1500}

R0, R1, R2, R3 = (f"10.0.{n}.1" for n in range(4))        # the router's own addresses
H0, H1, H2, H3 = (f"10.0.{n}.2" for n in range(4))        # a host on each port
J0, J1, J2, J3 = (f"10.0.{n}.3" for n in range(4))        # a second one
G0, G1, G2, G3 = (f"10.0.{n}.254" for n in range(4))      # the gateway on each port
B0, B1, B2, B3 = (f"10.0.{n}.255" for n in range(4))      # the subnet's broadcast address
N0, N1, N2, N3 = (f"10.0.{n}.0" for n in range(4))        # its all-zeros address

UNREACHABLE, PROHIBITED, BLACKHOLED = "172.16.1.1", "172.16.2.1", "172.16.3.1"
UNROUTED = "203.0.113.1"
EVERYONE = "255.255.255.255"
ALL_HOSTS = "224.0.0.1"

BROADCAST_MAC = "ff:ff:ff:ff:ff:ff"
STRANGER_MAC = "02:00:00:00:99:99"


def number(port):
    return int(port[1:])


def router_mac(port):
    return f"02:00:00:00:0a:{number(port):02x}"


def host_mac(port, host=2):
    return f"02:00:00:00:{number(port):02x}:{host:02x}"


def far(port, host):
    """An address behind the gateway of a port: a sender whose rate limits nobody has used."""
    return f"198.51.{number(port)}.{host}"


def sentinel_source(port):
    return f"198.18.{number(port)}.1"


def sentinel_target(port):
    return f"198.19.{number(port)}.1"


# The global limit on ICMP errors is random (rule C8).  Only the scenario that is about it runs
# under the kernel's defaults; anywhere else it would only add noise.
_BASE_SYSCTLS = ("sysctl net.ipv4.icmp_msgs_per_sec=1000000",
                 "sysctl net.ipv4.icmp_msgs_burst=1000000")


def base_commands():
    """The addresses, neighbours and routes above, in the words both routers understand."""
    lines = list(_BASE_SYSCTLS)
    for port in PORTS:
        n = number(port)
        lines.append(f"addr add 10.0.{n}.1/24 dev {port}")
        for host in (2, 3, 254):
            lines.append(f"neigh add 10.0.{n}.{host} lladdr {host_mac(port, host)}"
                         f" dev {port} nud permanent")
        for prefix in (f"198.51.{n}.0/24", f"198.18.{n}.0/24", f"198.19.{n}.0/24"):
            lines.append(f"route add {prefix} via 10.0.{n}.254")
    lines += ["route add unreachable 172.16.1.0/24",
              "route add prohibit 172.16.2.0/24",
              "route add blackhole 172.16.3.0/24"]
    return lines
