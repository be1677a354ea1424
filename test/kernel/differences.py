"""What millrace does differently on purpose: names of scenarios, each with the reason.

These scenarios are skipped against millrace, and only there; `--self` plays them.  The list is
meant to stay short, and an entry leaves it together with its reason.
"""

_NO_CARRIER = "net_af_packet does not tell whether the cable is in"

_NOT_BUILT = "policy routing and next-hop groups are not built yet"

_NO_OPTIONS = "IP options are not processed yet"

INTENDED = {
    "D, B: options in the pieces": _NO_OPTIONS,
    "D, B: pieces of 8 bytes, for all else is options": _NO_OPTIONS,
    "H2: rules choose the table": _NOT_BUILT,
    "H4: flows over two gateways": _NOT_BUILT,
    "H4: flows told apart by port": _NOT_BUILT,
    "H1: a port that has no cable loses packets in silence": _NO_CARRIER,
    "H1: a port without cable is no route, if so set": _NO_CARRIER,
}
