"""Rule I: ARP and the life of a neighbour."""

from lib.layout import *
from lib.packets import *
from lib.scenario import scenario
from lib.ticks import kernel_differs
from scenarios.k_defrag import cut

NEW = "10.0.1.77"
NEW_MAC = "02:00:00:00:01:77"
OTHER_MAC = "02:00:00:00:01:78"
NOBODY = "00:00:00:00:00:00"
REQUEST, REPLY = 1, 2


def request(port, sender, target, sender_mac=None, **fields):
    fields.setdefault("dst", BROADCAST_MAC)
    return arp(REQUEST, sender_mac or host_mac(port, 77), sender, NOBODY, target, **fields)


def reply(port, sender, sender_mac, **fields):
    fields.setdefault("dst", router_mac(port))
    return arp(REPLY, sender_mac, sender, router_mac(port), f"10.0.{number(port)}.1", **fields)


def resolve_and_forget(s):
    s.send("p1", reply("p1", NEW, NEW_MAC))
    s.run(f"neigh del {NEW} dev p1")


@scenario("requests are answered, whichever port has the address", "I")
def answered(s):
    for target in (R0, R1, R3):
        s.send("p0", request("p0", "10.0.0.50", target))
        s.send("p0", request("p0", "10.0.0.51", target, dst=router_mac("p0")))
    s.neighbours("p0")


@scenario("requests for others are not", "I")
def not_answered(s):
    for target in (H0, "10.0.0.99", H1, "10.0.1.99", UNROUTED, B0, B1, N0, EVERYONE, "0.0.0.0",
                   "127.0.0.1", ALL_HOSTS, "240.0.0.1", far("p1", 1)):
        s.send("p0", request("p0", "10.0.0.50", target))
    s.neighbours("p0")


@scenario("who asks is learned, even from off the link", "I")
def learned(s):
    for sender in ("10.0.0.50", "192.0.2.1", H1, "0.0.0.1", "240.0.0.1", UNREACHABLE,
                   BLACKHOLED, far("p0", 1)):
        s.send("p0", request("p0", sender, R0))
    s.neighbours("p0")


@scenario("address probes (DAD) are answered and not learned", "I")
def probe(s):
    s.send("p0", request("p0", "0.0.0.0", R0))
    s.send("p0", request("p0", "0.0.0.0", H0))
    s.send("p0", request("p0", "0.0.0.0", "10.0.0.99"))
    s.send("p0", request("p0", "0.0.0.0", R1))
    s.neighbours("p0")


@scenario("senders that can't be", "I")
def bad_senders(s):
    for sender in (R0, R1, B0, B1, EVERYONE, ALL_HOSTS, "127.0.0.1"):
        s.send("p0", request("p0", sender, R0))
    s.neighbours("p0")


@scenario("damaged ARP", "I")
def damaged(s):
    for fields in ({"hrd": 6}, {"hrd": 2}, {"hrd": 0}, {"pro": 0x0806}, {"pro": 0x86dd},
                   {"hln": 5}, {"hln": 8}, {"pln": 3}, {"pln": 16}):
        s.send("p0", request("p0", "10.0.0.50", R0, **fields))
    for operation in (0, 3, 4, 8, 9, 255, 65535):
        s.send("p0", arp(operation, host_mac("p0", 77), "10.0.0.60", NOBODY, R0,
                         dst=BROADCAST_MAC))
    whole = request("p0", "10.0.0.70", R0)
    for size in (14, 20, 22, 38, 41):
        s.send("p0", Frame(whole[:size]))
    s.send("p0", Frame(whole + bytes(18)))
    s.send("p0", Frame(whole + b"\xee" * 30))
    s.neighbours("p0")


@scenario("requests for another station's MAC address", "I")
def other_station(s):
    s.send("p0", request("p0", "10.0.0.50", R0, dst=STRANGER_MAC))
    s.send("p0", request("p0", "10.0.0.50", R0, dst="01:00:5e:00:00:01"))
    s.send("p0", request("p0", "10.0.0.51", R0, src=STRANGER_MAC))
    s.send("p0", request("p0", "10.0.0.52", R0, sender_mac=router_mac("p0")))
    s.send("p0", request("p0", "10.0.0.53", R0, sender_mac=BROADCAST_MAC))
    s.send("p0", request("p0", "10.0.0.54", R0, sender_mac="01:00:5e:00:00:01"))
    s.neighbours("p0")


@scenario("unasked replies make no entry", "I")
def unasked(s):
    s.send("p1", reply("p1", NEW, NEW_MAC))
    s.send("p1", arp(REPLY, NEW_MAC, NEW, NEW_MAC, NEW, dst=BROADCAST_MAC))
    s.send("p1", arp(REQUEST, NEW_MAC, NEW, NOBODY, NEW, dst=BROADCAST_MAC))
    s.neighbours("p1")


@scenario("arp_accept", "I", setup=("sysctl net.ipv4.conf.p1.arp_accept=1",))
def accept(s):
    s.send("p1", reply("p1", "10.0.1.70", NEW_MAC))
    s.send("p1", arp(REPLY, NEW_MAC, "10.0.1.71", NEW_MAC, "10.0.1.71", dst=BROADCAST_MAC))
    s.send("p1", arp(REQUEST, NEW_MAC, "10.0.1.72", NOBODY, "10.0.1.72", dst=BROADCAST_MAC))
    s.send("p1", arp(REQUEST, NEW_MAC, "192.0.2.1", NOBODY, "192.0.2.1", dst=BROADCAST_MAC))
    s.neighbours("p1")


@scenario("a packet waits for the answer", "I")
def resolved(s):
    s.send("p0", udp(H0, NEW))
    s.neighbours("p1")
    s.send("p1", reply("p1", NEW, NEW_MAC))
    s.neighbours("p1")
    s.send("p0", udp(H0, NEW))


@scenario("the request's sender address", "I",
          setup=("addr add 10.7.0.1/24 dev p1", "addr add 10.0.1.9/24 dev p1",
                 "route add 20.0.0.0/8 via 10.7.0.99", "route add 21.0.0.0/8 via 10.0.1.99",
                 "route add 192.0.2.0/24 dev p1", "route add 192.0.3.0/24 dev p1 src 10.0.3.1"))
def request_source(s):
    for dst in ("20.0.0.1", "21.0.0.1", "10.7.0.50", "10.0.1.50", "192.0.2.1", "192.0.3.1",
                N1, "10.0.1.51"):
        s.send("p0", udp(H0, dst))
    s.send("p0", echo("10.0.1.52", R0))
    s.send("p0", echo("10.7.0.53", R1))


@scenario("waiting packets leave in order, errors among them", "I")
def queue_order(s):
    s.send("p0", *[udp(H0, NEW, id=i) for i in range(20)])
    s.send("p2", *[udp(H2, NEW, id=100 + i) for i in range(5)])
    s.send("p1", reply("p1", NEW, NEW_MAC))
    s.send("p0", udp(H0, NEW, id=999))


@scenario("the queue holds so many bytes, the oldest go", "I")
def queue_limit(s):
    s.send("p0", *[udp(H0, NEW, bytes(1272), id=i) for i in range(200)])
    s.send("p1", reply("p1", NEW, NEW_MAC))


@scenario("the queue holds so many small packets", "I")
def queue_limit_small(s):
    s.send("p0", *[udp(H0, NEW, id=i) for i in range(400)])
    s.send("p1", reply("p1", NEW, NEW_MAC))


@scenario("a shorter queue", "I",
          setup=("sysctl net.ipv4.neigh.p1.unres_qlen_bytes=10000",))
def queue_limit_set(s):
    for size in (10, 1000):
        s.send("p0", *[udp(H0, NEW, bytes(size), id=i) for i in range(40)])
        resolve_and_forget(s)


@scenario("what follows a packet in its frame counts while it waits", "I",
          setup=("sysctl net.ipv4.neigh.p1.unres_qlen_bytes=20000",))
def queue_of_trailers(s):
    for size in (10, 300):
        for behind in (0, 8, 18, 100, 170, 189, 190, 300, 645, 646, 1100):
            s.send("p0", *[udp(H0, NEW, bytes(size), id=i) + bytes(behind) for i in range(40)])
            resolve_and_forget(s)


@scenario("pieces that were cut here count by their own sizes", "I,D",
          setup=("sysctl net.ipv4.neigh.p1.unres_qlen_bytes=20000",))
def queue_of_pieces(s):
    for mtu in (226, 228, 240, 244, 674, 676, 688, 692, 1500):
        s.run(f"link set p1 mtu {mtu}")
        s.send("p0", *[ipv4(H0, NEW, 99, bytes(1400), id=i) for i in range(30)])
        resolve_and_forget(s)


# Alone, as what waits holds memory of Linux's socket for ICMP, which answers for all namespaces.
@scenario("what the router says itself counts by the size that it made", "I,F", alone=True,
          setup=("sysctl net.ipv4.neigh.p1.unres_qlen_bytes=20000",
                 "sysctl net.ipv4.icmp_ratemask=0"))
def queue_of_answers(s):
    for size in (150, 197, 198, 199, 212, 213, 645, 646, 647, 660, 1300):
        s.send("p0", *[echo(NEW, R0, bytes(size), sequence=i) for i in range(40)])
        resolve_and_forget(s)


@scenario("fragments put together on the way count as they came", "I,K",
          setup=("sysctl net.ipv4.neigh.p1.unres_qlen_bytes=20000",
                 "sysctl net.millrace.defrag=1"))
def queue_of_own_boundaries(s):
    for size, behind in ((200, 0), (200, 6), (200, 8), (208, 0), (640, 14), (640, 16), (648, 8)):
        for i in range(12):
            s.send("p0", *[piece + bytes(behind) for piece in
                           cut(ipv4(H0, NEW, 99, bytes(size * 3 - 8), id=i), size, size)])
        resolve_and_forget(s)


@scenario("asking is answer enough", "I")
def resolved_by_request(s):
    s.send("p0", udp(H0, NEW))
    s.send("p1", request("p1", NEW, R1, sender_mac=NEW_MAC))
    s.neighbours("p1")


@scenario("asking somebody else is answer enough too", "I")
def resolved_by_others(s):
    s.send("p0", udp(H0, NEW))
    s.send("p1", request("p1", NEW, "10.0.1.99", sender_mac=NEW_MAC))
    s.neighbours("p1")
    s.send("p0", udp(H0, "10.0.1.78"))
    s.send("p1", arp(REPLY, OTHER_MAC, "10.0.1.78", OTHER_MAC, "10.0.1.78", dst=BROADCAST_MAC))
    s.neighbours("p1")


@scenario("a reply that comes by the wrong port", "I")
def reply_elsewhere(s):
    s.send("p0", udp(H0, NEW))
    s.send("p3", arp(REPLY, NEW_MAC, NEW, router_mac("p3"), R3, dst=router_mac("p3")))
    s.neighbours("p1")
    s.neighbours("p3")


@scenario("a reply to another station", "I")
def reply_to_other(s):
    s.send("p0", udp(H0, NEW))
    s.send("p1", reply("p1", NEW, NEW_MAC, dst=STRANGER_MAC))
    s.neighbours("p1")
    s.send("p1", reply("p1", NEW, NEW_MAC, dst=BROADCAST_MAC))
    s.neighbours("p1")


@scenario("another MAC address within the lock time is ignored", "I")
def locktime(s):
    s.send("p0", udp(H0, NEW))
    s.send("p1", reply("p1", NEW, NEW_MAC))
    s.send("p1", reply("p1", NEW, OTHER_MAC))
    s.neighbours("p1")
    s.send("p1", request("p1", NEW, R1, sender_mac=OTHER_MAC))
    s.neighbours("p1")
    s.send("p0", udp(H0, NEW))


@scenario("another MAC address after the lock time is taken", "I", slow=True)
def locktime_over(s):
    s.send("p0", udp(H0, NEW))
    s.send("p1", reply("p1", NEW, NEW_MAC))
    s.pause(1.3)
    s.send("p1", reply("p1", NEW, OTHER_MAC))
    s.neighbours("p1")
    s.send("p0", udp(H0, NEW))
    s.pause(1.3)
    s.send("p1", request("p1", NEW, R1, sender_mac=NEW_MAC))
    s.neighbours("p1")
    s.send("p0", udp(H0, NEW))


@scenario("gratuitous ARP overrides at once", "I")
def gratuitous(s):
    s.send("p0", udp(H0, NEW))
    s.send("p1", reply("p1", NEW, NEW_MAC))
    s.send("p1", arp(REQUEST, OTHER_MAC, NEW, NOBODY, NEW, dst=BROADCAST_MAC))
    s.neighbours("p1")
    s.send("p0", udp(H0, NEW))
    s.send("p1", arp(REPLY, NEW_MAC, NEW, NEW_MAC, NEW, dst=BROADCAST_MAC))
    s.neighbours("p1")
    s.send("p0", udp(H0, NEW))


@scenario("a reply about itself that names another target is not gratuitous", "I")
def not_quite_gratuitous(s):
    s.send("p0", udp(H0, NEW))
    s.send("p1", reply("p1", NEW, NEW_MAC))
    s.send("p1", arp(REPLY, OTHER_MAC, NEW, BROADCAST_MAC, NEW, dst=BROADCAST_MAC))
    s.neighbours("p1")
    s.send("p1", arp(REPLY, OTHER_MAC, NEW, NOBODY, NEW, dst=BROADCAST_MAC))
    s.neighbours("p1")
    s.send("p0", udp(H0, NEW))
    s.send("p1", arp(REPLY, OTHER_MAC, NEW, router_mac("p1"), NEW, dst=router_mac("p1")))
    s.neighbours("p1")


@scenario("permanent entries stay what they are", "I")
def permanent(s):
    s.send("p1", request("p1", H1, R1, sender_mac=OTHER_MAC))
    s.send("p1", reply("p1", H1, OTHER_MAC))
    s.send("p1", arp(REQUEST, OTHER_MAC, H1, NOBODY, H1, dst=BROADCAST_MAC))
    s.send("p0", udp(H0, H1))
    s.neighbours("p1")


@scenario("nobody answers: three requests, then errors", "I", slow=True)
def failure(s):
    s.start("p0", *[udp(H0, NEW, id=i) for i in range(10)])
    s.wait(3.6)
    s.neighbours("p1")


# Seconds between requests that are long enough for slots in which there is time to send something.
_PATIENCE = 2.2
_PATIENT = {"slow": True, "missing": kernel_differs(),
            "setup": tuple(f"sysctl net.ipv4.neigh.p{n}.retrans_time_ms={_PATIENCE * 1000:.0f}"
                           for n in (1, 2))}


@scenario("several that do not answer, asked for at once", "I", **_PATIENT)
def failures_together(s):
    with s.one_slot(_PATIENCE):
        s.start("p0", *[udp(H0, f"10.0.1.{70 + i}", id=i) for i in (1, 2, 3, 4, 1, 5)])
        s.start("p0", *[udp(J0, f"10.0.2.{70 + i}", id=i) for i in (3, 1)])
    s.wait(3 * _PATIENCE + 0.9, tolerance=0.4)
    s.neighbours("p1")


@scenario("several that do not answer, asked for one by one", "I", **_PATIENT)
def failures_in_turn(s):
    with s.one_slot(_PATIENCE) as slots:
        s.send("p0", udp(H0, "10.0.1.71"), udp(H0, "10.0.1.72"))
    with s.one_slot(_PATIENCE, after=slots):
        s.send("p0", udp(H0, "10.0.1.73"))
        s.send("p0", udp(H0, "10.0.1.74"), udp(H0, "10.0.1.73"))
    s.wait(3 * _PATIENCE + 0.9, tolerance=0.7)
    s.neighbours("p1")


@scenario("stale neighbours that are used at once", "I", slow=True, missing=kernel_differs(),
          setup=tuple(f"neigh add 10.0.1.{70 + i} lladdr 02:00:00:00:01:7{i} dev p1 nud stale"
                      for i in range(1, 5)))
def stale_together(s):
    with s.one_slot(5):
        s.start("p0", *[udp(H0, f"10.0.1.{70 + i}", id=i) for i in (2, 1, 4, 3)])
    s.wait(9, tolerance=0.7)
    s.neighbours("p1")


@scenario("after a failure it starts again", "I", slow=True)
def failure_again(s):
    for sender in (H0, J0):
        s.start("p0", udp(sender, NEW), udp(far("p2", 1), NEW, ttl=2))
        s.wait(3.6)


@scenario("a gateway that does not answer", "I", slow=True,
          setup=("route add 20.0.0.0/8 via 10.0.1.77",))
def gateway_failure(s):
    s.start("p0", udp(H0, "20.0.0.1"), tcp(J0, "20.0.0.2"), icmp(J0, "20.0.0.3", 3))
    s.wait(3.6)


@scenario("an answer to the second request", "I", slow=True)
def late_answer(s):
    s.start("p0", udp(H0, NEW))
    s.wait(1.4)
    s.send("p1", reply("p1", NEW, NEW_MAC))
    s.neighbours("p1")
    s.wait(3.0)


@scenario("the router's own answer can't be delivered", "I", slow=True)
def own_failure(s):
    s.start("p0", echo(NEW, R0), udp(NEW, R0))
    s.wait(3.6)


@scenario("errors about undeliverable fragments and broadcasts", "I", slow=True)
def failure_fragments(s):
    s.start("p0", ipv4(H0, NEW, UDP, bytes(16), flags=MF), ipv4(H0, NEW, UDP, bytes(16),
                                                                offset=2), udp(B0, NEW))
    s.wait(3.6)


@scenario("a stale neighbour is used, then asked in person, then lost", "I", slow=True,
          setup=(f"neigh add {NEW} lladdr {NEW_MAC} dev p1 nud stale",))
def stale(s):
    s.neighbours("p1")
    s.start("p0", udp(H0, NEW))
    s.wait(0.3)
    s.neighbours("p1")
    s.pause(1.0)
    s.send("p0", udp(H0, NEW))
    s.start("p0", udp(H0, NEW))
    s.wait(8.3, tolerance=0.35)
    s.neighbours("p1")


@scenario("a stale neighbour that answers the probe", "I", slow=True,
          setup=(f"neigh add {NEW} lladdr {NEW_MAC} dev p1 nud stale",))
def stale_answered(s):
    s.start("p0", udp(H0, NEW))
    s.wait(5.6, tolerance=0.35)
    s.neighbours("p1")
    s.send("p1", reply("p1", NEW, NEW_MAC))
    s.neighbours("p1")
    s.wait(2.0)


@scenario("in DELAY a reply confirms, a request does not", "I",
          setup=(f"neigh add {NEW} lladdr {NEW_MAC} dev p1 nud stale",
                 f"neigh add 10.0.1.78 lladdr {OTHER_MAC} dev p1 nud stale"))
def delay_confirmed(s):
    s.send("p0", udp(H0, NEW))
    s.send("p0", udp(H0, "10.0.1.78"))
    s.neighbours("p1")
    s.send("p1", request("p1", NEW, R1, sender_mac=NEW_MAC))
    s.send("p1", reply("p1", "10.0.1.78", OTHER_MAC))
    s.neighbours("p1")


@scenario("a reachable neighbour that nobody uses grows stale", "I", slow=True,
          setup=("sysctl net.ipv4.neigh.p1.base_reachable_time_ms=4000",
                 "sysctl net.ipv4.neigh.p1.delay_first_probe_time=1"))
def grows_stale(s):
    # Random between 2 and 6 s, and the use at the start must be further back than the delay.
    s.send("p0", udp(H0, NEW))
    s.send("p1", reply("p1", NEW, NEW_MAC))
    s.neighbours("p1")
    s.wait(7.5)
    s.neighbours("p1")


@scenario("neighbours removed and set by hand", "I")
def by_hand(s):
    s.run(f"neigh add {NEW} lladdr {NEW_MAC} dev p1 nud reachable")
    s.send("p0", udp(H0, NEW))
    s.neighbours("p1")
    s.run(f"neigh replace {NEW} lladdr {OTHER_MAC} dev p1 nud stale")
    s.neighbours("p1")
    s.run(f"neigh replace {NEW} lladdr {OTHER_MAC} dev p1 nud permanent")
    s.send("p0", udp(H0, NEW))
    s.run(f"neigh del {NEW} dev p1")
    s.send("p0", udp(H0, NEW))


@scenario("addresses of another link are asked for on their own link", "I")
def right_link(s):
    s.send("p0", udp(H0, "10.0.3.77"))
    s.send("p0", udp(H0, "10.0.2.77"))
    s.send("p2", udp(H2, "10.0.0.77"))
    s.send("p2", udp(far("p2", 1), "10.0.2.78"))


@scenario("proxy ARP", "I", slow=True,
          setup=("sysctl net.ipv4.conf.p0.proxy_arp=1",
                 "sysctl net.ipv4.neigh.p0.proxy_delay=0"))
def proxy(s):
    for target in (H1, far("p1", 1), H0, "10.0.0.99", far("p0", 1), UNROUTED, UNREACHABLE,
                   BLACKHOLED, B1, R1):
        s.send("p0", request("p0", "10.0.0.50", target))
        s.send("p0", request("p0", "10.0.0.51", target, dst=router_mac("p0")))
    s.send("p0", request("p0", "0.0.0.0", H1))
    s.neighbours("p0")


@scenario("arp_ignore", "I")
def ignore(s):
    for value in (1, 2, 3, 8):
        s.run(f"sysctl net.ipv4.conf.p0.arp_ignore={value}")
        for sender in ("10.0.0.50", "10.0.1.50"):
            for target in (R0, R1):
                s.send("p0", request("p0", sender, target))
