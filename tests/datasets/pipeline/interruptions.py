"""Ways to interrupt a build at a failpoint: kill its process, or let its disk be full."""

import errno
import os
import signal
from contextlib import contextmanager
from fractions import Fraction

from datasets.pipeline.state.failpoints import armed_failpoints
from datasets.privacy.ledger import Caps
from tests.datasets.pipeline.small_dataset import tiny_dataset

SEEDS = tiny_dataset()
PLENTY = Caps(month=Fraction(100), year=Fraction(100))
AGAIN = "counted again"


class Nth:
    """Calls `act` at the n-th failpoint that a build passes."""

    def __init__(self, number, act):
        self.number, self.act, self.passed = number, act, 0

    def __call__(self, place):
        self.passed += 1
        if self.passed == self.number:
            self.act()


def kill_self():
    os.kill(os.getpid(), signal.SIGKILL)


def raise_disk_full():
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@contextmanager
def build_in_child(deployment, act=lambda place: None):
    """A build in a child process, which calls `act` at each failpoint; yields its process id."""
    deployment.ledger.close()  # no connection is shared between processes
    child = os.fork()
    if child == 0:
        with armed_failpoints(act):
            try:
                deployment.build(correction=AGAIN)
            finally:
                os._exit(0)
    yield child
    os.waitpid(child, 0)
