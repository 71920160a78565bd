import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UnknownName, UsageError
from corpus.columns import ROLES, Columns
from corpus.manifest import read_manifest

WHOLE = (
    "id=Id,video=path,image=cover,text=title+description,number=duration+followers,"
    "category=category,author=user_id,time=posted_at,split=split"
)


def test_every_role_is_read():
    columns = Columns.parse(WHOLE)
    assert (columns.id, columns.video, columns.image) == ("Id", "path", "cover")
    assert columns.text == ("title", "description")
    assert columns.number == ("duration", "followers")
    assert (columns.author, columns.time, columns.split) == ("user_id", "posted_at", "split")


def test_spaces_around_names_do_not_count():
    assert Columns.parse("id = Id , text= a + b") == Columns(id="Id", text=("a", "b"))


def test_a_yaml_file_says_the_same(tmp_path):
    path = tmp_path / "columns.yaml"
    path.write_text("id: Id\ntext: [title, 'a+b']\nnumber: x+y\nauthor: 2021\n")
    columns = Columns.parse(str(path))
    assert columns == Columns("Id", text=("title", "a+b"), number=("x", "y"), author="2021")


def test_a_mapping_in_braces_says_the_same():
    columns = Columns.parse(' {"id": "a=b, c", text: [title, "a+b"], author: 2021}')
    assert columns == Columns("a=b, c", text=("title", "a+b"), author="2021")


def test_columns_survive_being_written_as_a_mapping():
    columns = Columns.parse(WHOLE)
    assert Columns.from_mapping(columns.to_mapping()) == columns


def test_names_that_say_what_they_are_are_taken_and_path_is_not():
    columns = Columns.guess(["path", "id", "title", "description", "ECR", "time", "caption"])
    assert columns == Columns("id", text=("title", "description"), time="time")


def test_one_column_may_be_author_text_and_category():
    columns = Columns.parse("text=user,category=user,author=user")
    assert columns.named() == [("text", "user"), ("category", "user"), ("author", "user")]


def test_an_unknown_role_gets_near_names():
    with pytest.raises(UnknownName, match="'vidoe' is unknown; did you mean 'video'"):
        Columns.parse("vidoe=path")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("id=a,id=b", "'id' is given twice"),
        ("text=title+title", "text names the column 'title' twice"),
        ("id=", "id has an empty column name"),
        ("text=a+", "text has an empty column name"),
        ("", "'' is not ROLE=COLUMN"),
        ("id", "'id' is not ROLE=COLUMN"),
        ("id=a+b", "id is one column, not 2"),
        ("number=a,category=a", "'a' is both number and category"),
        ("video=a,image=a", "'a' is both video and image"),
        ("{id: a", "columns is not YAML"),
        ("{id: {a: b}}", "expected the name of a column"),
    ],
)
def test_a_faulty_text_is_refused(text, problem):
    with pytest.raises(UsageError, match=problem):
        Columns.parse(text)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("- id", "must map roles"),
        ("id: {a: b}", "expected the name of a column"),
        ("id: [", "is not YAML"),
        ("text: []", "expected the name of a column"),
    ],
)
def test_a_faulty_file_is_refused(tmp_path, content, problem):
    path = tmp_path / "columns.yaml"
    path.write_text(content)
    with pytest.raises(UsageError, match=problem):
        Columns.parse(str(path))


def test_a_file_that_is_not_there_is_refused():
    with pytest.raises(UsageError, match=r"nowhere\.yaml cannot be read"):
        Columns.parse("nowhere.yaml")


@given(st.sets(st.sampled_from(ROLES), min_size=1))
def test_any_choice_of_roles_is_read_back(roles):
    text = ",".join(f"{role}=column_{role}" for role in sorted(roles))
    assert {role for role, _ in Columns.parse(text).named()} == roles


def test_columns_that_are_named_come_on_top_of_those_that_say_what_they_are(write_table):
    path = write_table({"id": ["a"], "author": ["me"], "title": ["t"], "length": ["3"]})
    read = read_manifest(path, columns=Columns.parse("number=length")).columns
    assert (read.id, read.author, read.text, read.number) == (
        "id",
        "author",
        ("title",),
        ("length",),
    )
    other = read_manifest(path, columns=Columns.parse("id=author,text=length")).columns
    assert (other.id, other.author, other.text) == ("author", None, ("length",))
