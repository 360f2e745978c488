"""What a job frees it has again without the kernel."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import numpy as np
from semsplat.commands import run_command

def command() -> None:
    start = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        [np.ones(2**17) for _ in range(100)]  # 1 MiB each, 25,600 pages in all
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - start)

{call}
"""


def page_faults(call: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(call=call)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="another allocator")
def test_a_command_asks_the_kernel_once_for_what_it_needs_again():
    assert page_faults("run_command(command)") < 2 * 25600 < 10 * 25600 < page_faults("command()")
