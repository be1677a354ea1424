"""DPDK's own examples, built to run on net_pcap: ip_reassembly, ip_fragmentation, l3fwd and
l3fwd-graph.

Their source is not part of this tree: it comes from Debian's source package of the DPDK that is
installed (apt-get, into build/bench/), or from a directory that is named. As they are, they do not
start on devices without hardware. `EDITS` is what is changed in the copy that is built, all of it
and each with its reason; an edit that does not apply is an error. The changes spare them work and
add none: what hardware would do for them (checking and making checksums) nobody does here. l3fwd
tells IPv4 from other packets itself (--parse-ptype), as net_pcap does not; l3fwd-spared is not even
asked to. l3fwd-static has DPDK linked in, where the others have it, as Debian's programs do, in
shared objects.
"""

import os
import re
import shutil
import subprocess
import tarfile

from subjects import Failed, ROOT

CACHE = os.path.join(ROOT, "build", "bench")

_PLAIN_OFFLOADS = (r"\.offloads = [^;{}]*?,\n\t\}", ".offloads = 0,\n\t}", 2,
                   "no offloads are asked for, of checksums, scattered and segmented packets")

_ALL_IPV4 = "every packet is taken for IPv4, as its type is not told by the device"
_ONE_QUEUE = "there is one queue to transmit, as one lcore forwards"
_MANY_MBUFS = "there are mbufs for captures of 65,000 frames"

# (expression, replacement, how often it must apply, what it is for, in which file if not main.c)
EDITS = {
    "ip_reassembly": (
        _PLAIN_OFFLOADS,
        (r"RTE_ETH_IS_IPV4_HDR\(m->packet_type\)",
         "eth_hdr->ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4)", 1,
         "IPv4 is told by the Ethernet type, not by a packet type from the device"),
    ),
    "ip_fragmentation": (
        _PLAIN_OFFLOADS,
        (r"ret = rte_eth_dev_set_mtu\(portid, local_port_conf\.rxmode\.mtu\);", "ret = 0;", 1,
         "the port's MTU is not set"),
        (r"(#define\tIPV4_MTU_DEFAULT\t)RTE_ETHER_MTU", r"\g<1>1000", 1,
         "packets are cut for an MTU of 1000"),
    ),
    "l3fwd": (
        (r"\.offloads = RTE_ETH_RX_OFFLOAD_CHECKSUM,", "", 1, "no checksums are asked for"),
        (r"\(unsigned\)8192", "81920u", 1, _MANY_MBUFS),
        (r"config_ipv4\.max_routes = [^;]*;", "config_ipv4.max_routes = 1 << 21;", 1,
         "with --lookup fib there is room for a full table", "l3fwd_fib.c"),
    ),
    "l3fwd-spared": (
        (r"l3fwd_lkp\.check_ptype\(portid\)", "1", 1, _ALL_IPV4),
        (r"RTE_ETH_IS_IPV4_HDR\(ptype\)", "1", 1, _ALL_IPV4, "l3fwd_common.h"),
        (r"pkt\[0\]->packet_type & RTE_PTYPE_L3_IPV4", "RTE_PTYPE_L3_IPV4", 1, _ALL_IPV4,
         "l3fwd_lpm_sse.h"),
        (r"ipv4_flag\[0\] &= pkt\[\d\]->packet_type;", "", 3, _ALL_IPV4, "l3fwd_lpm_sse.h"),
        (r"RTE_ETH_IS_IPV4_HDR\(pkt->packet_type\)", "1", 2, _ALL_IPV4, "l3fwd_lpm.c"),
        (r"mbuf->packet_type & RTE_PTYPE_L3_IPV4", "1", 1, _ALL_IPV4, "l3fwd_fib.c"),
    ),
    "l3fwd-graph": (
        (r"n_tx_queue = nb_lcores;", "n_tx_queue = 1;", 1, _ONE_QUEUE),
        (r"(queueid = 0;\s*for \(lcore_id = 0; lcore_id < RTE_MAX_LCORE); ",
         r"\1 && queueid < n_tx_queue; ", 1, _ONE_QUEUE),
        (r"8192u\)", "81920u)", 1, _MANY_MBUFS),
        (r"(?s)(ipv4_l3fwd_lpm_route_array\[\] = )\{.*?\n\};",
         r"\1{\n" + "".join(f"\t{{RTE_IPV4(10, {1 + n}, 0, 0), 16, 1 + {n} % BENCH_LINKS}},\n"
                            for n in range(4)) + "};", 1,
         "its routes, which are built in, are those of the benchmark"),
    ),
}

# Further edits to another one's copy.
EDITS["l3fwd-spared"] = EDITS["l3fwd"] + EDITS["l3fwd-spared"]
EDITS["l3fwd-static"] = EDITS["l3fwd"]
ORIGINALS = {"l3fwd-spared": "l3fwd", "l3fwd-static": "l3fwd"}

# These have DPDK inside, linked as the router is.
STATIC = ("l3fwd-static",)
ARCHIVES = [os.path.join(ROOT, "app", "dpdk-archives"), "pkg-config", "cc"]

# What is compiled where it is not main.c alone.
SOURCES = {
    "l3fwd": ("main.c", "l3fwd_acl.c", "l3fwd_lpm.c", "l3fwd_fib.c", "l3fwd_em.c",
              "l3fwd_event.c", "l3fwd_event_generic.c", "l3fwd_event_internal_port.c"),
}


def _run(words, **options):
    done = subprocess.run(words, capture_output=True, text=True, **options)
    if done.returncode:
        raise Failed(f"{' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def _fetch():
    """The upstream archive of the installed version, by apt-get with lists of its own."""
    version = _run(["dpkg-query", "-W", "-f", "${source:Version}", "libdpdk-dev"])
    wanted = f"dpdk_{version.rpartition('-')[0]}.orig.tar.xz"
    archive = os.path.join(CACHE, wanted)
    if os.path.exists(archive):
        return archive
    lists = os.path.join(CACHE, "apt")
    os.makedirs(os.path.join(lists, "partial"), exist_ok=True)
    targets = _run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)",
                    "Created-By: Packages"])
    sources = os.path.join(CACHE, "sources.list")
    with open(sources, "w") as file:
        file.writelines(f"deb-src {line}\n" for line in sorted(set(targets.splitlines())))
    apt = ["apt-get", "-q", "-o", f"Dir::Etc::sourcelist={sources}",
           "-o", "Dir::Etc::sourceparts=-", "-o", f"Dir::State::lists={lists}",
           "-o", f"Dir::Cache={lists}",
           "-o", "APT::Sandbox::User=root"]
    _run([*apt, "update"])
    _run([*apt, "--download-only", "source", f"dpdk={version}"], cwd=CACHE)
    return archive


def _copy(name, directory, to):
    """An example's files, and what examples share, from DPDK's source into a directory."""
    wanted = f"examples/{name}/", "examples/common/"
    if directory:
        try:
            for inside in wanted:
                shutil.copytree(os.path.join(directory, inside), os.path.join(to, inside))
        except OSError as error:
            raise Failed(f"no source of DPDK in {directory}: {error}") from error
        return
    with tarfile.open(_fetch()) as archive:
        for member in archive:
            member.name = member.name.partition("/")[2]
            if member.isfile() and member.name.startswith(wanted):
                archive.extract(member, to)
    if not os.path.isdir(os.path.join(to, wanted[0])):
        raise Failed(f"{wanted[0]} is not in DPDK's source package")


def _edit(name, directory):
    for expression, replacement, times, reason, *file in EDITS[name]:
        path = os.path.join(directory, *(file or ["main.c"]))
        with open(path) as source:
            text, applied = re.subn(expression, replacement, source.read())
        if applied != times:
            raise Failed(f"{name}: \"{reason}\" applies {applied} times, not {times}:"
                         " this DPDK's example is another one")
        with open(path, "w") as source:
            source.write(text)


def build(name, directory, defines=()):
    """The path of the example's program, compiled as its Makefile does it."""
    tree = os.path.join(CACHE, "-".join((name, *defines)))
    original = ORIGINALS.get(name, name)
    sources = os.path.join(tree, "examples", original)
    program = os.path.join(tree, name)
    if os.path.isdir(tree):
        shutil.rmtree(tree)
    elif os.path.exists(tree):
        os.remove(tree)
    os.makedirs(tree)
    _copy(original, directory, tree)
    _edit(name, sources)
    flags = _run(["pkg-config", "--cflags", "libdpdk"]).split()
    libraries = _run(ARCHIVES if name in STATIC else ["pkg-config", "--libs", "libdpdk"]).split()
    _run(["cc", "-O3", *flags, "-DALLOW_EXPERIMENTAL_API", *(f"-D{define}" for define in defines),
          "-I", os.path.join(tree, "examples", "common"),
          *(os.path.join(sources, file) for file in SOURCES.get(original, ["main.c"])),
          "-o", program, *libraries])
    return program


def static_possible():
    """Whether DPDK's archives are there."""
    return not subprocess.run(ARCHIVES, capture_output=True, check=False).returncode


def changes(names):
    """What was changed in these examples, for those who read the figures; each once."""
    return list(dict.fromkeys(f"{name}: {edit[3]}" for name in names for edit in EDITS[name]))
