"""Network namespaces without names.

A namespace made here is held by a file descriptor of this process and by nothing else.  It
disappears with the process however that ends, SIGKILL included, with every interface in it, so
there is nothing to clean up and nothing that could be mistaken for somebody else's.  To look into
one while a test waits: `nsenter --net=/proc/PID/fd/N`.
"""

import contextlib
import ctypes
import os

CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)


def libc(function, *arguments):
    """Call it; OSError if it does not return 0."""
    if getattr(_libc, function)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")


def _current():
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


class UnnamedNamespace:
    def __init__(self):
        home = _current()
        try:
            libc("unshare", CLONE_NEWNET)
            try:
                self.fd = _current()
            finally:
                libc("setns", home, CLONE_NEWNET)
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
            libc("setns", self.fd, CLONE_NEWNET)
            try:
                yield
            finally:
                libc("setns", home, CLONE_NEWNET)
        finally:
            os.close(home)

    def close(self):
        os.close(self.fd)
