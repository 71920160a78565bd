"""What became of one feature of one sample: a value, or a gap with its cause.

    OK      there is a value
    ABSENT  the sample has no such part (no sound track, no title): a fact, never retried
    FAILED  the part is there, or should be, and could not be read or computed

Absence and failure are rows beside the values, never numbers among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Status(IntEnum):
    """The state of a row, as it is stored (uint8)."""

    OK = 0
    ABSENT = 1
    FAILED = 2


ABSENT_CAUSES = {
    "not-given": "the table names no such part for this sample",
    "no-video": "the file has no video stream",
    "no-audio": "the file has no audio stream",
    "too-short": "the part is there but too short to measure",
}
FAILED_CAUSES = {
    "missing": "the file is not where the table says",
    "empty": "the file has no bytes",
    "unreadable": "no decoder recognises the file, or it may not be opened",
    "corrupt": "the file opens, but too little of it decodes",
    "timeout": "it took longer than the time limit",
    "memory": "it took more memory than the limit",
    "crash": "the decoder ended its process",
    "model": "the encoder raised an error or gave a number that is not finite",
    "device": "the device has too little memory for this sample alone",
    "upstream": "a feature that this one reads failed",
}


@dataclass(frozen=True, slots=True)
class Gap:
    """A value that is not there: ABSENT or FAILED, one of the causes above, and a sentence."""

    status: Status
    cause: str
    reason: str


def absent(cause: str, reason: str = "") -> Gap:
    """Return an ABSENT gap; without a reason the cause's own sentence is used."""
    return Gap(Status.ABSENT, cause, reason or ABSENT_CAUSES[cause])


def failed(cause: str, reason: str = "") -> Gap:
    """Return a FAILED gap; without a reason the cause's own sentence is used."""
    return Gap(Status.FAILED, cause, reason or FAILED_CAUSES[cause])
