"""Shortcast: pay for the GPU once, then ask as many questions as you like.

The command table. Nothing heavy is imported here: each command imports what it needs when it runs.
"""

from __future__ import annotations

import errno
import io
import os
import sys

import typer

from commands import (
    ablate,
    cache,
    caption,
    convert_views,
    demo,
    doctor,
    evaluate,
    extract,
    features,
    fit_head,
    leaderboard,
    predict,
    report,
)
from core.errors import ProjectError, StorageError
from core.log import talk_to_stderr

INTERRUPTED = 130
UNHEARD = 141  # what a shell says of a program that the closed pipe ended
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}

app = typer.Typer(
    name="cli.py",
    help="Predict how a short video will do: extract features once, then fit heads in seconds",
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)
app.command("demo", epilog=demo.EXAMPLES)(demo.run)
app.command("convert-views", epilog=convert_views.EXAMPLES)(convert_views.run)
app.command("extract", epilog=extract.EXAMPLES)(extract.run)
app.command("fit-head", epilog=fit_head.EXAMPLES)(fit_head.run)
app.command("ablate", epilog=ablate.EXAMPLES)(ablate.run)
app.command("predict", epilog=predict.EXAMPLES)(predict.run)
app.command("evaluate", epilog=evaluate.EXAMPLES)(evaluate.run)
app.command("caption", epilog=caption.EXAMPLES)(caption.run)
app.command("doctor", epilog=doctor.EXAMPLES)(doctor.run)
app.command("leaderboard", epilog=leaderboard.EXAMPLES)(leaderboard.run)
app.command("report", epilog=report.EXAMPLES)(report.run)
app.command("features", epilog=features.EXAMPLES)(features.run)
app.add_typer(cache.app, name="cache")


def main() -> int:
    """Run one command and return its exit code: 0, 1, 2, 3, 130 or 141 (see `core/errors.py`)."""
    talk_to_stderr()
    if isinstance(sys.stdout, io.TextIOWrapper):  # names of files need not be in its encoding
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = _command()
        if sys.stdout is not None:  # None: closed, as by `>&-`
            sys.stdout.flush()
    except BrokenPipeError:  # as of `| head`, which has read what it wanted
        _write_no_more()
        return UNHEARD
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        _write_no_more()
        remedy = "free some space, or write elsewhere, and run again"
        print(f"error: stdout could not be written: {error.strerror}; {remedy}", file=sys.stderr)
        return StorageError.exit_code
    return code


def _write_no_more() -> None:
    """Let nothing more be written to stdout, not even by the flush at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _command() -> int:
    try:
        code: int | None = app(standalone_mode=False)
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):  # which typer makes an exit with 1
            raise error.__context__ from None
        raise
    except ProjectError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except typer.TyperException as error:
        error.show()  # type: ignore[attr-defined]  # all that typer raises have it; it is not typed
        return error.exit_code
    if code == INTERRUPTED:
        print("interrupted: what was complete is kept; the same command goes on", file=sys.stderr)
    return code or 0


if __name__ == "__main__":
    sys.exit(main())
