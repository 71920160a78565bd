"""Features that were extracted on another machine serve here, whatever this one computes in."""

import pytest

from cache.store import Store
from extract.catalog import resolve
from extract.encoders.encoding import Encoding

PARTS = ["video", "text:title"]
STORED = "float16"  # no machine's own choice


def specs_of(name, family, folder, cache, dtype="auto", quantize="none"):
    weights = {family: str(folder)}
    encoding = Encoding.parse(cache, weights=weights, dtype=dtype, quantize=quantize)
    return resolve([name], parts=PARTS, encoding=encoding).specs


@pytest.fixture
def keep(checkpoints, tmp_path):
    """Give what makes the cache have a feature in some number formats."""

    def kept(name, family, *dtypes):
        for dtype in dtypes:
            for spec in specs_of(name, family, checkpoints(family), tmp_path, dtype):
                Store(tmp_path).create(spec)

    return kept


@pytest.mark.parametrize(
    ("name", "family"), [("clip@first3s", "clip"), ("mbert:title", "mbert"), ("clip/std", "clip")]
)
def test_auto_is_the_number_format_that_the_cache_has(name, family, keep, checkpoints, tmp_path):
    keep(name, family, STORED)
    (found,) = specs_of(name, family, checkpoints(family), tmp_path)
    assert found.recipe["compute"] == STORED


def test_auto_is_the_machines_own_where_the_cache_has_two(keep, checkpoints, tmp_path):
    keep("clip", "clip", STORED, "float32", "bfloat16")
    (found,) = specs_of("clip", "clip", checkpoints("clip"), tmp_path)
    assert found.recipe["compute"] != STORED


def test_other_weights_and_families_whose_name_begins_alike_do_not_decide(
    keep, checkpoints, tmp_path
):
    keep("timesformer600", "timesformer600", STORED)
    keep("clip", "clip", STORED)
    (found,) = specs_of("timesformer", "timesformer", checkpoints("timesformer"), tmp_path)
    assert found.recipe["compute"] != STORED
    (found,) = specs_of("image", "image", checkpoints("clip"), tmp_path)
    assert found.recipe["compute"] != STORED


def test_what_is_asked_for_is_what_is_done(keep, checkpoints, tmp_path):
    keep("clip", "clip", STORED)
    (found,) = specs_of("clip", "clip", checkpoints("clip"), tmp_path, "float32")
    assert found.recipe["compute"] == "float32"
