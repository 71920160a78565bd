"""Small and read-only disks, where the system lets us mount them."""

import contextlib
import os
import subprocess

import pytest

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting takes root")


@contextlib.contextmanager
def mounted(folder, *words):
    """Mount something at a folder, or skip the test."""
    folder.mkdir(exist_ok=True)
    if subprocess.run(["mount", *words, folder], capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def small_disk(folder, size):
    """Mount an empty disk of so many bytes."""
    return mounted(folder, "-t", "tmpfs", "-o", f"size={size}", "none")


@contextlib.contextmanager
def read_only(folder):
    """Make what is in a folder read-only, even for root."""
    with mounted(folder, "--bind", folder):
        subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
        yield folder
