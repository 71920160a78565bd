"""What a clip that no table names is called in the cache."""

from __future__ import annotations

from pathlib import Path

from core.fingerprint import digest_file

_LETTERS, _DIGITS = 100, 16


def clip_id(video: Path) -> str:
    """Return the id that the rows of a clip are kept under.

    Its file name alone may be the id of a row of a table, the name of another clip, or no id.
    """
    name = "".join(filter(str.isprintable, video.name))[:_LETTERS]
    try:
        digest = digest_file(video).hex()[:_DIGITS]
    except OSError:  # its rows say so
        digest = ""
    return f"clip:{name}:{digest}"
