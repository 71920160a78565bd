"""Texts that language models write: how long, by how many beams, and what is kept of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.errors import UsageError
from core.status import Gap, failed

_LONGEST = 512  # tokens; half of what GPT-2 can count


@dataclass(frozen=True)
class Length:
    """How a text is written; nothing is drawn at random.

    beams  beginnings that are followed side by side; 1 always takes the likeliest token
    least  tokens before it may end
    most   tokens at which it ends

    Raises:
        UsageError: if there are no beams, or it may not be as long as it must.
    """

    beams: int
    least: int
    most: int

    def __post_init__(self) -> None:
        right = self.beams >= 1 and 0 <= self.least <= self.most and 1 <= self.most <= _LONGEST
        if not right:
            raise UsageError(
                f"a text by {self.beams} beams of {self.least} to {self.most} tokens cannot be "
                f"written; expected 1 beam or more, and from 0 to {_LONGEST} tokens"
            )

    def recipe(self) -> dict[str, int]:
        """Return what decides the text, for a feature's recipe."""
        return dict(vars(self))

    def options(self, model: Any) -> dict[str, Any]:
        """Return what `generate` of transformers takes; an encoder-decoder counts its start token.

        Beams end when there are enough ended ones, as published checkpoints have it stored.
        """
        unit = "length" if model.config.is_encoder_decoder else "new_tokens"
        return {
            f"min_{unit}": self.least,
            f"max_{unit}": self.most,
            "num_beams": self.beams,
            "early_stopping": self.beams > 1,
            "do_sample": False,
        }


def write(model: Any, length: Length, **given: Any) -> list[list[int]]:
    """Return the tokens that a model writes after what it was given, for each of a batch."""
    from extract.encoders.model import quietly

    with quietly():
        tokens: list[list[int]] = model.generate(**given, **length.options(model)).tolist()
    return tokens


def said(tokenizer: Any, tokens: list[int]) -> str | Gap:
    """Return the text of some tokens on one line, or the gap of a model that said nothing."""
    text = " ".join(tokenizer.decode(tokens, skip_special_tokens=True).split())
    return text or failed("model", "it wrote a text without any words")
