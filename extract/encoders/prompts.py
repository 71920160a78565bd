"""Prompts of frames and texts as token ids, which no text of a user can break.

The marks of a prompt (a turn's begin and end, the places of pictures) are put in by their ids. All
words between two marks are split by the tokenizer's model alone, which knows no marks: a title that
has "<image>" or "<end_of_utterance>" in it gives the tokens of these letters. Where no word looks
like a mark, the ids are those of the published processor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.errors import CheckpointError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

FRAMES = 8
# The wording around a video is the published processor's: the checkpoints were trained with it.
_INTRO = "You are provided the following series of eight frames from a {} [H:MM:SS] video.\n"
_FRAME = "\nFrame from {:02d}:{:02d}:"
_MARKS = {
    "begin": "<|im_start|>",
    "end": "<end_of_utterance>",
    "edge": "<fake_token_around_image>",
    "whole": "<global-img>",
    "place": "<image>",
}


@dataclass(frozen=True)
class Prompter:
    """Makes prompts for one checkpoint.

    folder  with its tokenizer.json
    places  tokens that stand for one picture
    most    by field of text, the characters of it that are read
    """

    folder: Path
    places: int
    most: Mapping[str, int]

    def ids(
        self, question: str, text: Mapping[str, str], times_s: Sequence[float], duration_s: float
    ) -> np.ndarray:
        """Return the prompt of a video with its texts and a question, int64 [tokens].

        It ends where the answer begins. `times_s` are those of the frames.
        """
        mark = self.marks
        picture = [mark["edge"], mark["whole"], *[mark["place"]] * self.places, mark["edge"]]
        found, words = [mark["begin"]], "User: " + _INTRO.format(_clock(duration_s))
        for time_s in times_s:
            words += _FRAME.format(*divmod(int(time_s), 60))
            found += [*self.plain(words), *picture]
            words = ""
        found += self.plain(f"\n\n{self._told(text)}{question}")
        return np.array([*found, mark["end"], *self.plain("\nAssistant:")], np.int64)

    def plain(self, words: str) -> list[int]:
        """Return the ids of some words; none of them is a mark, whatever the words are."""
        tokenizer = self.tokenizer
        if tokenizer.normalizer is not None:
            words = tokenizer.normalizer.normalize_str(words)
        splitter = tokenizer.pre_tokenizer
        pieces = [piece for piece, _ in splitter.pre_tokenize_str(words)] if splitter else [words]
        ids = [token.id for piece in pieces for token in tokenizer.model.tokenize(piece)]
        return [each for each in ids if each not in self._all_marks]

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The checkpoint's tokenizer.

        Raises:
            CheckpointError: if it has none, or one of another kind of model.
        """
        from tokenizers import Tokenizer

        path = self.folder / "tokenizer.json"
        try:
            return Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises nothing narrower
            raise CheckpointError(
                f"{path} cannot be read ({error}); the checkpoint is not whole: fetch it again"
            ) from error

    @cached_property
    def marks(self) -> dict[str, int]:
        """The ids of the marks, by what they mark.

        Raises:
            CheckpointError: if the tokenizer lacks one.
        """
        ids = {name: self.tokenizer.token_to_id(mark) for name, mark in _MARKS.items()}
        found = {name: number for name, number in ids.items() if number is not None}
        if lacking := [_MARKS[name] for name in ids if name not in found]:
            raise CheckpointError(
                f"{self.folder}: the tokenizer has no {', '.join(lacking)}; "
                "it is not one of SmolVLM2"
            )
        return found

    @cached_property
    def _all_marks(self) -> frozenset[int]:
        return frozenset(self.tokenizer.get_added_tokens_decoder())

    def _told(self, text: Mapping[str, str]) -> str:
        """Return the texts that there are, each on a line of its own: "Title: ..."."""
        lines = [
            f"{field.capitalize()}: {' '.join(text[field][:most].split())}\n"
            for field, most in self.most.items()
            if field in text
        ]
        return "".join(lines)


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=int(seconds)))
