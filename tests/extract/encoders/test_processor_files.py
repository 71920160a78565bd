"""How a processor prepares is read where transformers writes it, today and before."""

import json
import shutil

import numpy as np
import pytest
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from extract.contract import Inputs
from extract.encoders.pictures import steps_of
from media.request import Frames, Sound
from tests.extract.encoders.test_contract import encoder

PARTS = {
    "clip": "image_processor",
    "vjepa2": "video_processor",
    "smolvlm2": "video_processor",
    "whisper": "feature_extractor",
}


def prepared(family, folder):
    made = encoder(family, lambda _: folder, whole=False)
    rng = np.random.default_rng(0)
    if made.audio:
        samples = rng.normal(size=made.audio.rate_hz).astype(np.float32)
        return made.prepare(Inputs(sound=Sound(samples, made.audio.rate_hz)))["spectra"]
    pixels = rng.integers(0, 256, (made.frames.frames, 40, 60, 3), np.uint8)
    return made.prepare(Inputs(frames=Frames(pixels, np.arange(len(pixels)), 9.0)))["pixels"]


@pytest.mark.parametrize("family", PARTS)
def test_a_folder_with_one_file_for_all_parts_is_read_as_one_with_a_file_for_each(
    family, checkpoints, tmp_path
):
    folder = shutil.copytree(checkpoints(family), tmp_path / "today")
    before = folder / "preprocessor_config.json"
    whole = {PARTS[family]: json.loads(before.read_text()), "processor_class": "XProcessor"}
    (folder / "processor_config.json").write_text(json.dumps(whole))
    before.unlink()
    assert np.array_equal(prepared(family, folder), prepared(family, checkpoints(family)))


def test_the_part_in_the_common_file_comes_first_as_in_the_library(tmp_path):
    CLIPImageProcessorPil(size={"shortest_edge": 64}).save_pretrained(tmp_path)
    told = {"image_processor": CLIPImageProcessorPil(size={"shortest_edge": 96}).to_dict()}
    (tmp_path / "processor_config.json").write_text(json.dumps(told))
    published = CLIPImageProcessorPil.from_pretrained(tmp_path).size["shortest_edge"]
    assert steps_of(tmp_path, "clip").shorter == published == 96
