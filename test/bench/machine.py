"""The machine on which figures were measured, as far as they depend on it."""

import os
import re
import subprocess


def _found(path, expression):
    with open(path) as file:
        found = re.search(expression, file.read(), re.MULTILINE)
    return found.group(1) if found else "unknown"


def machine(tsc_hz):
    dpdk = subprocess.run(["pkg-config", "--modversion", "libdpdk"], capture_output=True,
                          text=True)
    return {
        "cpu": _found("/proc/cpuinfo", r"^model name\s*: (.*)$"),
        "family_model": "/".join(_found("/proc/cpuinfo", rf"^{name}\s*: (\d+)$")
                                 for name in ("cpu family", "model")),
        "cpus": len(os.sched_getaffinity(0)),
        "tsc_hz": tsc_hz,
        "kernel": os.uname().release,
        "dpdk": dpdk.stdout.strip() or "unknown",
        "hugepages_2mb": int(_found("/proc/meminfo", r"^HugePages_Total:\s*(\d+)$")),
        "virtual": "hypervisor" in _found("/proc/cpuinfo", r"^flags\s*: (.*)$").split(),
        "load_average": round(os.getloadavg()[0], 2),
    }


def described(of):
    tsc = f"TSC {of['tsc_hz'] / 1e9:.2f} GHz, " if of["tsc_hz"] else ""
    return (f"{of['cpu']} (family/model {of['family_model']}), {of['cpus']} CPUs"
            f"{' of a virtual machine' if of['virtual'] else ''}, "
            f"{tsc}Linux {of['kernel']}, DPDK {of['dpdk']}, "
            f"{of['hugepages_2mb']} hugepages, load {of['load_average']}")
