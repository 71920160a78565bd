"""A picture file -> upright RGB."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from core.status import Gap, failed


def read_image(path: Path) -> np.ndarray | Gap:
    """Return uint8 [height, width, 3], upright (EXIF orientation honoured), or why there is none.

    Of an animation the first picture; transparency is dropped, and of 16 bits the lower 8 are. A
    picture of more than about 90 million pixels is refused: it may be a small file made to fill the
    memory.
    """
    try:
        if path.stat().st_size == 0:
            return failed("empty")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about odd metadata ...
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _read(path)
    except (FileNotFoundError, NotADirectoryError):
        return failed("missing")
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        return failed("memory", f"the picture is too large: {error}")
    except (UnidentifiedImageError, PermissionError, IsADirectoryError) as error:
        return failed("unreadable", f"Pillow cannot open it: {type(error).__name__}")
    except MemoryError:
        return failed("memory")
    except Exception as error:  # broken content makes Pillow's readers raise nearly anything
        return failed("corrupt", f"the picture does not decode: {error}")


def _read(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        shown = ImageOps.exif_transpose(picture)
        if shown.mode.startswith("I"):  # grey of 16 bits, of which `convert` clips what is over 255
            shown = Image.fromarray((np.clip(np.asarray(shown), 0, 65535) >> 8).astype(np.uint8))
        return np.array(shown.convert("RGB"))
