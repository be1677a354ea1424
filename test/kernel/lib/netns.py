"""Network namespaces without names.

A namespace made here is held by a file descriptor of this process and by nothing else.  It
disappears with the process however that ends, SIGKILL included, so there is nothing to clean up
and nothing that could be mistaken for somebody else's.  To look into one while a test waits:
`nsenter --net=/proc/PID/fd/N`.
"""

import contextlib
import ctypes
import os
import subprocess

CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


def _call(function, *arguments):
    if getattr(_libc, function)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")


def end_with_parent(number):
    """For a child process: get this signal when the parent is gone."""
    _call("prctl", PR_SET_PDEATHSIG, number)


def _current():
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


class CommandRefused(Exception):
    """A configuration command that a router did not accept."""


class Namespace:
    def __init__(self):
        home = _current()
        try:
            _call("unshare", CLONE_NEWNET)
            try:
                self.fd = _current()
            finally:
                _call("setns", home, CLONE_NEWNET)
        finally:
            os.close(home)

    @property
    def path(self):
        return f"/proc/{os.getpid()}/fd/{self.fd}"

    @contextlib.contextmanager
    def entered(self):
        """Sockets opened, files of /proc/sys/net and children started inside belong to it."""
        home = _current()
        try:
            _call("setns", self.fd, CLONE_NEWNET)
            try:
                yield
            finally:
                _call("setns", home, CLONE_NEWNET)
        finally:
            os.close(home)

    def ip(self, lines):
        """Run lines of iproute2, without the leading word `ip`."""
        if not lines:
            return
        with self.entered():
            done = subprocess.run(["ip", "-batch", "-"], input="\n".join(lines) + "\n",
                                  text=True, capture_output=True)
        if done.returncode != 0:
            raise CommandRefused(f"ip -batch: {done.stderr.strip()}\n" + "\n".join(lines))

    def ip_json(self, *words):
        with self.entered():
            return subprocess.run(["ip", "-j", *words], check=True, capture_output=True).stdout

    def sysctl(self, key, value):
        with self.entered():
            try:
                with open("/proc/sys/" + key.replace(".", "/"), "w") as file:
                    file.write(value)
            except OSError as error:
                raise CommandRefused(f"sysctl {key}={value}: {error.strerror}") from error

    def read_proc_net(self, name):
        with self.entered(), open("/proc/thread-self/net/" + name) as file:
            return file.read()

    def close(self):
        os.close(self.fd)
