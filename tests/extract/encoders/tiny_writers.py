"""Tiny checkpoints of models that write: their networks, tokenizers and processors."""

from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    GPT2Config,
    PreTrainedTokenizerFast,
    SmolVLMConfig,
    SmolVLMForConditionalGeneration,
    TimesformerConfig,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
)

END = "<|endoftext|>"
MARKS = ["<|im_start|>", "<end_of_utterance>", "<fake_token_around_image>", "<image>"]
MARKS += ["<global-img>", "<row_1_col_1>"]
_WORDS = ["ĠYes", "ĠNo", "Ġcat"]
_BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())


def bytes_tokenizer(folder, marks, *, letters=_BYTES, words=_WORDS):
    """Write a byte-level tokenizer as GPT-2's, which knows some words; return its size."""
    merges, vocab = [], dict.fromkeys([*marks, *letters])
    for word in words:
        for end in range(2, len(word) + 1):
            if word[:end] not in vocab:
                merges.append((word[: end - 1], word[end - 1]))
            vocab[word[:end]] = None
    ids = {token: number for number, token in enumerate(vocab)}
    made = Tokenizer(models.BPE(ids, merges))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token=marks[0], additional_special_tokens=marks[1:]
    ).save_pretrained(folder)
    return len(ids)


def spacetimegpt(folder):
    """Make a TimeSformer that a GPT-2 looks at; wild weights, so that it says various things."""
    sizes = {
        "initializer_range": 0.5,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
    }
    seen = TimesformerConfig(
        **sizes, num_attention_heads=2, image_size=32, patch_size=8, num_frames=8
    )
    size = bytes_tokenizer(folder, [END], letters="Ġabcdefghijklmnopqrstuvwxyz", words=())
    told = GPT2Config(n_embd=32, n_layer=2, n_head=2, vocab_size=size, initializer_range=0.5)
    told.add_cross_attention = True
    told.is_decoder, told.bos_token_id, told.eos_token_id = True, 0, 0
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(seen, told)
    model = VisionEncoderDecoderModel(config=config)
    model.generation_config.update(decoder_start_token_id=0, eos_token_id=0, pad_token_id=0)
    square = {"height": 32, "width": 32}
    return model, {
        "image_processor_type": "VideoMAEImageProcessor",
        "size": {"shortest_edge": 32},
        "crop_size": square,
        "image_mean": [0.485, 0.456, 0.406],
        "image_std": [0.229, 0.224, 0.225],
    }


def smolvlm2(folder, **changes):
    """Make a SmolVLM whose pictures are 32 pixels wide and give four tokens."""
    size = bytes_tokenizer(folder, ["<pad>", *MARKS])
    words = {"model_type": "llama", "hidden_size": 32, "intermediate_size": 64, "head_dim": 16}
    words |= {"num_hidden_layers": 4, "num_attention_heads": 2, "num_key_value_heads": 1}
    words |= {"vocab_size": size, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    seen = {"hidden_size": 24, "intermediate_size": 48, "num_hidden_layers": 2}
    seen |= {"num_attention_heads": 2, "image_size": 32, "patch_size": 8}
    config = SmolVLMConfig(
        text_config=words, vision_config=seen, scale_factor=2, image_token_id=4, **changes
    )
    model = SmolVLMForConditionalGeneration(config)
    model.generation_config.update(eos_token_id=2, pad_token_id=0)
    return model, {
        "image_processor_type": "SmolVLMImageProcessor",
        "size": {"longest_edge": 128},
        "max_image_size": {"longest_edge": 32},
        "video_sampling": {"fps": 1, "max_frames": 64, "video_size": {"longest_edge": 32}},
        "resample": 1,
        "image_mean": [0.5] * 3,
        "image_std": [0.5] * 3,
    }
