"""How a text is written: its length, signs and scripts; nothing of what it says.

`textstats:FIELD` float32 [55]. Numbers of things are ln(1 + n), parts are 0..1:

    length.*        characters, words, lines, sentences
    count.*         emoji, distinct emoji, hashtags, mentions, links, digits, question and
                    exclamation marks, ellipses, commas, quotation marks, brackets, words in
                    capitals, letters three times or more in a row, marks twice or more in a row
    part.*          of all characters: letters, digits, marks, spaces, emoji; of letters with a
                    case: capitals; of words: hashtags, in capitals, with a capital
    word.*          mean, deviation and most of the length in characters; distinct words over words;
                    words used once over words
    sentence.words  mean number of words
    entropy         of characters, bits
    repetition      1 - zlib's length over the length in UTF-8; 0 where it does not shrink
    starts.*        with a capital, an emoji, a hashtag, a digit; ends.* with a mark, an emoji, a
                    hashtag (0/1)
    script.*        part of the letters that is Latin, Greek, Cyrillic, Hebrew, Arabic, Devanagari,
                    another of India, Thai, Han, Kana, Hangul, any other

Counted as it is written, not in normal form: only signs and words are looked for in that. A text
without any character has all 0. Cost: 0.3 ms for a text of 500 characters.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from extract.classic.descriptor import Descriptor, of_text
from extract.classic.words import EMOJI, pattern

SCRIPTS = {
    "latin": "LATIN",
    "greek": "GREEK",
    "cyrillic": "CYRILLIC",
    "hebrew": "HEBREW",
    "arabic": "ARABIC",
    "devanagari": "DEVANAGARI",
    "indic": "BENGALI GUJARATI GURMUKHI KANNADA MALAYALAM ORIYA SINHALA TAMIL TELUGU",
    "thai": "THAI LAO",
    "han": "CJK",
    "kana": "HIRAGANA KATAKANA HALFWIDTH",
    "hangul": "HANGUL",
}
_SCRIPT_OF = {word: script for script, names in SCRIPTS.items() for word in names.split()}
_COUNTED = {
    "questions": "[?\uff1f\u061f\u037e]",
    "exclamations": "[!\uff01\u00a1]",
    "ellipses": r"\.{2,}|\u2026",
    "commas": "[,\uff0c\u3001\u060c]",
    "quotes": '["\u201c\u201d\u00ab\u00bb\u300c\u300d]',
    "brackets": r"[(\[\uff08\u3010]",
    "stretched": r"([^\W\d_])\1{2,}",
    "doubled": r"([?!\uff1f\uff01])[?!\uff1f\uff01]+",
}
_PATTERNS = {name: re.compile(text) for name, text in _COUNTED.items()}
_SENTENCE = re.compile(r"[.!?\u2026\u3002\uff01\uff1f\u061f\u0964\n]+")
_EMOJI = re.compile(f"[{EMOJI}]")

NAMES = (
    *("length.characters", "length.words", "length.lines", "length.sentences"),
    *("count.emoji", "count.emoji.distinct", "count.hashtags", "count.mentions", "count.links"),
    *("count.digits", "count.shouted", *(f"count.{name}" for name in _COUNTED)),
    *("part.letters", "part.digits", "part.marks", "part.spaces", "part.emoji", "part.capitals"),
    *("part.hashtags", "part.shouted", "part.capitalised"),
    *("word.mean", "word.std", "word.most", "word.distinct", "word.once"),
    *("sentence.words", "entropy", "repetition"),
    *("starts.capital", "starts.emoji", "starts.hashtag", "starts.digit"),
    *("ends.mark", "ends.emoji", "ends.hashtag"),
    *(f"script.{name}" for name in (*SCRIPTS, "other")),
)


def extractor(field: str) -> Descriptor:
    """Return the extractor of `textstats:FIELD` float32 [55]."""
    name = f"textstats:{field}"
    recipe = {"code": "classic.textstats", "version": 1}
    return of_text(partial(_described, name), field, {name: (len(NAMES),)}, recipe)


def _described(name: str, text: str) -> dict[str, np.ndarray]:
    return {name: describe_text(text)}


def describe_text(text: str) -> np.ndarray:
    """Return float32 [55], one number for each of `NAMES`."""
    text = unicodedata.normalize("NFC", text.strip())
    if not text:
        return np.zeros(len(NAMES), np.float32)
    signs: dict[str, list[str]] = {name: [] for name in pattern().groupindex}
    for match in pattern().finditer(text):
        signs[str(match.lastgroup)].append(match.group())
    plain = signs["word"] + signs["unspaced"]
    characters = Counter(text)
    numbers = (
        _lengths(text, len(plain)),
        _counts(text, signs, characters),
        _parts(signs, characters),
        _vocabulary(text, plain, characters),
        _borders(text),
        _scripts(characters),
    )
    return np.concatenate(numbers).astype(np.float32)


def _lengths(text: str, word_count: int) -> np.ndarray:
    lines = [line for line in text.splitlines() if line.strip()]
    return np.log1p([len(text), word_count, len(lines), len(_sentences(text))])


def _counts(text: str, signs: Mapping[str, list[str]], characters: Counter[str]) -> np.ndarray:
    emoji = signs["emoji"]
    groups = [len(emoji), len(set(emoji)), *(len(signs[k]) for k in ("hashtag", "mention", "url"))]
    digits = sum(count for char, count in characters.items() if char.isdecimal())
    counted = [sum(1 for _ in found.finditer(text)) for found in _PATTERNS.values()]
    return np.log1p([*groups, digits, _shouted(signs["word"]), *counted])


def _parts(signs: Mapping[str, list[str]], characters: Counter[str]) -> list[float]:
    total = sum(characters.values())
    kinds = dict.fromkeys("LMNPZ", 0)
    upper = lower = 0
    for char, count in characters.items():
        kind = "Z" if char.isspace() else unicodedata.category(char)[0]
        kinds[kind] = kinds.get(kind, 0) + count
        upper += count * (char.isupper() or char.istitle())
        lower += count * char.islower()
    emoji = sum(map(len, signs["emoji"]))
    words, tags = signs["word"], len(signs["hashtag"])
    everything = max(len(words) + len(signs["unspaced"]) + tags, 1)
    capitalised = sum(word[0].isupper() for word in words)
    return [
        *((kinds["L"] + kinds["M"]) / total, kinds["N"] / total, kinds["P"] / total),
        *(kinds["Z"] / total, emoji / total, upper / max(upper + lower, 1)),
        *(tags / everything, _shouted(words) / everything, capitalised / everything),
    ]


def _vocabulary(text: str, plain: list[str], characters: Counter[str]) -> list[float]:
    lengths = np.array([len(word) for word in plain] or [0])
    counts = Counter(word.casefold() for word in plain)
    once = sum(count == 1 for count in counts.values())
    shares = np.array(list(characters.values())) / len(text)
    encoded = text.encode("utf-8", "surrogatepass")
    return [
        *(float(lengths.mean()), float(lengths.std()), float(lengths.max())),
        *(len(counts) / max(len(plain), 1), once / max(len(plain), 1)),
        len(plain) / max(len(_sentences(text)), 1),
        float(-(shares * np.log2(shares)).sum()),
        max(0.0, 1 - len(zlib.compress(encoded)) / len(encoded)),
    ]


def _borders(text: str) -> list[float]:
    first = text[0]
    last = text.rstrip("\ufe0f\u200d")[-1:]
    tag = text.split()[-1].startswith("#")
    starts = (first.isupper(), bool(_EMOJI.match(first)), first == "#", first.isdecimal())
    ends = (unicodedata.category(last or " ")[0] == "P", bool(_EMOJI.match(last)), tag)
    return [float(claim) for claim in (*starts, *ends)]


def _scripts(characters: Counter[str]) -> list[float]:
    """Return the part of the letters that each script has; 0 for all where there are none."""
    found = dict.fromkeys((*SCRIPTS, "other"), 0)
    for char, count in characters.items():
        if char.isalpha():
            script = unicodedata.name(char, "").split(" ")[0].split("-")[0]
            found[_SCRIPT_OF.get(script, "other")] += count
    letters = max(sum(found.values()), 1)
    return [count / letters for count in found.values()]


def _sentences(text: str) -> list[str]:
    return [sentence for sentence in _SENTENCE.split(text) if sentence.strip()]


def _shouted(words: Sequence[str]) -> int:
    """Return how many words of two letters or more are in capitals."""
    return sum(len(word) > 1 and word.isupper() for word in words)
