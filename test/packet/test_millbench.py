"""millbench: what is refused and why; fib and neighbour on little, and that wrong answers are
noticed.

The figures themselves are nobody's business here; that they are made, and of answers that a plain
reference gives as well, is.
"""

import gzip
import json
import subprocess

import pytest

from router import MILLBENCH

TABLE = [f"10.{n}.0.0/16" for n in range(200)] + [f"10.1.{n}.0/24" for n in range(200)] + [
    "0.0.0.0/0", "192.0.2.1/32", "192.0.2.0/25"]
UPDATES = [f"A 10.2.{n}.0/24" for n in range(200)] + [f"W 10.1.{n}.0/24" for n in range(100)] + [
    "A 10.2.7.0/24", "W 10.2.8.0/24", "A 10.3.0.0/16"]


def millbench(*words):
    return subprocess.run([MILLBENCH, "--no-huge", *map(str, words)], capture_output=True,
                          text=True, timeout=120, stdin=subprocess.DEVNULL)


@pytest.fixture
def write(tmp_path):
    """A function that writes lines into a file and returns its path."""
    def make(name, lines, mode=open):
        with mode(tmp_path / name, "wt") as file:
            file.write("".join(f"{line}\n" for line in lines))
        return tmp_path / name
    return make


@pytest.fixture
def table(write):
    return write("table", ["# a comment", "", *TABLE])


@pytest.fixture
def updates(write):
    return write("updates", UPDATES)


def refused(status, *words):
    """What it says, which must be one line or a usage."""
    done = millbench(*words)
    said = [line for line in done.stderr.splitlines()
            if line not in ("millbench: reading", "EAL: No free hugepages reported")]
    assert (done.returncode, done.stdout) == (status, ""), done.stderr
    return "\n".join(said)


# ---- fib ----

def test_fib_table_alone(table):
    done = millbench("fib", table)
    assert done.returncode == 0, done.stderr
    assert "load, into new memory" in done.stdout and "lookup, Zipf" in done.stdout
    assert " prefixes, 0 updates, lookup: " in done.stdout.splitlines()[0]


def test_fib_json_gzip_updates(write):
    done = millbench("fib", "--json", "--lookup", "portable", write("t.gz", TABLE, gzip.open),
                     write("u.gz", UPDATES, gzip.open))
    assert done.returncode == 0, done.stderr
    rows = {row["what"]: row for row in json.loads(done.stdout)}
    assert rows["wrong answers"]["millrace"] == 0
    assert rows["readers' answers that were checked"]["millrace"] > 0
    for what in ("load, into warm memory", "lookup, uniform", "update, mean"):
        assert rows[what]["millrace"] > 0 and rows[what]["rte_fib"] > 0


def test_fib_fault_in_the_table(table):
    said = refused(1, "fib", "--plant", "table", table)
    assert " of 65536 answers are not the plain reference's" in said
    assert " of 1048576 answers are not rte_fib's" in said


def test_fib_fault_beside_updates(table, updates):
    said = refused(1, "fib", "--plant", "readers", table, updates)
    assert " of readers' answers were wrong" in said


def test_fib_update_left_out(table, updates):
    said = refused(1, "fib", "--plant", "update", table, updates)
    assert " of 32768 answers are wrong after all updates" in said


@pytest.mark.parametrize("line, why", [
    ("10.0.0.0", "not a prefix A.B.C.D/LEN"), ("10.0.0/8", "not a prefix A.B.C.D/LEN"),
    ("10.0.0.256/32", "not a prefix A.B.C.D/LEN"), ("2001:db8::/32", "not a prefix A.B.C.D/LEN"),
    ("10.0.0.0/33", "the length is not 0 to 32"), ("10.0.0.0/", "the length is not 0 to 32"),
    ("10.0.0.0/8 via", "something follows the prefix"),
    ("10.0.0.1/8", "bits behind the prefix are set"),
    ("A 10.0.0.0/8", "not a prefix A.B.C.D/LEN"), ("1" * 100, "the line is too long")])
def test_fib_wrong_line(write, line, why):
    path = write("wrong", ["10.0.0.0/8", line, "11.0.0.0/8"])
    assert refused(1, "fib", path).splitlines()[-1] == f"millbench: {path}:2: {why}"


@pytest.mark.parametrize("line, why", [
    ("10.0.0.0/8", 'neither "A PREFIX" nor "W PREFIX"'),
    ("X 10.0.0.0/8", 'neither "A PREFIX" nor "W PREFIX"'),
    ("W 10.0.0.0/40", "the length is not 0 to 32")])
def test_fib_wrong_update(write, table, line, why):
    path = write("wrong", ["A 10.0.0.0/8", line])
    assert refused(1, "fib", table, path).splitlines()[-1] == f"millbench: {path}:2: {why}"


def test_fib_files(tmp_path, write, table):
    nowhere = tmp_path / "nowhere"
    assert refused(1, "fib", nowhere) == f"millbench: {nowhere}: No such file or directory"
    empty = write("empty", ["# nothing"])
    assert refused(1, "fib", empty) == f"millbench: {empty}: no prefixes"
    assert refused(1, "fib", table, empty) == f"millbench: {empty}: no updates"
    whole = write("whole.gz", [f"10.{n // 256}.{n % 256}.0/24" for n in range(20000)], gzip.open)
    cut = tmp_path / "cut.gz"
    cut.write_bytes(whole.read_bytes()[:-200])
    assert refused(1, "fib", cut).endswith(": the compressed file is cut off")
    assert "Is a directory" in refused(1, "fib", tmp_path)


@pytest.mark.parametrize("words, why", [
    (["fib"], "FILE is missing\nusage: millbench fib"),
    (["fib", "--nonsense", "x"], '"--nonsense" is not an argument of fib\nusage: millbench fib'),
    (["fib", "--help"], '"--help" is not an argument of fib\nusage: millbench fib'),
    (["fib", "a", "b", "c"], '"c" is not an argument of fib\nusage: millbench fib'),
    (["fib", "--plant"], '"--plant" lacks a name behind it\nusage: millbench fib'),
    (["fib", "--lookup", "abacus", "x"], "abacus: no such version of the lookup"),
    (["fib", "--plant", "tree", "x"], '"tree" is none of table, readers, update'),
    (["fib", "--plant", "update", "x"], "--plant update: there are no UPDATES"),
    (["neighbour", "1", "2"],
     '"2" is not an argument of neighbour\nusage: millbench neighbour'),
    (["neighbour", "--help"],
     '"--help" is not an argument of neighbour\nusage: millbench neighbour'),
    (["neighbour", "--plant"], '"--plant" lacks the name of a fault behind it\n'
                               'usage: millbench neighbour'),
    (["neighbour", "0"], '"0" is not a number of routes from 1 to 1048576'),
    (["neighbour", "1048577"], '"1048577" is not a number of routes from 1 to 1048576'),
    (["neighbour", "many"], '"many" is not a number of routes from 1 to 1048576'),
    (["neighbour", "--plant", "tree"], '"tree" is none of command, slot, route'),
    (["reassemble", "--help"],
     '"--help" is not an argument: reassemble has none\nusage: millbench reassemble'),
    (["reassemble", "1"], '"1" is not an argument: reassemble has none'),
    (["fragment", "--help"],
     '"--help" is not an argument of fragment\nusage: millbench fragment'),
    (["fragment", "net_null0", "net_null1"],
     '"net_null1" is not an argument of fragment\nusage: millbench fragment'),
    (["forward", "--help"], '"--help" is not a number of lanes\nusage: millbench forward'),
    (["forward", "5", "1"], '"5" is not a number of lanes\nusage: millbench forward'),
    (["forward", "8"],
     '"8" lacks a number of bursts behind it\nusage: millbench forward'),
    (["forward", "8", "0"], '"0" is not a number of bursts from 1 to 2147483647'),
    (["forward", "8", "1x"], '"1x" is not a number of bursts from 1 to 2147483647'),
    (["forward", "8", "1", "2"], '"2" is not a kind of packets\nusage: millbench forward'),
    (["forward", "8", "1", "ping", "2"],
     '"2" is not an argument of forward\nusage: millbench forward'),
    (["fibs"], '"fibs" is no benchmark\nusage: millbench [--no-huge] WORDS'),
    (["help", "fib"], '"fib" follows what asks for help\nusage: millbench [--no-huge] WORDS'),
    ([], "usage: millbench [--no-huge] WORDS"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_wrong_words(words, why):
    assert why in refused(2, *words)


@pytest.mark.parametrize("word", ("help", "--help", "-h"))
def test_help(word):
    done = millbench(word)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: millbench [--no-huge] WORDS\n")
    for bench in ("fib", "forward", "neighbour", "reassemble", "fragment"):
        assert f"\n  {bench}" in done.stdout


# ---- forward ----

KINDS = ("ordinary", "ping", "ttl", "options", "cut", "dropped", "random")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lanes", (8, 0))
def test_forward_bursts(lanes, kind):
    """It checks itself that each packet became what it should."""
    done = millbench("forward", lanes, 128, kind)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_forward_all():
    done = millbench("forward")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 4 + 2 + len(KINDS) - 1
    assert lines[3].startswith(" 0 lanes (general path): ")
    assert [line.split()[0] for line in lines[6:]] == list(KINDS[1:])


# ---- neighbour ----

@pytest.mark.parametrize("routes", (1, 1000))
def test_neighbour(routes):
    done = millbench("neighbour", routes)
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first.startswith("a neighbour's MAC address: median ")
    assert second.startswith("the default route: median ")


@pytest.mark.parametrize("fault, why", [
    ("command", "neigh replace 198.51.100.2 lladdr 02:00:00:00:00:42 dev out nud permanent: it "
                "does not hold"),
    ("slot", "a neighbour's MAC address: slots of the FIB were written"),
    ("route", "1 of 1000 routes lead elsewhere")])
def test_neighbour_fault(fault, why):
    done = millbench("neighbour", "--plant", fault, 1000)
    assert done.returncode == 1
    assert f"millbench: {why}\n" in done.stderr
