"""What millrace does differently on purpose: names of scenarios, each with the reason.

These scenarios are skipped against millrace, and only there; `--self` plays them.  The list is
meant to stay short, and an entry leaves it together with its reason.

One difference can't be a scenario, as Linux shows it to all network namespaces at once: it has
one socket a CPU for what it says by ICMP, and while the socket's memory is held by answers that
wait for a neighbour (58 of 1400 bytes are enough), nobody is answered. In millrace what waits for
a neighbour is bounded by the neighbour's own queue (unres_qlen_bytes), and others do not notice.
"""

_NO_CARRIER = "net_af_packet does not tell whether the cable is in"

INTENDED = {
    "H1: a port that has no cable loses packets in silence": _NO_CARRIER,
    "H1: a port without cable is no route, if so set": _NO_CARRIER,
    "I settings: arp_evict_nocarrier": _NO_CARRIER,
}
