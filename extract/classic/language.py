"""The language a text is in, as langid guesses it (Lui and Baldwin 2012, "langid.py").

`language:FIELD` is the code of the likeliest of 97 languages ("en", "zh"), a text.
`language:FIELD/scores` float32 [97] is the logarithm of each one's probability, at least -50, in
the order of the codes: naive Bayes over byte sequences, so it is surer than it should be, and short
texts are often wrong ("ok").

Links, mentions and emoji are left out, as they look like English or like nothing, and a text all in
capitals is read in small letters, as the model knows no sequences of capitals. A text without a
letter is absent. The model (2.5 MB, within the package) takes 1.5 s to load, once per worker.
Cost: 0.3 ms for a text of 500 characters.
"""

from __future__ import annotations

import importlib.metadata
from functools import cache, partial
from typing import Any

import numpy as np

from core.status import Gap, absent
from extract.classic.descriptor import Descriptor, Dims, of_text
from extract.classic.words import pattern

LANGUAGES = 97
LEAST = -50.0
_SIGNS = frozenset({"url", "mention", "emoji"})


def extractor(field: str) -> Descriptor:
    """Return the extractor of `language:FIELD`, a text, and its `/scores` float32 [97]."""
    name = f"language:{field}"
    recipe = {
        "code": "classic.language",
        "version": 1,
        "langid": importlib.metadata.version("langid"),
    }
    dims: Dims = {name: (), f"{name}/scores": (LANGUAGES,)}
    return of_text(partial(_described, name), field, dims, recipe)


def _described(name: str, text: str) -> dict[str, np.ndarray | str] | Gap:
    written = _without_signs(text)
    if not any(map(str.isalpha, written)):
        return absent("too-short", "the text has no letters to tell a language by")
    scores = language_scores(written)
    return {name: languages()[int(scores.argmax())], f"{name}/scores": scores}


def language_scores(text: str) -> np.ndarray:
    """Return float32 [97], log probabilities in the order of `languages`, at least -50."""
    identifier = _identifier()
    counts = identifier.instance2fv(text.encode("utf-8", "replace"))
    hit = np.flatnonzero(counts)
    joint = counts[hit].astype(np.float64) @ identifier.nb_ptc[hit] + identifier.nb_pc
    joint -= joint.max()
    scores = joint - np.log(np.exp(joint).sum())
    return np.asarray(np.maximum(scores[_order()], LEAST), np.float32)


@cache
def languages() -> tuple[str, ...]:
    """Return the codes of the 97 languages (ISO 639-1), sorted."""
    return tuple(sorted(map(str, _identifier().nb_classes)))


@cache
def _order() -> np.ndarray:
    return np.argsort([str(code) for code in _identifier().nb_classes])


@cache
def _identifier() -> Any:
    """Return langid's classifier of its own model; imported here, as that takes 1.5 s."""
    from langid.langid import LanguageIdentifier, model

    return LanguageIdentifier.from_modelstring(model, norm_probs=False)


def _without_signs(text: str) -> str:
    """Return a text with links, mentions and emoji taken out, and not all in capitals."""
    plain = pattern().sub(lambda found: " " if found.lastgroup in _SIGNS else found.group(), text)
    return plain.lower() if plain.isupper() else plain
