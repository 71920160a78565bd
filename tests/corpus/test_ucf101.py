import numpy as np
import pytest

from core.errors import TableError, UsageError
from corpus.manifest import read_manifest
from corpus.splits import SplitPlan
from corpus.targets import TargetPlan

FOLDERS = ("HandstandPushups", "Archery")  # the files of the first have another case
CLASS = TargetPlan("class", "classification")


def files():
    """Yield class folder, group and path of 40 clips: 2 classes of 10 groups of 2."""
    for folder in FOLDERS:
        for group in range(1, 11):
            for clip in (1, 2):
                name = f"v_{folder.replace('stand', 'Stand')}_g{group:02}_c{clip:02}.avi"
                yield folder, group, f"{folder}/{name}"


@pytest.fixture
def tree(tmp_path):
    """Make the clips, empty, under `UCF-101`."""
    for _, _, path in files():
        place = tmp_path / "UCF-101" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    (tmp_path / "UCF-101" / "Archery" / "notes.txt").touch()
    return tmp_path / "UCF-101"


@pytest.fixture
def lists(tree):
    """Write the official lists beside the clips: list n tests groups n and n + 3."""
    folder = tree.parent / "ucfTrainTestlist"
    folder.mkdir()
    (folder / "classInd.txt").write_text("1 Archery\r\n2 HandstandPushups\r\n")
    for number in (1, 2, 3):
        tested = (number, number + 3)
        train = [f"{p} {2 - (c == 'Archery')}" for c, g, p in files() if g not in tested]
        (folder / f"trainlist0{number}.txt").write_text("\r\n".join(train))
        (folder / f"testlist0{number}.txt").write_text(
            "\n".join(p for _, g, p in files() if g in tested)
        )
    return folder


def read(path, **options):
    return read_manifest(path, source="ucf101", targets=["class"], **options)


def test_a_tree_is_a_table_of_its_files(tree):
    manifest = read(tree)
    sample = manifest.samples[-1]
    assert (len(manifest), sample.id) == (40, "HandstandPushups/v_HandStandPushups_g10_c02")
    assert sample.video == tree / "HandstandPushups" / "v_HandStandPushups_g10_c02.avi"
    assert sample.targets == {"class": "HandstandPushups"}
    assert (sample.author, sample.split) == ("HandstandPushups_g10", None)


def test_the_folder_around_the_tree_gives_the_same_rows(tree, lists):
    assert read(tree.parent).digest == read(tree).digest


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_official_splits_are_those_of_the_lists(tree, lists, number):
    rows = read(tree).split_rows()
    (fold,) = SplitPlan.parse(f"ucf101-{number}").folds(rows)
    tested = [p.removesuffix(".avi") for _, g, p in files() if g in (number, number + 3)]
    assert set(rows.ids[fold.test]) == set(tested)
    assert not set(rows.author[fold.valid]) & set(rows.author[fold.train])
    assert len(fold.valid) == 4


def test_without_lists_groups_are_the_folds(tree):
    manifest = read(tree)
    folds = SplitPlan.default(has_author=manifest.has_author).folds(manifest.split_rows())
    for fold in folds:
        assert not set(manifest.author[fold.test]) & set(manifest.author[fold.train])
    with pytest.raises(UsageError, match=r"no official lists; put trainlist02.txt and testlist02"):
        SplitPlan.parse("ucf101-2").folds(manifest.split_rows())


def test_a_table_of_paths_learns_its_classes_from_them(tree, lists, tmp_path):
    table = tmp_path / "some.csv"
    table.write_text("\n".join(["path", *(f"UCF-101/{path}" for _, _, path in files())]))
    assert read(table).digest == read(tree).digest


def test_a_table_may_say_class_and_group_itself(write_table):
    path = write_table({"file": ["a.mp4", "b.mp4"], "label": ["run", "sit"], "group": ["x", "x"]})
    samples = read(path).samples
    assert [sample.targets["class"] for sample in samples] == ["run", "sit"]
    assert [(sample.id, sample.author) for sample in samples] == [("run/a", "x"), ("sit/b", "x")]


def test_any_tree_of_class_folders_is_read(tmp_path):
    for name in ("run/one.mp4", "sit/one.MOV", "sit/.hidden.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    manifest = read(tmp_path)
    assert manifest.ids.tolist() == ["run/one", "sit/one"]
    assert not manifest.has_author


def test_a_converted_tree_goes_with_the_official_lists(tree, lists):
    for place in tree.rglob("*.avi"):
        place.rename(place.with_suffix(".mp4"))
    assert read(tree).samples[0].split == "test,train,train"


def test_listed_videos_that_are_not_here_are_counted(tree, lists, caplog):
    (tree / "Archery" / "v_Archery_g01_c01.avi").unlink()
    read(tree)
    assert "1 of the videos in the official lists are not here" in caplog.text


def test_a_video_that_no_list_has_is_named(tree, lists):
    (tree / "Archery" / "mine.avi").touch()
    with pytest.raises(UsageError, match=r"1 of 41 videos are in neither .* 'Archery/mine'"):
        SplitPlan.parse("ucf101-1").folds(read(tree).split_rows())


def test_a_video_in_the_folder_of_another_class_is_a_bad_row(tree, lists):
    name = "v_Archery_g01_c01.avi"
    (tree / "Archery" / name).rename(tree / "HandstandPushups" / name)
    with pytest.raises(TableError, match=f"file HandstandPushups/{name}: its class is 'Handst"):
        read(tree)
    assert len(read(tree, skip_bad_rows=True)) == 39


def test_a_class_that_is_not_official_is_a_bad_row(tree, lists):
    (tree / "Archery").rename(tree / "Sleep")
    (lists / "trainlist01.txt").write_text("")
    with pytest.raises(TableError, match="class is 'Sleep', but the official lists have it in"):
        read(tree)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("classInd.txt", "Archery 1", "line 1: 'Archery 1' is not a number and a class"),
        ("trainlist01.txt", "Archery/v.avi 2", "line 1: .*: class 2 is not 'Archery'"),
        ("testlist01.txt", "Archery/v_Archery_g09_c01.avi", "in the list of the other part"),
        ("testlist03.txt", b"\xff", "not UTF-8"),
    ],
)
def test_a_faulty_list_is_named_with_its_line(tree, lists, name, text, problem):
    (lists / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(TableError, match=problem) as caught:
        read(tree)
    assert name in str(caught.value)


def test_a_folder_without_classes_is_refused(tmp_path):
    with pytest.raises(UsageError, match="has no folder of a class with videos in it"):
        read(tmp_path)


def test_a_table_without_paths_is_refused(write_table):
    with pytest.raises(TableError, match="no column 'video' or 'path'; it has 'id'"):
        read(write_table({"id": ["a"]}))


def test_a_row_without_a_path_is_a_bad_row(write_table):
    with pytest.raises(TableError, match=r"line 3: column .id.: the id is empty"):
        read(write_table({"video": ["Archery/a.avi", ""], "n": ["1", "2"]}))


def test_classes_are_those_of_the_folders_in_order(tree, lists):
    manifest = read(tree)
    fitted = CLASS.fit(manifest.target("class"), np.ones(40, bool))
    assert fitted.classes == ("Archery", "HandstandPushups")
