"""Where benches find things, and one line that says what a figure was measured on."""

from __future__ import annotations

import os
import platform
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("SHORTCAST_DATA", ROOT.parent / "shared" / "data"))  # real clips


def machine() -> str:
    """Return the processor, its cores, the load, and the Python version."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = names[0] if names else platform.processor() or platform.machine()
    load = os.getloadavg()[0]
    python = platform.python_version()
    return f"{processor}, {os.cpu_count()} cores, load {load:.1f}, Python {python}"
