"""A bundle on disk: it predicts what was fitted, or says why it cannot."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from core.errors import RunError
from heads.bundle import load_bundle, trained_digest
from tests.heads.tables import make_column, make_table


@pytest.fixture(scope="session")
def stored(numbers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "bundle"
    numbers.bundle.save(folder)
    return folder


@pytest.fixture
def copied(stored, tmp_path):
    return shutil.copytree(stored, tmp_path / "bundle")


def change(folder, **fields):
    path = folder / "bundle.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def test_a_loaded_bundle_predicts_the_same(numbers, stored, planted):
    first, second = numbers.bundle.predict(planted), load_bundle(stored).predict(planted)
    np.testing.assert_array_equal(second.value, first.value)
    np.testing.assert_array_equal(second.low, first.low)
    np.testing.assert_array_equal(second.high, first.high)
    assert second.missing == first.missing


def test_a_loaded_bundle_knows_what_it_is(numbers, stored):
    loaded = load_bundle(stored)
    assert loaded.unit == "ecr"
    assert loaded.trained == trained_digest(numbers.ids[::-1])
    assert loaded.libraries["numpy"] == np.__version__
    assert [spec.name for spec in loaded.features] == list(numbers.coverage)


def test_no_pickle_is_on_disk(stored):
    files = [path for path in stored.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {".json", ".safetensors", ".txt"}
    assert not [path for path in files if path.read_bytes()[:1] == b"\x80"]


def test_what_is_missing_is_named_for_each_row(numbers, planted):
    missing = numbers.bundle.predict(planted).missing
    there = planted.columns["motion"].present
    assert {row for row, names in enumerate(missing) if names} == set(np.flatnonzero(~there))
    assert {names for names in missing if names} == {("motion",)}


def test_other_columns_and_their_order_change_nothing(numbers, planted):
    columns = [*planted.columns.values(), make_column("more", np.zeros(240))][::-1]
    found = numbers.bundle.predict(make_table(*columns))
    np.testing.assert_array_equal(found.value, numbers.bundle.predict(planted).value)


def test_one_row_is_predicted_as_among_many(numbers, planted):
    alone = numbers.bundle.predict(planted.take(np.array([7])))
    assert alone.value[0] == pytest.approx(numbers.bundle.predict(planted).value[7], rel=1e-12)


def test_classes_come_with_probabilities(classes, planted, tmp_path):
    classes.bundle.save(tmp_path)
    found = load_bundle(tmp_path).predict(planted)
    assert found.low is found.high is None
    names = np.array(classes.bundle.classes)
    np.testing.assert_array_equal(found.value, names[found.probabilities.argmax(axis=1)])


def test_sequences_come_with_an_interval_for_each_step(sequences, planted, tmp_path):
    sequences.bundle.save(tmp_path)
    found = load_bundle(tmp_path).predict(planted)
    assert found.value.shape == found.low.shape == found.high.shape == (240, 3)
    assert (found.low < found.high).all()


def test_a_feature_that_the_table_lacks_is_named_with_its_remedy(numbers, planted):
    with pytest.raises(RunError, match=r"not given: motion; .*extract TABLE --features motion"):
        numbers.bundle.predict(planted.select(["meta:likes", "meta:category", "words:title"]))


def test_a_feature_of_another_recipe_is_refused_with_the_key(numbers, planted):
    column = planted.columns["motion"]
    changed = replace(column, spec=replace(column.spec, recipe={"frames": 4}))
    table = make_table(*{**planted.columns, "motion": changed}.values())
    with pytest.raises(RunError, match=r"feature 'motion' .*: frames was None, is 4; extract"):
        numbers.bundle.predict(table)


def test_a_feature_of_another_width_is_refused(numbers, planted):
    table = make_table(
        *{**planted.columns, "motion": make_column("motion", np.zeros((240, 3)))}.values()
    )
    with pytest.raises(RunError, match=r"dims was \[12\], is \[3\]"):
        numbers.bundle.predict(table)


def test_a_folder_without_a_bundle_is_refused(tmp_path):
    with pytest.raises(RunError, match=r"holds no bundle \(no bundle.json\); name a run"):
        load_bundle(tmp_path)


def test_another_format_is_refused(copied):
    change(copied, format=2)
    with pytest.raises(RunError, match="has format 2, this program reads 1; fit again"):
        load_bundle(copied)


def test_a_missing_file_is_named(copied):
    (copied / "head" / "linear.safetensors").unlink()
    with pytest.raises(RunError, match=r"lacks its file head/linear.safetensors; copy it whole"):
        load_bundle(copied)


@pytest.mark.parametrize("name", ["linear.json", "linear.safetensors", "design.json"])
def test_a_changed_file_is_refused(copied, name):
    path = copied / "head" / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(RunError, match=r"is not what was written \(its digest differs\)"):
        load_bundle(copied)


def test_a_file_outside_of_the_bundle_is_refused(copied):
    change(copied, files={"../../secret": "00"})
    with pytest.raises(RunError, match=r"leaves the folder"):
        load_bundle(copied)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', '{"format": 1, "files": 3}'])
def test_a_broken_bundle_is_refused(copied, text):
    (copied / "bundle.json").write_text(text)
    with pytest.raises(RunError, match="fit again"):
        load_bundle(copied)


def test_an_unknown_head_is_refused(copied):
    change(copied, head="oracle")
    with pytest.raises(RunError, match=r"head 'oracle' is unknown; .* fit again"):
        load_bundle(copied)


def test_trees_that_lightgbm_cannot_read_are_refused(classes, tmp_path):
    classes.bundle.save(tmp_path)
    (tmp_path / "head" / "gbm-1.txt").write_text("nonsense")
    content = json.loads((tmp_path / "bundle.json").read_text())
    change(tmp_path, files={n: d for n, d in content["files"].items() if n != "head/gbm-1.txt"})
    with pytest.raises(RunError, match=r"gbm-1.txt is not a LightGBM model"):
        load_bundle(tmp_path)
