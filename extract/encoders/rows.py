"""The encoders with weights, as data: which checkpoint, how wide, what its maker needs to know."""

from __future__ import annotations

from extract.encoders.checkpoint import Checkpoint
from extract.family import Family


def _image(measures: str, checkpoint: Checkpoint | None, width: int | None) -> Family:
    return Family(
        "extract.encoders.image:extractor",
        "video",
        measures,
        weights=True,
        checkpoint=checkpoint,
        width=width,
        covers=True,
    )


_IMAGE = {
    "resnet101": _image(
        "ImageNet features of frames", Checkpoint("microsoft/resnet-101", 42.5, "Apache-2.0"), 2048
    ),
    "clip": _image(
        "pictures as captions tell of them",
        Checkpoint("openai/clip-vit-base-patch32", 87.8, "MIT"),
        512,
    ),
    "siglip2": _image(
        "pictures as captions of many languages tell of them",
        Checkpoint("google/siglip2-base-patch16-224", 92.9, "Apache-2.0"),
        768,
    ),
    "dinov3": _image(
        "pictures without any label",
        Checkpoint("facebook/dinov3-vitb16-pretrain-lvd1689m", 85.7, "DINOv3 licence"),
        768,
    ),
    "image": _image("frames, by the checkpoint that --weights names", None, None),
}


def _text(
    measures: str, checkpoint: Checkpoint | None, width: int | None, **facts: str | int | bool
) -> Family:
    return Family(
        "extract.encoders.text:extractor",
        "text",
        measures,
        weights=True,
        checkpoint=checkpoint,
        width=width,
        facts=facts,
    )


_TEXT = {
    "mbert": _text(
        "words of 104 languages, as SMTPD reads them",
        Checkpoint("google-bert/bert-base-multilingual-cased", 177.9, "Apache-2.0"),
        768,
        pooling="pooler",
        tokens=64,
    ),
    "e5": _text(
        "the meaning of a text in 100 languages",
        Checkpoint("intfloat/multilingual-e5-base", 278.0, "MIT"),
        768,
        pooling="mean",
        tokens=512,
        prefix="query: ",
        normalise=True,
    ),
    "qwen3embedding": _text(
        "the meaning of a text in 100 languages",
        Checkpoint("Qwen/Qwen3-Embedding-0.6B", 595.8, "Apache-2.0"),
        1024,
        pooling="last",
        tokens=512,
        normalise=True,
    ),
    "text": _text("a text, by the checkpoint that --weights names", None, None),
}


def _video(measures: str, checkpoint: Checkpoint, width: int, frames: int) -> Family:
    return Family(
        "extract.encoders.video:extractor",
        "video",
        measures,
        weights=True,
        checkpoint=checkpoint,
        width=width,
        facts={"frames": frames},
    )


_VIDEO = {
    "timesformer": _video(
        "actions, divided space-time attention over 8 frames",
        Checkpoint("facebook/timesformer-base-finetuned-k400", 121.3, "CC-BY-NC-4.0"),
        768,
        8,
    ),
    "timesformer600": _video(
        "the same, of 600 actions",
        Checkpoint("facebook/timesformer-base-finetuned-k600", 121.3, "CC-BY-NC-4.0"),
        768,
        8,
    ),
    "videomae": _video(
        "actions, from masked video of 16 frames",
        Checkpoint("MCG-NJU/videomae-base-finetuned-kinetics", 86.2, "CC-BY-NC-4.0"),
        768,
        16,
    ),
    "vjepa2": _video(
        "what happens, predicted in features of 64 frames",
        Checkpoint("facebook/vjepa2-vitl-fpc64-256", 326.0, "MIT"),
        1024,
        64,
    ),
}


def _audio(measures: str, checkpoint: Checkpoint, width: int, ear: str) -> Family:
    return Family(
        "extract.encoders.audio:extractor",
        "audio",
        measures,
        weights=True,
        checkpoint=checkpoint,
        width=width,
        facts={"ear": ear},
    )


_AUDIO = {
    "ast": _audio(
        "527 kinds of sound, windows of 10.24 s",
        Checkpoint("MIT/ast-finetuned-audioset-10-10-0.4593", 86.2, "BSD-3-Clause"),
        768,
        "ast",
    ),
    "clap": _audio(
        "sound as captions tell of it, windows of 10 s",
        Checkpoint("laion/clap-htsat-unfused", 28.2, "Apache-2.0"),
        512,
        "clap",
    ),
    "whisper": _audio(
        "speech of 99 languages, windows of 30 s",
        Checkpoint("openai/whisper-base", 20.6, "Apache-2.0"),
        512,
        "whisper",
    ),
}


def _smolvlm2(measures: str, texts: tuple[str, ...]) -> Family:
    return Family(
        "extract.encoders.smolvlm2:extractor",
        "video",
        f"{measures}; 256M to 2.2B by --weights",
        weights=True,
        checkpoint=Checkpoint("HuggingFaceTB/SmolVLM2-500M-Video-Instruct", 507.5, "Apache-2.0"),
        width=960,
        facts={"texts": texts},
    )


WRITING = {
    "spacetimegpt": Family(
        "extract.encoders.spacetimegpt:extractor",
        "video",
        "a sentence about the clip, and what its video encoder sees",
        weights=True,
        checkpoint=Checkpoint("Neleac/SpaceTimeGPT", 274.1, "none stated"),
        width=768,
    ),
    "smolvlm2": _smolvlm2("SmolVLM2 on frames, title, description", ("title", "description")),
    "smolvlm2frames": _smolvlm2("SmolVLM2 on frames alone", ()),
}
_OWN = {
    "i3d": Family(
        "extract.encoders.i3d:extractor",
        "video",
        "actions, inflated Inception on 64 frames; weights are a file: --weights i3d=FILE.pt",
        weights=True,
        width=1024,
        facts={"classes": 400},
    ),
    "beats": Family(
        "extract.encoders.beats:extractor",
        "audio",
        "sounds, patches of a spectrum; weights are a file: --weights beats=FILE.pt",
        weights=True,
        width=768,
    ),
}
ENCODERS: dict[str, Family] = {**_IMAGE, **_TEXT, **_VIDEO, **_AUDIO, **WRITING, **_OWN}
