"""The router that the benchmarks of forwarding set up: one link in, one or more out, gateways whose
addresses are known, and four networks that lead to them."""

import captures

NETWORKS = range(1, 5)
ROUTER_MACS = [captures.ROUTER_MAC, *(bytes.fromhex(f"0200000001{n:02x}") for n in range(1, 5))]
GATEWAYS = range(2, 18)                # last bytes of their addresses, on each link out
GATEWAY_MAC = "02:00:00:00:02:02"


def mac(number):
    return ROUTER_MACS[number].hex(":")


def gateway(link, number):
    """Of link 1 and following; any number."""
    return f"198.51.{99 + link}.{GATEWAYS[number % len(GATEWAYS)]}"


def networks(links):
    """(network, link out) of the four."""
    return [(f"10.{network}.0.0/16", 1 + (network - 1) % links) for network in NETWORKS]


def routes(links):
    return [f"route add {network} via {gateway(link, 0)}" for network, link in networks(links)]


def configuration(devices, mtu=1500, mbufs=32768):
    """All but the routes; the first device is the link in."""
    links = range(1, len(devices))
    lines = [f"sysctl millrace.mbufs={mbufs}",
             f"link add in type dpdk devargs {devices[0]} address {mac(0)}",
             "addr add 192.0.2.1/24 dev in", "link set in up",
             f"neigh add 192.0.2.2 lladdr {captures.HOST_MAC.hex(':')} dev in nud permanent"]
    for link in links:
        lines += [f"link add out{link} type dpdk devargs {devices[link]} address {mac(link)}"
                  f" mtu {mtu}",
                  f"addr add 198.51.{99 + link}.1/24 dev out{link}", f"link set out{link} up"]
        lines += [f"neigh add {gateway(link, number)} lladdr {GATEWAY_MAC} dev out{link}"
                  " nud permanent" for number in range(len(GATEWAYS))]
    return lines


def frame(number):
    """A 60-byte UDP frame to one of the networks, each in its turn."""
    return captures.udp(bytes((10, 1 + number % 4, number >> 8 & 255, number & 255)), number)
