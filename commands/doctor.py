"""`doctor`: what works on this machine, and what to do about the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from commands import options as o

if TYPE_CHECKING:
    from pathlib import Path

    from core.checks import Check

EXAMPLES = o.examples("doctor", "doctor --cache var/cache --json")
FAILED = 1


def run(
    cache: o.CacheOption = o.DEFAULT_CACHE,
    online: Annotated[
        bool, typer.Option("--online", help="ask the model hub too; else nothing leaves here")
    ] = False,
    as_json: o.JsonOption = False,
) -> int:
    """Say what works on this machine, and what to do about the rest.

    Tries packages and codecs in processes of their own; nothing is downloaded. The exit code is 1
    if something fails that extraction or fitting cannot do without.
    """
    checks = _examine(cache, online=online)
    failed = any(check.state == "FAIL" for check in checks)
    if as_json:
        o.print_json({"ok": not failed, "checks": [check.to_json() for check in checks]})
    else:
        _print(checks)
    return FAILED if failed else 0


def _examine(cache: Path, *, online: bool) -> list[Check]:
    """Make all checks, those that wait for other processes at the same time."""
    from concurrent.futures import ThreadPoolExecutor

    from core.machine import machine_checks
    from core.packages import package_checks
    from core.runs import RUNS

    with ThreadPoolExecutor(2) as pool:
        packages = pool.submit(package_checks)
        codecs = pool.submit(_guarded, "codecs", _codecs)
        machine = machine_checks(cache, RUNS)
        hub = _guarded("hub cache", lambda: _hub(cache, online=online))
        return [*machine, *packages.result(), *codecs.result(), *hub]


def _guarded(what: str, checks: Callable[[], list[Check]]) -> list[Check]:
    """Turn what keeps checks from being made into a check."""
    from core.checks import Check
    from core.errors import ProjectError

    try:
        return checks()
    except (ImportError, ProjectError) as error:
        remedy = "python -m pip install -r requirements.txt"
        return [Check("FAIL", what, f"not tried: {error}", remedy)]


def _codecs() -> list[Check]:
    from extract.checkup import codec_checks

    return codec_checks()


def _hub(cache: Path, *, online: bool) -> list[Check]:
    from extract.checkup import hub_checks

    return hub_checks(cache, online=online)


def _print(checks: Sequence[Check]) -> None:
    width = max(len(check.what) for check in checks)
    for check in checks:
        print(f"{check.state:4}  {check.what:{width}}  {check.found}")
        if check.remedy:
            print(f"{'':{width + 8}}-> {check.remedy}")
    counts = {state: sum(check.state == state for check in checks) for state in ("WARN", "FAIL")}
    print(f"{counts['FAIL']} of {len(checks)} fail, {counts['WARN']} warn")
