"""Try what may crash a process, in a process of its own: `python -m core.trial NAME ...`.

Prints a line of JSON for each name before the next one is tried, so that whoever reads it knows
where it ended. `device` is no package but says what torch computes on.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
import warnings
from typing import Any

DEVICE = "device"


def main(names: list[str]) -> None:
    """Import each name; say how long it took, or what it raised."""
    warnings.simplefilter("ignore")
    for name in names:
        started = time.perf_counter()
        answer: dict[str, Any] = {"name": name, "error": ""}
        try:
            if name == DEVICE:
                answer["found"] = _device()
            else:
                importlib.import_module(name)
        except (Exception, SystemExit) as error:  # foreign code: it may raise anything
            answer["error"] = f"{type(error).__name__}: {error}"
        answer["seconds"] = time.perf_counter() - started
        print(json.dumps(answer), flush=True)


def _device() -> dict[str, Any]:
    """Return what torch would compute on, and every GPU that it sees."""
    import torch

    from core.device import choose_device, choose_dtype

    device = choose_device()
    gpus = []
    for index in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(index)
        major, minor = torch.cuda.get_device_capability(index)
        gpus.append(
            {
                "name": torch.cuda.get_device_name(index),
                "free": free,
                "total": total,
                "capability": f"{major}.{minor}",
            }
        )
    return {
        "device": str(device),
        "dtype": str(choose_dtype("auto", device.value)),
        "gpus": gpus,
        "built_for": torch.version.cuda,
        "threads": torch.get_num_threads(),
    }


if __name__ == "__main__":
    main(sys.argv[1:])
