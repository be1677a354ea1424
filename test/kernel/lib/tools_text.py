"""What tools print, without what differs from one run to the next.

Each mask says what it takes away and why.  A mask looks at what it takes: a time is only a time
while it is short, and a timestamp only while it is now.  What no mask fits stays and is compared.
"""

import dataclasses
import re
import time

_LONGEST_MS = 5000
_DAY_MS = 86400 * 1000
_NOW_WITHIN_MS = 60 * 1000


def _within(longest, letter, unit=1.0):
    """Replaces the group `value` by a letter, unless it is negative or longer than this in ms."""
    def replace(match):
        if not 0 <= float(match["value"]) * unit <= longest:
            return match[0]
        return match[0].replace(match["value"], letter)
    return replace


def _now(match):
    """Milliseconds since midnight, UT."""
    away = (int(match["value"]) - int(time.time() * 1000)) % _DAY_MS
    if min(away, _DAY_MS - away) > _NOW_WITHIN_MS:
        return match[0]
    return match[0].replace(match["value"], "T")


@dataclasses.dataclass(frozen=True)
class Mask:
    tools: str
    reason: str
    pattern: str
    replacement: object

    def apply(self, text):
        return re.sub(self.pattern, self.replacement, text, flags=re.M)


_TIME = _within(_LONGEST_MS, "T")
_SECONDS = _within(_LONGEST_MS, "T", 1000.0)
_HOW_LONG = "how long it took, where that is less than five seconds"

MASKS = [
    Mask("ping", _HOW_LONG, r"time=(?P<value>[\d.]+) ms", _TIME),
    Mask("ping", _HOW_LONG, r", time (?P<value>\d+)ms$", _TIME),
    Mask("ping", "statistics of times, and how many requests were under way at once",
         r"^rtt min/avg/max/mdev = [\d./]+ ms(, pipe \d+)?(, ipg/ewma [\d./]+ ms)?$", "rtt T"),
    Mask("ping", "a timestamp that is now", r"\t(?P<value>\d+) absolute$", _now),
    # One that reads the clock once a turn, as millrace does, may be a moment behind the last one.
    Mask("ping", "milliseconds since the timestamp before, if they are few",
         r"^\t([\d.]+\t)?(-1|\d{1,3})$", lambda match: f"\t{match[1] or ''}T"),
    Mask("arping tracepath", _HOW_LONG, r"(?P<value>\d+\.\d+)ms( |$)", _TIME),
    Mask("tracepath", "how wide the time was", r" +Tms( |$)", r" Tms\1"),
    Mask("traceroute", _HOW_LONG, r"(?P<value>\d+\.\d+) ms", _TIME),
    Mask("mtr", "when it began", r"^Start: .*", "Start: T"),
    Mask("mtr", "the machine's name", r"^HOST: \S+ *", "HOST:                             "),
    Mask("mtr", "statistics of times", r"(%  +\d+)(  +\d+\.\d){5}$", r"\1 T"),
    Mask("hping3", _HOW_LONG, r"rtt=(?P<value>[\d.]+) ms", _TIME),
    Mask("hping3", "statistics of times", r"^(round-trip min/avg/max =) [\d./]+ ms$", r"\1 T"),
    Mask("hping3", "the identification of a packet made on the way, unless it is 0",
         r" id=[1-9]\d*", " id=N"),
    Mask("hping3", "the source port, which it takes by chance", r"( port)=\d+ seq", r"\1=N seq"),
    Mask("hping3", "a timestamp that is now", r"(Originate|Receive|Transmit)=(?P<value>\d+)",
         _now),
    Mask("hping3", "milliseconds of the way there and back", r"tsrtt=(?P<value>\d+)$", _TIME),
    Mask("nmap", "when it was", r"( at) \d{4}-\d\d-\d\d \d\d:\d\d( UTC)?$", r"\1 T"),
    Mask("nmap", _HOW_LONG, r"\((?P<value>[\d.]+)s latency\)", _SECONDS),
    Mask("nmap", "how long it took", r"(scanned in) [\d.]+ seconds$", r"\1 T"),
    Mask("nmap", _HOW_LONG, r"^\d+ +(?P<value>\d+\.\d\d) ms", _TIME),
    Mask("nmap", "how wide the times were", r"^(HOP RTT|\d+ +T ms) +", r"\1 "),
    Mask("nmap", "what its debugging says of itself",
         r"^(-----|  (hostgroups|rtt-timeouts|max-scan-delay|parallelism|max-retries|min-rate):"
         r"|Initiating |Completed |Overall sending|Packet capture filter|Scanned at|Final times"
         r"|Read from|  +Raw packets|OS detection|Too many fingerprints).*\n", ""),
    Mask("nmap", "date, time and the closed UDP port that it took by chance, in the fingerprint",
         r"%(D|TM|CU)=[^%)]*", r"%\1=N"),
]


def normalised(tool, text):
    for mask in MASKS:
        if tool in mask.tools.split():
            text = mask.apply(text)
    return text
