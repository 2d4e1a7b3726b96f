from __future__ import annotations

import subprocess
import sys
import time

from aebench.clock import Seconds


def test_sleep_takes_wall_time_and_no_cpu_time() -> None:
    start = Seconds.now()
    time.sleep(0.2)
    wall, cpu = start.until(Seconds.now())
    assert wall >= 0.2
    assert cpu < wall


def test_the_cpu_time_of_child_processes_counts() -> None:
    work = "import time\nwhile time.process_time() < 0.3: pass"
    start = Seconds.now()
    subprocess.run([sys.executable, "-c", work], check=True)
    assert start.until(Seconds.now()).cpu >= 0.29  # the two clocks are rounded apart
