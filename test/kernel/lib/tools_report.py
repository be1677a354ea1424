"""What is left of a run: files to look at, and a page for the manual."""

import itertools
import platform
import subprocess

from . import tools_text

_VERSION = {"ping": "-V", "arping": "-V", "tracepath": "-V", "traceroute": "-V", "mtr": "-v",
            "hping3": "-v", "nmap": "-V"}

_HEAD = """\
# Everyday tools, beside Linux

What people reach for when a network does not work, run from a host against a router and through
it: once with a Linux router in the middle, once with millrace. This page is made by
`test/kernel/tools --markdown docs/tools.md`, which needs root and a minute; it was made on Linux
{kernel}, with
{versions}.

    host 10.0.0.10, ... --- 10.0.0.1  router  10.0.1.1 --- 10.0.1.2
                                              10.0.2.1 --- gateway --- 198.51.2.2
                                                 MTU 1400       MTU 1300

Every command runs on a host of its own, so that no limit on ICMP errors, redirect or path MTU is
left from another. {sum}
What a tool prints is compared without what differs from run to run:

{masks}
"""


def save(directory, names, states, results):
    """`diff -r` of the two directories named like the routers tells what differs."""
    for name, state in zip(names, states):
        for kind in (name, f"{name}-as-printed"):
            (directory / kind).mkdir(parents=True, exist_ok=True)
        (directory / f"{name}-state.txt").write_text(state)
    for result in results:
        for name, raw, said in zip(names, result.raw, result.said):
            (directory / name / f"{result.case.name}.txt").write_text(said)
            (directory / f"{name}-as-printed" / f"{result.case.name}.txt").write_text(raw)


def _version(tool):
    """The first line that has a number in it."""
    done = subprocess.run([tool, _VERSION[tool]], text=True, capture_output=True)
    lines = (done.stdout + done.stderr).splitlines()
    words = next((line for line in lines if any(c.isdigit() for c in line)), "").split()
    number = next((word for word in words if word[0].isdigit()), "?")
    return f"{tool} {number.rstrip(',')}"


def _columns(left, right, titles):
    """Two texts side by side."""
    pairs = list(itertools.zip_longest([titles[0], "", *left], [titles[1], "", *right],
                                       fillvalue=""))
    width = max(len(line) for line, _ in pairs)
    return [f"    {a.ljust(width)}  |  {b}".rstrip() for a, b in pairs]


def _excerpt(result, names):
    said = [[line.expandtabs() for line in text.splitlines() if not line.startswith("[exit ")]
            for text in result.said]
    return [f"`{result.case.command}`: {result.case.about}", "", *_columns(*said, names), ""]


def _escape(text):
    return text.replace("|", "\\|")


def markdown(names, results):
    tools = list(dict.fromkeys(result.case.tool for result in results))
    same = sum(result.same for result in results)
    lines = [_HEAD.format(
        kernel=platform.release().partition("-")[0], versions=", ".join(map(_version, tools)),
        sum=f"Of {len(results)} commands {same} say the same of both.",
        masks="\n".join(dict.fromkeys(
            f"- {', '.join(mask.tools.split())}: {mask.reason}" for mask in tools_text.MASKS)))]
    for tool in tools:
        lines += [f"## {tool}", "", "| command | what is tried | |", "|---|---|---|"]
        lines += [f"| `{_escape(r.case.command)}`{'' if r.case.port == 'p0' else ' *'}"
                  f" | {_escape(r.case.about)} | {'same' if r.same else 'different'} |"
                  for r in results if r.case.tool == tool]
        lines.append("")
        for result in results:
            if result.case.tool == tool and not result.same:
                lines += ["```diff", result.difference(names), "```", ""]
    lines += ["\\* from a host 10.0.3.10, ..., where the router lets no source routes in.", "",
              "## Side by side", ""]
    for result in results:
        if result.case.excerpt:
            lines += _excerpt(result, names)
    return "\n".join(lines).rstrip("\n") + "\n"
