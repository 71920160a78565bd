"""Who is near whom: never oneself, never the future, over shared features only."""

import numpy as np
import pytest

from heads.neighbours.bank import Bank, Placed

NOBODY = -1


def placed(vectors, flags=None, author=None, posted_at=None):
    """Return rows of two features of two columns each."""
    vectors = np.asarray(vectors, np.float32)
    rows = len(vectors)
    flags = np.ones((rows, 2), bool) if flags is None else np.asarray(flags, bool)
    return Placed(
        vectors * np.repeat(flags, 2, axis=1),
        flags,
        np.full(rows, "", np.str_) if author is None else np.array(author, np.str_),
        np.full(rows, np.inf) if posted_at is None else np.asarray(posted_at, float),
    )


def drawn(rows, seed=0, **others):
    return placed(np.random.default_rng(seed).normal(size=(rows, 4)), **others)


def bank_of(rows):
    return Bank(rows, [2, 2], np.array([0.5, 0.5]))


def by_hand(theirs, asked, *, author=0.0):
    """Return every distance float64 [M, N], infinite where there is none."""
    shared = asked.flags[:, None] & theirs.flags
    apart = (theirs.vectors.astype(float) - asked.vectors[:, None].astype(float)) ** 2
    sums = (apart * np.repeat(shared, 2, axis=2)).sum(axis=2)
    share = shared.sum(axis=2) / 2
    found = np.where(share > 0, sums / np.where(share > 0, share, 1), np.inf)
    same = (asked.author[:, None] == theirs.author) & (asked.author != "")[:, None]
    found = found + author * ~same
    known = np.isfinite(asked.posted_at)[:, None]
    return np.where(known & ~(theirs.posted_at < asked.posted_at[:, None]), np.inf, found)


def expected(theirs, asked, count, **others):
    distances = by_hand(theirs, asked, **others)
    return np.sort(distances, axis=1)[:, :count]


def times(rows, seed=0):
    """Return times of which some are equal and some unknown, in their order."""
    drawn = np.random.default_rng(seed).integers(0, rows // 3, rows).astype(float)
    drawn[::11] = np.inf
    return np.sort(drawn)


@pytest.mark.parametrize("count", [1, 7, 300])
def test_neighbours_are_those_that_comparing_all_by_hand_finds(count):
    theirs, asked = drawn(200), drawn(50, seed=1)
    near = bank_of(theirs).nearest(asked, count)
    np.testing.assert_allclose(near.distance[:, :200], expected(theirs, asked, count), rtol=1e-9)
    assert (near.rows[:, 200:] == NOBODY).all()


def test_gaps_leave_what_both_rows_have():
    generator = np.random.default_rng(3)
    theirs = drawn(200, flags=generator.random((200, 2)) > 0.3)
    asked = drawn(50, seed=1, flags=generator.random((50, 2)) > 0.3)
    near = bank_of(theirs).nearest(asked, 9)
    np.testing.assert_allclose(near.distance, expected(theirs, asked, 9), rtol=1e-9)


def test_rows_that_share_no_feature_are_no_neighbours():
    theirs = drawn(5, flags=[[True, False]] * 5)
    asked = drawn(1, seed=1, flags=[[False, True]])
    assert (bank_of(theirs).nearest(asked, 3).rows == NOBODY).all()


@pytest.mark.parametrize("rows", [30, 900])
def test_no_neighbour_is_posted_later_or_at_the_same_time(rows):
    theirs = drawn(rows, posted_at=times(rows))
    asked = drawn(rows, seed=1, posted_at=times(rows, seed=1))
    near = bank_of(theirs).nearest(asked, 8)
    known = np.isfinite(asked.posted_at)[:, None] & (near.rows != NOBODY)
    later = theirs.posted_at[near.rows] >= asked.posted_at[:, None]
    assert known.any()
    assert not (later & known).any()
    np.testing.assert_allclose(near.distance, expected(theirs, asked, 8), rtol=1e-9)


def test_who_is_first_has_no_neighbour():
    theirs = drawn(5, posted_at=np.arange(5))
    near = bank_of(theirs).nearest(drawn(1, posted_at=[0]), 3)
    assert (near.rows == NOBODY).all()
    assert np.isinf(near.distance).all()


def test_without_a_time_all_rows_are_neighbours():
    theirs = drawn(40, posted_at=np.append(np.arange(39), np.inf))
    near = bank_of(theirs).nearest(drawn(1), 40)
    assert set(near.rows[0]) == set(range(40))


def test_another_author_is_as_much_farther_as_is_asked():
    names = [*"abcd" * 50]
    theirs, asked = drawn(200, author=names), drawn(40, seed=1, author=[*"abx" * 13, ""])
    near = bank_of(theirs).nearest(asked, 5, author=0.7)
    np.testing.assert_allclose(near.distance, expected(theirs, asked, 5, author=0.7), rtol=1e-9)


def test_a_distant_row_of_the_same_author_is_found():
    theirs = drawn(300, author=["me", *["others"] * 299])
    far = placed([[50, 50, 50, 50]], author=["me"])
    assert bank_of(theirs).nearest(far, 1, author=1e6).rows[0, 0] == 0


def test_the_past_binds_an_author_too():
    theirs = drawn(9, author=["me"] * 9, posted_at=np.arange(9))
    near = bank_of(theirs).nearest(drawn(1, author=["me"], posted_at=[4]), 9, author=1.0)
    assert set(near.rows[0]) == {0, 1, 2, 3, NOBODY}


def test_equal_rows_are_at_no_distance():
    theirs = drawn(500)
    near = bank_of(theirs).nearest(theirs, 1)
    np.testing.assert_array_equal(near.rows[:, 0], np.arange(500))
    np.testing.assert_array_equal(near.distance[:, 0], 0)


def test_a_bank_that_knows_no_time_answers_those_that_have_one():
    theirs = drawn(40)
    near = bank_of(theirs).nearest(drawn(1, posted_at=[5.0]), 40)
    assert set(near.rows[0]) == set(range(40))
