"""Whisper models of a few megabytes, made here: the same weights as a checkpoint of openai-whisper and as a folder of CTranslate2.

With random weights alone a model writes garbage. With a script its positions are set so that it writes the script's tokens, one after
the other and whatever it hears; only its attention, and with it the times of the words, stays random.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Weights = dict[str, NDArray[np.float32]]

STATE = 64
HEADS = 2
LAYERS = 2
MELS = 80
AUDIO_POSITIONS = 1500
TEXT_POSITIONS = 448
VOCABULARY = 51865
"""Of the multilingual models."""
ENGLISH_VOCABULARY = 51864
PROMPT = 3
"""Tokens before the first word: beginning of transcript, language, task."""


@dataclass(frozen=True)
class Script:
    """What the model writes.

    Attributes:
        language: that it finds, in any sound.
        lines: (start, text, end) with seconds from the beginning of the window.
        translation: its first word when it is asked to translate, in place of the first word of the first line.
        ended: False leaves out the last line's end, so that a decoder takes the line for cut off and begins a new window at it.
    """

    language: str = "en"
    lines: Sequence[tuple[float, str, float]] = ((0.0, " Hello there", 2.0),)
    translation: str = " Then"
    ended: bool = True


def weights_of(script: Script | None, seed: int = 0, scale: float = 0.05) -> Weights:
    """Weights under the names of openai-whisper's state dict; without a script all of them random."""
    random = np.random.default_rng(seed)

    def normal(*shape: int) -> NDArray[np.float32]:
        return np.asarray(random.normal(size=shape) * scale, np.float32)

    weights: Weights = {
        "encoder.conv1.weight": normal(STATE, MELS, 3),
        "encoder.conv1.bias": normal(STATE),
        "encoder.conv2.weight": normal(STATE, STATE, 3),
        "encoder.conv2.bias": normal(STATE),
        "encoder.positional_embedding": normal(AUDIO_POSITIONS, STATE) * 20,
        "decoder.token_embedding.weight": normal(VOCABULARY, STATE) * 20,
        "decoder.positional_embedding": normal(TEXT_POSITIONS, STATE) * 20,
    }
    for norm in ("encoder.ln_post", "decoder.ln"):
        weights |= {f"{norm}.weight": np.ones(STATE, np.float32), f"{norm}.bias": np.zeros(STATE, np.float32)}
    for part in ("encoder", "decoder"):
        for layer in range(LAYERS):
            block = f"{part}.blocks.{layer}"
            for attention in ("attn", "cross_attn") if part == "decoder" else ("attn",):
                for projection in ("query", "key", "value", "out"):
                    weights[f"{block}.{attention}.{projection}.weight"] = normal(STATE, STATE)
                    if projection != "key":
                        weights[f"{block}.{attention}.{projection}.bias"] = normal(STATE)
                weights[f"{block}.{attention}_ln.weight"] = np.ones(STATE, np.float32)
                weights[f"{block}.{attention}_ln.bias"] = np.zeros(STATE, np.float32)
            weights[f"{block}.mlp.0.weight"], weights[f"{block}.mlp.0.bias"] = normal(4 * STATE, STATE), normal(4 * STATE)
            weights[f"{block}.mlp.2.weight"], weights[f"{block}.mlp.2.bias"] = normal(STATE, 4 * STATE), normal(STATE)
            weights[f"{block}.mlp_ln.weight"], weights[f"{block}.mlp_ln.bias"] = np.ones(STATE, np.float32), np.zeros(STATE, np.float32)
    if script:
        _learn(script, weights)
    return weights


def _learn(script: Script, weights: Weights) -> None:
    """Makes the embedding of position n so large that the token after it is the script's, whatever comes from below."""
    from whisper.tokenizer import get_tokenizer

    tokenizer = get_tokenizer(True, language=script.language, task="transcribe")
    embedding = weights["decoder.token_embedding.weight"]
    embedding -= embedding.mean(axis=1, keepdims=True)
    embedding[:, -2:] = 0
    embedding /= np.linalg.norm(embedding, axis=1, keepdims=True)
    written: list[int] = []
    for start, text, end in script.lines:
        written += [_time(tokenizer, start), *tokenizer.encode(text), _time(tokenizer, end)]
    if not script.ended:
        written.pop()
    positions = weights["decoder.positional_embedding"]
    positions[:] = 40 * embedding[tokenizer.eot]
    positions[0] = 40 * embedding[tokenizer.language_token]
    positions[1] = 40 * embedding[tokenizer.transcribe]
    positions[PROMPT - 1 : PROMPT - 1 + len(written)] = 40 * embedding[written]
    positions[PROMPT - 1 : PROMPT + 1] /= 4
    # Two dimensions are left to this: the token that asks for a translation moves the first time to 0.5 s, whose token changes the word
    # after it. Both are stronger than what the two positions say of themselves, and weaker than what the others say.
    other, word = _time(tokenizer, 0.5), tokenizer.encode(script.translation)[0]
    embedding[tokenizer.translate, -2] = 30
    embedding[other, -2:] = [2, 5]
    embedding[word, -1] = 4
    weights["decoder.ln.weight"] = np.full(STATE, 5, np.float32)


def _time(tokenizer: Any, seconds: float) -> int:
    return int(tokenizer.timestamp_begin + round(seconds / 0.02))


def save_for_whisper(weights: Weights, path: Path, vocabulary: int = VOCABULARY, text_positions: int = 64) -> Path:
    """A checkpoint as OpenAI's are: the dimensions and the state dict. A window may hold half as many tokens as there are positions."""
    import torch

    dims = {
        "n_mels": MELS,
        "n_audio_ctx": AUDIO_POSITIONS,
        "n_audio_state": STATE,
        "n_audio_head": HEADS,
        "n_audio_layer": LAYERS,
        "n_vocab": vocabulary,
        "n_text_ctx": text_positions,
        "n_text_state": STATE,
        "n_text_head": HEADS,
        "n_text_layer": LAYERS,
    }
    fitted = weights | {
        "decoder.token_embedding.weight": weights["decoder.token_embedding.weight"][:vocabulary],
        "decoder.positional_embedding": weights["decoder.positional_embedding"][:text_positions],
    }
    state = {name: torch.from_numpy(values) for name, values in fitted.items()}
    torch.save({"dims": dims, "model_state_dict": state}, path)
    return path


def save_for_faster_whisper(weights: Weights, folder: Path, vocabulary: int = VOCABULARY) -> Path:
    """A folder as CTranslate2's converter leaves it, with a tokenizer of the `tokenizers` library."""
    from ctranslate2.specs import WhisperSpec
    from whisper.tokenizer import get_encoding

    spec = WhisperSpec(LAYERS, HEADS, LAYERS, HEADS)
    encoder, decoder = spec.encoder, spec.decoder
    for convolution, name in ((encoder.conv1, "encoder.conv1"), (encoder.conv2, "encoder.conv2")):
        convolution.weight, convolution.bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    encoder.position_encodings.encodings = weights["encoder.positional_embedding"]
    decoder.position_encodings.encodings = weights["decoder.positional_embedding"]
    decoder.embeddings.weight = weights["decoder.token_embedding.weight"][:vocabulary]
    decoder.projection.weight = decoder.embeddings.weight
    _norm(encoder.layer_norm, weights, "encoder.ln_post")
    _norm(decoder.layer_norm, weights, "decoder.ln")
    for part, layers in (("encoder", encoder.layer), ("decoder", decoder.layer)):
        for number, layer in enumerate(layers):
            _block(layer, weights, f"{part}.blocks.{number}")
    encoding = get_encoding("multilingual" if vocabulary == VOCABULARY else "gpt2")
    spec.config.lang_ids = [encoding.eot_token + 2 + number for number in range(99)]
    spec.config.suppress_ids, spec.config.suppress_ids_begin = [], [220, encoding.eot_token]
    spec.config.alignment_heads = [[layer, head] for layer in range(LAYERS // 2, LAYERS) for head in range(HEADS)]
    names = _token_names(encoding)
    spec.register_vocabulary(names)
    spec.validate()
    spec.optimize()
    folder.mkdir()
    spec.save(str(folder))
    _tokenizer(encoding, names).save(str(folder / "tokenizer.json"))
    (folder / "preprocessor_config.json").write_text(json.dumps({"feature_size": MELS}))
    return folder


def _norm(spec: Any, weights: Weights, name: str) -> None:
    spec.gamma, spec.beta = weights[f"{name}.weight"], weights[f"{name}.bias"]


def _block(spec: Any, weights: Weights, name: str) -> None:
    attentions = [(spec.self_attention, "attn", [["query", "key", "value"], ["out"]])]
    if f"{name}.cross_attn.out.weight" in weights:
        attentions.append((spec.attention, "cross_attn", [["query"], ["key", "value"], ["out"]]))
    for attention, kind, groups in attentions:
        _norm(attention.layer_norm, weights, f"{name}.{kind}_ln")
        for linear, projections in zip(attention.linear, groups, strict=True):
            linear.weight = np.concatenate([weights[f"{name}.{kind}.{projection}.weight"] for projection in projections])
            nothing = np.zeros(STATE, np.float32)
            linear.bias = np.concatenate([weights.get(f"{name}.{kind}.{projection}.bias", nothing) for projection in projections])
    _norm(spec.ffn.layer_norm, weights, f"{name}.mlp_ln")
    spec.ffn.linear_0.weight, spec.ffn.linear_0.bias = weights[f"{name}.mlp.0.weight"], weights[f"{name}.mlp.0.bias"]
    spec.ffn.linear_1.weight, spec.ffn.linear_1.bias = weights[f"{name}.mlp.2.weight"], weights[f"{name}.mlp.2.bias"]


def _token_names(encoding: Any) -> list[str]:
    """Every token as CTranslate2 and `tokenizers` spell it: bytes as printable characters, as GPT-2 does."""
    specials = sorted(encoding._special_tokens.items(), key=lambda item: int(item[1]))
    return [_spelt(encoding.decode_single_token_bytes(token)) for token in range(encoding.eot_token)] + [name for name, _ in specials]


def _spelt(token: bytes) -> str:
    return "".join(_SPELLING[byte] for byte in token)


def _spelling() -> dict[int, str]:
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + number) for number, byte in enumerate(others)}


_SPELLING = _spelling()


def _tokenizer(encoding: Any, names: list[str]) -> Any:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    ranks: dict[bytes, int] = encoding._mergeable_ranks
    merges = [pair for token, rank in ranks.items() if len(token) > 1 and (pair := _halves(token, rank, ranks))]
    model = models.BPE(
        vocab={name: number for number, name in enumerate(names[: encoding.eot_token])},
        merges=[(_spelt(left), _spelt(right)) for left, right in merges],
    )
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in names[encoding.eot_token :]])
    return tokenizer


def _halves(token: bytes, rank: int, ranks: dict[bytes, int]) -> tuple[bytes, bytes] | None:
    """The two tokens whose merge is this one, which tiktoken's ranks leave unsaid."""
    parts = [bytes([byte]) for byte in token]
    while len(parts) > 2:
        joined = [(ranks.get(parts[at] + parts[at + 1], rank), at) for at in range(len(parts) - 1)]
        lowest, at = min(joined)
        if lowest >= rank:
            return None
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return (parts[0], parts[1])
