"""What millrace does differently on purpose: names of scenarios, each with the reason.

These scenarios are skipped against millrace, and only there; `--self` plays them.  The list is
meant to stay short, and an entry leaves it together with its reason.
"""

_NO_CARRIER = "net_af_packet does not tell whether the cable is in"

INTENDED = {
    "H1: a port that has no cable loses packets in silence": _NO_CARRIER,
    "H1: a port without cable is no route, if so set": _NO_CARRIER,
    "I settings: arp_evict_nocarrier": _NO_CARRIER,
}
