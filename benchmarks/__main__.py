"""Run all benchmarks, or those named, each in a process of its own: python -m benchmarks [NAME …]"""

from __future__ import annotations

import subprocess
import sys
import time

from rich.console import Console

ALL = (
    "startup", "containment", "overhead", "efficiency", "jpeg_metrics", "training", "bpg_arithmetic", "memory",
    "pod_memory", "lapped", "scale",
)  # fmt: skip


def main() -> None:
    console = Console()
    failed = []
    for name in sys.argv[1:] or ALL:
        began = time.perf_counter()
        console.rule(name)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"]).returncode:
            failed.append(name)
        console.print(f"{name}: {time.perf_counter() - began:.0f} s", style="dim", highlight=False)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
