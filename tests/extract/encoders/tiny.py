"""Tiny checkpoints with random weights: real configurations made small, saved as real ones are."""

import json
import warnings

import torch
from transformers import (
    ASTConfig,
    ASTFeatureExtractor,
    AutoModel,
    BertConfig,
    BertTokenizerFast,
    ClapConfig,
    ClapFeatureExtractor,
    CLIPConfig,
    CLIPModel,
    DINOv3ViTConfig,
    Qwen3Config,
    ResNetConfig,
    SiglipConfig,
    SiglipModel,
    TimesformerConfig,
    VideoMAEConfig,
    VJEPA2Config,
    WhisperConfig,
    WhisperFeatureExtractor,
)

from extract.encoders.beats_network import BEATs, Sizes
from extract.encoders.i3d_network import I3D
from tests.extract.encoders import tiny_writers

SMALL = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
_VISION = {**SMALL, "image_size": 32, "patch_size": 8}
_WORDS = {**SMALL, "vocab_size": 99, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
_IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
_HALF = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}


def _resnet(folder):
    config = ResNetConfig(embedding_size=8, hidden_sizes=[8, 24], depths=[1, 1])
    steps = {"size": {"shortest_edge": 28}, "crop_pct": 0.875, "resample": 3, **_IMAGENET}
    return AutoModel.from_config(config), {
        "image_processor_type": "ConvNextImageProcessor",
        **steps,
    }


def _clip(folder):
    vision = {**_VISION, "projection_dim": 24}
    words = {**_WORDS, "projection_dim": 24}
    config = CLIPConfig(vision_config=vision, text_config=words, projection_dim=24)
    steps = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}, **_IMAGENET}
    steps |= {"resample": 3, "do_center_crop": True}
    return CLIPModel(config), {"image_processor_type": "CLIPImageProcessor", **steps}


def _siglip(folder):
    config = SiglipConfig(vision_config=_VISION, text_config=_WORDS)
    steps = {"size": {"height": 32, "width": 32}, "resample": 2, **_HALF}
    return SiglipModel(config), {"image_processor_type": "SiglipImageProcessor", **steps}


def _dinov3(folder):
    steps = {"size": {"height": 32, "width": 32}, "resample": 2, **_IMAGENET}
    config = DINOv3ViTConfig(**_VISION, num_register_tokens=2)
    return AutoModel.from_config(config), {
        "image_processor_type": "DINOv3ViTImageProcessor",
        **steps,
    }


def _words(folder):
    """Write a small WordPiece tokenizer that knows letters and a few words."""
    letters = [chr(code) for code in range(33, 127)]
    parts = [f"##{letter}" for letter in letters]
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = dict(zip([*marks, *letters, *parts, "word", "cats"], range(1000), strict=False))
    BertTokenizerFast(vocab=words).save_pretrained(folder)
    return len(words)


def _bert(folder):
    return AutoModel.from_config(BertConfig(**SMALL, vocab_size=_words(folder))), None


def _qwen3(folder):
    size = {**SMALL, "num_key_value_heads": 1, "head_dim": 16, "vocab_size": _words(folder)}
    return AutoModel.from_config(Qwen3Config(**size)), None


_CLIP_STEPS = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}


def _timesformer(folder, **changes):
    config = TimesformerConfig(**{**_VISION, **changes}, num_frames=8)
    steps = {"image_mean": [0.45] * 3, "image_std": [0.225] * 3, **_CLIP_STEPS}
    return AutoModel.from_config(config), {
        "image_processor_type": "VideoMAEImageProcessor",
        **steps,
    }


def _videomae(folder):
    config = VideoMAEConfig(**_VISION, num_frames=16)
    steps = {**_IMAGENET, **_CLIP_STEPS}
    return AutoModel.from_config(config), {
        "image_processor_type": "VideoMAEImageProcessor",
        **steps,
    }


def _vjepa2(folder):
    small = {"crop_size": 32, "patch_size": 8, "hidden_size": 32, "mlp_ratio": 2.0}
    small |= {"num_hidden_layers": 2, "num_attention_heads": 2, "frames_per_clip": 64}
    small |= {"pred_hidden_size": 24, "pred_num_hidden_layers": 1, "pred_num_attention_heads": 2}
    steps = {"video_processor_type": "VJEPA2VideoProcessor", **_IMAGENET, **_CLIP_STEPS}
    return AutoModel.from_config(VJEPA2Config(**small)), steps


def _ast(folder):
    config = ASTConfig(**SMALL, max_length=1024, num_mel_bins=128)
    ASTFeatureExtractor().save_pretrained(folder)
    return AutoModel.from_config(config), None


def _clap(folder):
    small = {"patch_embeds_hidden_size": 16, "depths": [1, 1], "num_attention_heads": [2, 2]}
    small |= {"hidden_size": 32, "spec_size": 256, "num_mel_bins": 64, "projection_dim": 24}
    words = {**SMALL, "vocab_size": 99, "projection_dim": 24}
    ClapFeatureExtractor(truncation="rand_trunc", frequency_min=50).save_pretrained(folder)
    config = ClapConfig(audio_config=small, text_config=words, projection_dim=24)
    return AutoModel.from_config(config), None


def _whisper(folder):
    small = {"d_model": 32, "encoder_layers": 2, "decoder_layers": 1, "vocab_size": 99}
    small |= {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 64}
    small |= {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    WhisperFeatureExtractor().save_pretrained(folder)
    return AutoModel.from_config(WhisperConfig(**small, decoder_start_token_id=1)), None


def _i3d(folder):
    """Write the real network, as it has no small one, for small pictures."""
    torch.save(I3D().state_dict(), folder / "rgb_imagenet.pt")
    return None, {"image_processor_type": "VideoMAEImageProcessor", **_CLIP_STEPS, **_HALF}


def _beats(folder):
    """Write one narrow layer of the real width."""
    torch.save(BEATs(Sizes(layers=1, embedded=16, inner=32)).state_dict(), folder / "beats.pt")
    return None, None


MAKERS = {
    "spacetimegpt": tiny_writers.spacetimegpt,
    "smolvlm2": tiny_writers.smolvlm2,
    "smolvlm2frames": tiny_writers.smolvlm2,
    "resnet101": _resnet,
    "clip": _clip,
    "siglip2": _siglip,
    "dinov3": _dinov3,
    "image": _resnet,
    "mbert": _bert,
    "e5": _bert,
    "qwen3embedding": _qwen3,
    "text": _bert,
    "timesformer": _timesformer,
    "timesformer600": _timesformer,
    "videomae": _videomae,
    "vjepa2": _vjepa2,
    "ast": _ast,
    "clap": _clap,
    "whisper": _whisper,
    "i3d": _i3d,
    "beats": _beats,
}


def make_checkpoint(family, folder, **changes):
    """Write a tiny checkpoint for a family into a folder, with weights that a seed decides."""
    torch.manual_seed(0)
    folder.mkdir(parents=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of making and saving, which are not ours
        model, processor = MAKERS[family](folder, **changes)
        if model:
            model.save_pretrained(folder)
    if processor:
        (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    return folder
