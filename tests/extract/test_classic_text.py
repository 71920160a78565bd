"""What describes a text: words of any script, counts of signs, hashed n-grams, the language."""

import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.values import check_value
from core.status import Gap
from extract.classic import language, ngrams, textstats
from extract.classic.language import languages
from extract.classic.ngrams import character_extractor, word_extractor
from extract.classic.textstats import NAMES
from extract.classic.words import normalise, words
from extract.contract import Inputs

FAMILIES = (textstats.extractor, word_extractor, character_extractor, language.extractor)
every_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f("title").family)
POST = "Wait for it!!! 3 tricks your CAT knows 😂😂 sooo good #cats #fyp @friend https://a.b/c?d"
ODD = [
    "",
    " \n\t",
    "x",
    "😀",
    "?!…",
    "word " * 2000,
    "\u0627" * 10_000,
    "\ud800 lone",
    "a\x00b",
    "#",
    "@",
    "١٢٣",
]


def measured(family, text):
    return family("title").prepare(Inputs(text={"title": text}))


def stats(text):
    return dict(
        zip(NAMES, measured(textstats.extractor, text)["textstats:title"].tolist(), strict=True)
    )


def tokens(text):
    return words(normalise(text))


@every_family
@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_odd_texts_have_a_value_or_say_why_not(family, text):
    values = measured(family, text)
    if isinstance(values, Gap):
        assert values.cause == "too-short"
        return
    for spec in family("title").specs:
        assert check_value(spec, values[spec.name]) is None


@given(st.text(max_size=200))
def test_any_text_has_finite_statistics(text):
    value = measured(textstats.extractor, text)["textstats:title"]
    assert value.dtype == np.float32
    assert value.shape == (len(NAMES),)
    assert np.isfinite(value).all()


@every_family
def test_only_its_own_field_is_read(family):
    extractor = family("title")
    assert extractor.reads == ("text:title",)
    alone = extractor.prepare(Inputs(text={"title": POST}))
    both = extractor.prepare(Inputs(text={"title": POST, "description": "other"}))
    assert all(np.array_equal(alone[name], both[name]) for name in alone)


def test_case_width_tones_and_invisible_marks_are_no_difference():
    assert normalise("ＣＡＦÉ ﬁn") == normalise("cafe\u0301 fin") == "café fin"
    assert normalise("👍🏽") == normalise("👍") == "👍"
    assert normalise("❤️ co\u00adop don\u2019t") == "❤ coop don't"


def test_signs_of_posts_are_words():
    assert tokens("So good! #CatsOfTikTok @some.one www.a.b/c don't") == [
        *("so", "good", "#catsoftiktok", "<mention>", "<url>", "don't"),
    ]


def test_emoji_are_one_word_each_with_what_is_joined_to_them():
    assert tokens("😂😂👨‍👩‍👧🇫🇷🇩🇪") == ["😂", "😂", "👨‍👩‍👧", "🇫🇷", "🇩🇪"]


def test_scripts_without_spaces_give_a_word_for_each_character():
    assert tokens("你好 world カメラ") == ["你", "好", "world", "カ", "メ", "ラ"]


@pytest.mark.parametrize(
    "text",
    ["यह हिन्दी में लिखा है", "هَذَا نَصٌّ عربي", "это русский текст", "한국어 문장 입니다", "שלום עולם"],
)
def test_words_with_marks_stay_whole(text):
    assert len(tokens(text)) == len(text.split())


def test_a_post_is_counted():
    found = stats(POST)
    expected = {"emoji": 2, "emoji.distinct": 1, "hashtags": 2, "mentions": 1, "links": 1}
    expected |= {"digits": 1, "shouted": 1, "exclamations": 3, "stretched": 1, "doubled": 1}
    assert {name: round(np.expm1(found[f"count.{name}"])) for name in expected} == expected
    assert found["starts.capital"] == 1
    assert found["script.latin"] == 1


def test_parts_and_lengths():
    found = stats("AB cd. Ef?\n12")
    assert np.expm1(found["length.characters"]) == pytest.approx(13)
    assert np.expm1(found["length.words"]) == pytest.approx(4)
    assert np.expm1(found["length.lines"]) == pytest.approx(2)
    assert np.expm1(found["length.sentences"]) == pytest.approx(3)
    assert found["part.letters"] == pytest.approx(6 / 13)
    assert found["part.digits"] == pytest.approx(2 / 13)
    assert found["part.capitals"] == pytest.approx(3 / 6)
    assert found["word.mean"] == found["word.most"] == 2


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("привет", "cyrillic"),
        ("你好", "han"),
        ("ひらカナ", "kana"),
        ("안녕", "hangul"),
        ("مرحبا", "arabic"),
        ("नमस्ते", "devanagari"),
        ("தமிழ்", "indic"),
        ("สวัสดี", "thai"),
        ("γεια", "greek"),
        ("שלום", "hebrew"),
        ("ሰላም", "other"),
    ],
)
def test_a_script_is_named(text, script):
    assert stats(text)[f"script.{script}"] == 1


def test_repetition_shows():
    assert stats("buy now " * 50)["repetition"] > 0.8
    assert stats("buy now " * 50)["word.distinct"] == pytest.approx(0.02)
    assert stats("each word is new here")["word.distinct"] == 1


def test_buckets_are_the_same_on_every_machine():
    """CRC-32 of UTF-8: 0xCBF43926 is the check value of the algorithm for "123456789"."""
    assert zlib.crc32(b"123456789") == 0xCBF43926
    pairs = measured(word_extractor, "123456789")["words:title"]
    assert pairs.tolist() == [[0xCBF43926 % ngrams.BUCKETS, 1.0]]


GOLDEN_BUCKETS = {
    word_extractor: {"cat": 1, "😂": 1, "cat 😂": 1},
    character_extractor: {
        " ca": 1,
        "cat": 1,
        "at ": 1,
        " cat": 1,
        "cat ": 1,
        " cat ": 1,
        " 😂 ": 1,
    },
}


@pytest.mark.parametrize("family", GOLDEN_BUCKETS, ids=lambda f: f("title").family)
def test_a_text_has_these_ngrams_and_no_others(family):
    grams = [zlib.crc32(gram.encode()) % ngrams.BUCKETS for gram in GOLDEN_BUCKETS[family]]
    (pairs,) = measured(family, "Cat 😂").values()
    assert pairs[:, 0].tolist() == sorted(grams)
    assert (pairs[:, 1] == 1).all()


def test_counts_grow_by_their_logarithm():
    pairs = measured(word_extractor, "so so so")["words:title"]
    weights = dict(pairs.tolist())
    assert weights[zlib.crc32(b"so") % ngrams.BUCKETS] == pytest.approx(1 + np.log(3))
    assert weights[zlib.crc32(b"so so") % ngrams.BUCKETS] == pytest.approx(1 + np.log(2))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("This is a plain sentence about a cat that jumps over a box.", "en"),
        ("THIS IS A SENTENCE IN CAPITALS ABOUT THE WEATHER OF TODAY", "en"),
        ("Dies ist ein einfacher Satz über eine Katze.", "de"),
        ("Esta es una frase sencilla sobre un gato que salta.", "es"),
        ("Кошка прыгает через большую коробку.", "ru"),
        ("这是一个关于猫的简单句子。", "zh"),
        ("これは猫についての文です。", "ja"),
        ("이것은 고양이에 대한 문장입니다.", "ko"),
        ("यह एक बिल्ली के बारे में एक वाक्य है।", "hi"),
        ("هذه جملة بسيطة عن قطة.", "ar"),
    ],
)
def test_plain_sentences_have_their_language(text, code):
    values = measured(language.extractor, text)
    assert values["language:title"] == code
    scores = values["language:title/scores"]
    assert languages()[int(scores.argmax())] == code
    assert np.exp(scores.astype(np.float64)).sum() == pytest.approx(1, abs=1e-5)


def test_links_mentions_and_emoji_do_not_change_the_language():
    plain = "Dies ist ein einfacher Satz über eine Katze."
    signs = f"😂😂 @english_name {plain} https://example.com/this/is/a/path 🎉"
    assert measured(language.extractor, signs)["language:title"] == "de"


@pytest.mark.parametrize("text", ["😀😀", "12:30, 45 %", "https://example.com", "@name", "   "])
def test_a_text_without_letters_has_no_language(text):
    gap = measured(language.extractor, text)
    assert isinstance(gap, Gap)
    assert "no letters" in gap.reason


SENTENCE = "Простая фраза: 猫! Ok?"
GOLDEN = Path(__file__).parent / "golden_classic_text.csv"


def golden_rows():
    for label, text in (("post", POST), ("sentence", SENTENCE)):
        for name, number in stats(text).items():
            yield f"{label}/{name}", number
        scores = measured(language.extractor, text)["language:title/scores"].tolist()
        yield from ((f"{label}/language.{c}", s) for c, s in zip(languages(), scores, strict=True))


def test_numbers_are_those_of_this_version():
    """Whoever changes them raises `version` in the recipe, then writes the file anew."""
    stored = dict(line.rsplit(",", 1) for line in GOLDEN.read_text().splitlines())
    found = dict(golden_rows())
    assert found.keys() == stored.keys()
    wrong = {n: v for n, v in found.items() if abs(v - float(stored[n])) > 1e-3 + 1e-3 * abs(v)}
    assert wrong == {}, "numbers changed: raise the version of the recipe"
