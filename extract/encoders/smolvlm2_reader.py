"""SmolVLM2 at work: prompts with pictures spliced in, hidden states, a verdict, a sentence.

The language model runs without its output layer. The verdict takes two rows of that layer's
weights; all of them are used only for the tokens of a caption.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from core.errors import CheckpointError
from extract.contract import Value
from extract.encoders.captions import Length, said, write
from extract.encoders.encoder import Batch
from extract.encoders.prompts import Prompter
from extract.encoders.smolvlm2_features import Wanted


class Reader:
    """A loaded model with its prompts; keeps the hidden states that are wanted of its layers."""

    def __init__(self, model: Any, prompter: Prompter, wanted: Wanted, length: Length) -> None:
        self._model, self._prompter, self._wanted = model, prompter, wanted
        self._length, self._answers = length, _answers(prompter)
        self._states = {n: state for n, state in wanted.states.items() if n in wanted.names}
        self._kept: dict[float, torch.Tensor] = {}
        layers = model.model.text_model.layers
        for part in {part for part, _ in self._states.values()} - {1.0}:
            layers[math.ceil(part * len(layers)) - 1].register_forward_hook(self._keep(part))

    def vision(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return what the language model gets of pictures: [N, places, D]."""
        seen = self._model.model.vision_model(pixel_values=pictures).last_hidden_state
        return self._model.model.connector(seen)

    def values(self, batch: Batch, seen: torch.Tensor) -> list[dict[str, Value]]:
        """Return what is wanted of each sample; `seen` is [N, frames, places, D]."""
        found: dict[str, Sequence[Value]] = {}
        names, wanted = self._wanted.names, self._wanted
        if wanted.vision in names:
            found[wanted.vision] = _arrays(seen.flatten(1, 2))
        if self._states or wanted.yes in names:
            found |= self._judged([sample["verdict"] for sample in batch], seen)
        if wanted.caption in names:
            found[wanted.caption] = self._told([sample["caption"] for sample in batch], seen)
        return [{name: column[row] for name, column in found.items()} for row in range(len(batch))]

    def _judged(
        self, prompts: Sequence[np.ndarray], seen: torch.Tensor
    ) -> dict[str, Sequence[Value]]:
        """Return hidden states and the verdict at the end of prompts."""
        ids, mask = _padded(prompts, self._marks["end"], device=seen.device, left=False)
        states = self._read(ids, mask, seen)
        found: dict[str, Sequence[Value]] = {
            name: _arrays(_pooled(states[part], mask, pooling))
            for name, (part, pooling) in self._states.items()
        }
        if self._wanted.yes in self._wanted.names:
            found[self._wanted.yes] = _arrays(self._verdict(_pooled(states[1.0], mask, "last")))
        return found

    def _told(self, prompts: Sequence[np.ndarray], seen: torch.Tensor) -> Sequence[Value]:
        """Return a text for each prompt."""
        end = self._marks["end"]
        ids, mask = _padded(prompts, end, device=seen.device, left=True)
        given = {"inputs_embeds": self._spliced(ids, seen), "attention_mask": mask}
        # the published configuration pads with a token that is beyond the vocabulary
        tokens = write(self._model, self._length, eos_token_id=end, pad_token_id=end, **given)
        return [said(self._prompter.tokenizer, each) for each in tokens]

    @property
    def _marks(self) -> dict[str, int]:
        return self._prompter.marks

    def _read(
        self, ids: torch.Tensor, mask: torch.Tensor, seen: torch.Tensor
    ) -> dict[float, torch.Tensor]:
        """Return hidden states float32 [N, tokens, D], by the part of the layers before them."""
        output = self._model.model.text_model(
            inputs_embeds=self._spliced(ids, seen), attention_mask=mask, use_cache=False
        )
        states = {**self._kept, 1.0: output.last_hidden_state}
        self._kept.clear()
        return {part: state.float() for part, state in states.items()}

    def _spliced(self, ids: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """Return the embeddings of prompts with pictures in their places: [N, tokens, D]."""
        places = ids == self._marks["place"]
        assert int(places.sum()) == seen[..., 0].numel()
        embedded = self._model.get_input_embeddings()(ids)
        return embedded.masked_scatter(places.unsqueeze(2), seen.to(embedded.dtype))

    def _verdict(self, last: torch.Tensor) -> torch.Tensor:
        """Return the logit of "yes" minus that of "no", and of no other word: [N, 1]."""
        yes, no = self._answers
        weights = self._model.get_output_embeddings().weight
        return (last @ (weights[yes].float() - weights[no].float())).unsqueeze(1)

    def _keep(self, part: float) -> Callable[..., None]:
        def keep(module: Any, given: Any, output: Any) -> None:
            del module, given
            self._kept[part] = output[0] if isinstance(output, tuple) else output

        return keep


def _answers(prompter: Prompter) -> tuple[int, int]:
    """Return the ids with which "yes" and "no" begin.

    Raises:
        CheckpointError: if they begin with the same.
    """
    yes, no = (prompter.plain(word)[0] for word in (" Yes", " No"))
    if yes == no:
        raise CheckpointError(
            f"{prompter.folder}: the tokenizer begins yes and no with the same token; "
            "it is not one of SmolVLM2"
        )
    return yes, no


def _padded(
    prompts: Sequence[np.ndarray], pad: int, *, device: torch.device, left: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ids and mask int64 [N, longest]; who writes on needs the padding on the left."""
    longest = max(map(len, prompts))
    ids = np.full((len(prompts), longest), pad, np.int64)
    mask = np.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        real = slice(longest - len(prompt), None) if left else slice(len(prompt))
        ids[row, real], mask[row, real] = prompt, 1
    return torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device)


def _pooled(states: torch.Tensor, mask: torch.Tensor, pooling: str) -> torch.Tensor:
    """Return the mean of real tokens, or the last one, of [N, tokens, D] padded on the right."""
    if pooling == "last":
        return states[torch.arange(len(states), device=states.device), mask.sum(dim=1) - 1]
    weights = mask.unsqueeze(2).to(states.dtype)
    return (states * weights).sum(dim=1) / weights.sum(dim=1)


def _arrays(values: torch.Tensor) -> Sequence[Value]:
    return list(values.float().cpu().numpy())
