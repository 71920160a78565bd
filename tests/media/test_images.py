"""Picture files, and pictures at other sizes."""

import warnings

import numpy as np
import pytest
from PIL import Image

from core.status import Status
from media.image import read_image
from media.transforms import centre_crop, resize, resize_shorter

ORIENTATION = 0x0112  # EXIF tag; 6 means: turn clockwise by 90 degrees


def gradient(height: int, width: int) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows * 2, columns * 2, rows + columns], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "CMYK", "1", "LA", "I;16"])
def test_every_kind_of_picture_becomes_rgb(tmp_path, mode):
    path = tmp_path / ("picture.tif" if mode == "CMYK" else "picture.png")
    Image.new(mode, (30, 20)).save(path)
    pixels = read_image(path)
    assert (pixels.shape, pixels.dtype) == ((20, 30, 3), np.uint8)


def test_a_picture_keeps_its_pixels(tmp_path):
    Image.fromarray(gradient(20, 30)).save(tmp_path / "picture.png")
    assert np.array_equal(read_image(tmp_path / "picture.png"), gradient(20, 30))


@pytest.mark.parametrize("suffix", ["png", "tif", "pgm"])
def test_grey_of_16_bits_keeps_its_upper_8(tmp_path, suffix):
    levels = np.linspace(0, 65535, 20 * 30).reshape(20, 30).astype(np.uint16)
    Image.fromarray(levels).save(tmp_path / f"picture.{suffix}")
    expected = np.repeat((levels // 256)[:, :, None], 3, axis=2)
    assert np.array_equal(read_image(tmp_path / f"picture.{suffix}"), expected)


def test_a_picture_is_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    Image.fromarray(gradient(20, 30)).save(tmp_path / "picture.png", exif=exif)
    assert np.array_equal(read_image(tmp_path / "picture.png"), np.rot90(gradient(20, 30), -1))


def test_the_pixels_can_be_written(tmp_path):
    Image.new("RGB", (3, 2)).save(tmp_path / "picture.png")
    read_image(tmp_path / "picture.png")[0, 0] = 7


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif"])
def test_a_truncated_picture_is_corrupt(tmp_path, suffix):
    path = tmp_path / f"picture.{suffix}"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    gap = read_image(path)
    assert (gap.status, gap.cause) == (Status.FAILED, "corrupt")


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    Image.new("1", (100, 100)).save(tmp_path / "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 6000)
    assert read_image(tmp_path / "bomb.png").cause == "memory"
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 600)
    assert read_image(tmp_path / "bomb.png").cause == "memory"


def test_what_cannot_be_opened_has_its_cause(tmp_path):
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "folder.jpg").mkdir()
    causes = [read_image(tmp_path / f"{name}.jpg").cause for name in ("empty", "text", "gone")]
    assert causes == ["empty", "unreadable", "missing"]
    assert read_image(tmp_path / "folder.jpg").cause == "unreadable"


def test_reading_a_picture_leaves_the_warnings_alone(tmp_path):
    before = list(warnings.filters)
    read_image(tmp_path / "gone.jpg")
    assert warnings.filters == before


def test_the_shorter_side_gets_its_length():
    assert resize_shorter(gradient(40, 100), 20).shape == (20, 50, 3)
    assert resize_shorter(gradient(100, 41), 20).shape == (48, 20, 3)
    assert resize_shorter(gradient(10, 20), 20).shape == (20, 40, 3)
    assert resize_shorter(gradient(10, 20), 20, enlarge=False).shape == (10, 20, 3)


def test_a_stack_is_resized_like_its_pictures():
    stack = np.stack([gradient(40, 60), 255 - gradient(40, 60)])
    small = resize(stack, (20, 30), resample="lanczos")
    alone = Image.fromarray(stack[1]).resize((30, 20), Image.Resampling.LANCZOS)
    assert np.array_equal(small[1], np.asarray(alone))


def test_resizing_to_the_same_size_changes_nothing():
    assert np.array_equal(resize(gradient(20, 30), (20, 30)), gradient(20, 30))


def test_the_centre_is_cut_out():
    assert np.array_equal(centre_crop(gradient(10, 21), (4, 5)), gradient(10, 21)[3:7, 8:13])


def test_a_crop_larger_than_the_picture_is_refused():
    with pytest.raises(ValueError, match="a picture of 10x20 has no middle of 11x5"):
        centre_crop(gradient(10, 20), (11, 5))
