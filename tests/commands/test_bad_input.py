"""Bad input gets one clear error with its remedy, and the right exit code."""

import json

import pytest

from core.runs import read_run

FIT = ("--head", "linear", "--features", "colour", "--target")


def table(tmp_path, text, name="t.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def one_error(done, code, *words):
    """Check exit code and text: one error, no traceback."""
    assert done.code == code, done.err
    assert done.err.count("rror: ") == 1
    assert "Traceback" not in done.err
    for word in words:
        assert word in done.err
    assert done.out == ""


def test_a_column_that_is_not_there_is_offered_near_names(run, clips):
    done = run("extract", clips.table, "--columns", "id=id,video=vdeo")
    one_error(done, 2, "'vdeo'", "did you mean 'video'")


def test_a_target_that_is_not_there_is_offered_near_names(run, clips):
    one_error(run("fit-head", clips.table, *FIT, "ecrr"), 2, "'ecrr'", "did you mean 'ecr'")


def test_an_empty_table(run, tmp_path):
    one_error(run("extract", table(tmp_path, "")), 2, "t.csv")
    one_error(run("extract", table(tmp_path, "id,video\n")), 2, "t.csv")


def test_a_table_that_is_not_there(run):
    one_error(run("extract", "nowhere.csv"), 2, "nowhere.csv")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id,video\na,a.mp4\na,b.mp4\n", ["line 3", "'a'"]),
        ("id,video\n" + "x" * 10_000 + ",a.mp4\n", ["line 2", "200"]),
        ("id,video\na\x07b,a.mp4\n", ["line 2", "\\x07"]),
        ("id,video\na,../../etc/passwd\n", ["line 2", "--root"]),
        ("id,video,ecr\na,a.mp4,much\nb,b.mp4,1\n", ["'much'", "ecr"]),
    ],
)
def test_bad_rows_are_listed_with_line_and_remedy(run, tmp_path, text, words):
    path = table(tmp_path, text)
    columns = "id=id,video=video" + (",number=ecr" if "ecr" in text else "")
    one_error(run("extract", path, "--columns", columns), 2, *words)


def test_bad_rows_may_be_skipped_and_are_counted(run, tmp_path):
    path = table(tmp_path, "id,title\na,x\na,y\nb,z\n")
    done = run("extract", path, "--features", "textstats", "--skip-bad-rows")
    assert done.code == 0, done.err
    assert "1 bad rows left out" in done.err


@pytest.mark.parametrize(
    ("column", "task", "words"),
    [
        ("mood", "regression", ["mood", "'dark'"]),
        ("empty", "regression", ["empty"]),
        ("constant", "regression", ["constant"]),
        ("lonely", "classification", ["lonely", "'one'"]),
    ],
)
def test_a_target_that_cannot_be_learnt(run, tmp_path, column, task, words):
    lines = ["id,title,mood,empty,constant,lonely"]
    lines += [f"v{n},title {n},dark,,7,{'one' if n == 3 else 'other'}" for n in range(20)]
    path = table(tmp_path, "\n".join(lines) + "\n")
    assert run("extract", path, "--features", "textstats").code == 0
    fit = ("--head", "linear", "--features", "textstats", "--target", column, "--task", task)
    done = run("fit-head", path, *fit)
    assert done.code in (1, 2)
    one_error(done, done.code, *words)


def test_numbers_with_commas_that_are_to_be_transformed_are_told_one_by_one(run, tmp_path):
    lines = [f'v{n},title {n},"{n},5"' for n in range(20)]
    path = table(tmp_path, "\n".join(["id,title,views", *lines]))
    asked = ("--head", "linear", "--features", "textstats", "--target", "views")
    done = run("fit-head", path, *asked, "--transform", "log1p")
    one_error(done, 2, "'0,5' is not a number; write 0.5 with a point")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--features", "motoin"], ["'motoin'", "did you mean 'motion'"]),
        (["--preset", "modrn"], ["'modrn'"]),
        (["--features", "colour", "--preset", "classic"], ["exclude each other"]),
        (["--features", "colour,"], ["empty name"]),
        (["--part", "3/2"], ["3/2", "2/8"]),
        (["--retry", "bad-luck"], ["bad-luck"]),
        (["--retry", "timeout", "--retry-failed"], ["exclude each other"]),
        (["--decoder", "cv2"], ["'cv2'", "known: decord, pyav"]),
        (["--source", "snapugs"], ["snapugs", "snapugc"]),
        (["--batchsize", "3"], ["--batchsize"]),
        (["--columns", "vido=video"], ["vido"]),
    ],
)
def test_wrong_options_of_extract_are_refused_before_any_work(
    run, clips, tmp_path, arguments, words
):
    done = run("extract", clips.table, *arguments)
    assert done.code == 2
    assert "Traceback" not in done.err
    assert all(word in done.err for word in words), done.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--head", "gmb", "--target", "ecr"], ["'gmb'", "did you mean 'gbm'"]),
        (["--head", "gbm", "--target", "ecr", "--task", "rank"], ["'rank'"]),
        (["--head", "gbm", "--target", "ecr", "--transform", "log"], ["'log'"]),
        (["--head", "gbm", "--target", "ecr", "--split", "kfolds:5"], ["kfold"]),
        (["--head", "gbm", "--target", "ecr", "--split", "kfold:1"], ["kfold"]),
        (["--head", "gbm", "--target", "ecr", "--set", "leafs=4"], ["leafs"]),
        (["--head", "gbm", "--target", "ecr", "--features", "meta:durtion"], ["meta:duration"]),
        (["--head", "gbm", "--target", "mood", "--quantiles", "0.3;0.7"], ["--quantiles"]),
        (["--head", "gbm", "--target", "ecr", "--decoder", "cv2"], ["'cv2'", "decord, pyav"]),
        (["--head", "gbm", "--target", "ecr", "--fold", "6"], ["fold 6", "1..5"]),
        (["--head", "linear", "--target", "ecr", "--set", "penalty=x"], ["penalty", "'x'"]),
        (["--head", "mean", "--target", "ecr", "--split", "author-kfold:9"], ["8", "fewer folds"]),
        (["--head", "knn", "--target", "ecr", "--features", "knn(colour)"], ["--head knn looks"]),
        (["--head", "linear", "--target", "ecr", "--of", "gbm"], ["--of goes with --head blend"]),
        (["--head", "linear", "--target", "ecr", "--seed", "-1"], ["--seed", "greater than"]),
        (["--head", "linear", "--target", "ecr", "--seed", "5000000000"], ["--seed", "less than"]),
    ],
)
def test_wrong_options_of_fit_head_are_refused_before_features_are_read(
    run, clips, tmp_path, arguments, words
):
    features = [] if "--features" in arguments else ["--features", "colour"]
    done = run("fit-head", clips.table, "--columns", COLUMNS, *features, *arguments)
    assert done.code == 2, done.err
    assert all(word in done.err for word in words), done.err
    assert not list(tmp_path.iterdir())


COLUMNS = "id=id,video=video,text=title,number=duration,author=author"


def test_features_that_were_never_extracted(run, clips):
    one_error(run("fit-head", clips.table, *FIT, "ecr"), 1, "colour", "python cli.py extract")


def test_a_config_with_an_unknown_key(run, clips, tmp_path):
    (tmp_path / "c.yaml").write_text("featurs: colour\n")
    done = run("extract", clips.table, "--config", "c.yaml")
    assert done.code == 2
    assert "did you mean 'features'" in done.err


def test_a_config_may_map_columns_as_their_own_file_does(run, clips, tmp_path):
    (tmp_path / "c.yaml").write_text("columns:\n  id: id\n  text: [title, author]\n")
    options = ("--features", "textstats", "--dry-run", "--json")
    done = run("extract", clips.table, "--config", "c.yaml", *options)
    assert (done.code, "textstats:author" in done.out) == (0, True), done.err


def test_a_config_may_say_lists_and_names_as_yaml_does(run, clips, tmp_path):
    lines = [
        "features: [meta:duration]",
        "set: {penalty: 3.0}",
        "quantiles: [0.4, 0.6]",
    ]
    lines += ["weights: {resnet101: folder}", "split: kfold:5", "open-samples: 0", "json: true"]
    (tmp_path / "c.yaml").write_text("\n".join(lines))
    asked = (clips.table, "--columns", COLUMNS, "--head", "linear", "--target", "ecr")
    done = run("fit-head", *asked, "--config", "c.yaml", "--out", "out")
    assert done.code == 0, done.err
    assert "metrics" in json.loads(done.out)
    config = read_run(tmp_path / "out")["config"]
    assert config["options"] == ["penalty=3.0"]
    assert config["weights"] == ["resnet101=folder"]
    assert (config["features"], config["quantiles"]) == ("meta:duration", "0.4,0.6")


def test_a_run_folder_that_is_none(run, clips):
    one_error(run("predict", clips.folder, clips.folder / "1.mp4"), 1, "no run folder")


def test_an_out_folder_with_something_in_it(run, clips, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("x")
    one_error(run("extract", clips.table, "--features", "colour", "--out", "out"), 2, "not empty")
