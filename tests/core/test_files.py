"""Whole files or none, and paths that stay inside."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import StorageError, UsageError
from core.files import inside, replacing, storage_errors, write_json, write_text

ROOT = Path(__file__).resolve().parents[2]


def test_a_file_is_replaced_whole(tmp_path):
    write_text(tmp_path / "a.txt", "old")
    write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_an_error_while_writing_leaves_the_old_file_and_no_litter(tmp_path):
    write_text(tmp_path / "a.txt", "old")
    with pytest.raises(ValueError, match="half way"), replacing(tmp_path / "a.txt") as temporary:
        temporary.write_text("ne")
        raise ValueError("half way")
    assert (tmp_path / "a.txt").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_kill_while_writing_leaves_the_old_file(tmp_path):
    write_text(tmp_path / "a.txt", "old")
    code = (
        "import os, signal, sys; from pathlib import Path; from core.files import replacing\n"
        "with replacing(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_text('ne'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.txt")]
    assert subprocess.run(command, cwd=ROOT).returncode == -signal.SIGKILL
    assert (tmp_path / "a.txt").read_text() == "old"


def test_of_a_link_the_file_that_it_leads_to_is_replaced(tmp_path):
    write_text(tmp_path / "data" / "a.txt", "old")
    (tmp_path / "link").symlink_to(Path("data", "a.txt"))
    (tmp_path / "new").symlink_to(Path("data", "b.txt"))
    write_text(tmp_path / "link", "text")
    write_text(tmp_path / "new", "text")
    assert {p.name: p.read_text() for p in (tmp_path / "data").iterdir()} == {
        "a.txt": "text", "b.txt": "text",
    }  # fmt: skip
    assert all((tmp_path / name).is_symlink() for name in ("link", "new"))


def test_a_pipe_stays_a_pipe_and_is_written(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_text(tmp_path / "pipe", "text")
    assert os.read(reader, 9) == b"text"
    os.close(reader)
    assert [p.is_fifo() for p in tmp_path.iterdir()] == [True]


def test_a_link_to_the_output_is_written_and_stays(tmp_path):
    link = tmp_path / "out"
    link.symlink_to("/dev/stdout")
    code = "import sys; from pathlib import Path; from core.files import write_text\n"
    command = [sys.executable, "-c", code + "write_text(Path(sys.argv[1]), 'text')", link]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout, done.stderr, link.is_symlink()) == ("text", "", True)


def test_a_folder_is_not_written_over(tmp_path):
    with pytest.raises(StorageError, match="Is a directory"):
        write_text(tmp_path, "text")
    assert list(tmp_path.iterdir()) == []


def test_json_without_a_word_for_nan_refuses_it(tmp_path):
    with pytest.raises(ValueError, match="Out of range"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert not (tmp_path / "a.json").exists()


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "is full; free some space"), (errno.EROFS, "may not be written")],
)
def test_a_storage_error_names_the_place_and_the_remedy(tmp_path, number, words):
    with pytest.raises(StorageError, match=words) as caught, storage_errors(tmp_path / "x"):
        raise OSError(number, os.strerror(number))
    assert str(tmp_path / "x") in str(caught.value)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x"])
def test_a_path_that_leaves_its_folder_is_refused(tmp_path, name):
    with pytest.raises(UsageError, match="leaves the folder"):
        inside(tmp_path, name)


def test_a_link_that_leaves_its_folder_is_refused(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="leaves the folder"):
        inside(tmp_path / "in", "link/x")


def test_a_path_inside_is_resolved(tmp_path):
    assert inside(tmp_path, "a/../b.mp4") == tmp_path.resolve() / "b.mp4"
