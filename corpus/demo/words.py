"""Titles, descriptions and hashtags of the demo, from short lists in four languages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

EMOJI = {
    "travel": "🏔️🌅🚂",
    "music": "🎵🔥💃",
    "food": "😋🍕🍓",
    "talk": "🤔💬😮",
    "gaming": "🎮👾🏆",
    "pets": "😻🐾🐶",
}
HASHTAGS = {
    "travel": ("#travel", "#roadtrip", "#mountains", "#sunrise"),
    "music": ("#music", "#dance", "#livemusic", "#beat"),
    "food": ("#food", "#recipe", "#homecooking", "#streetfood"),
    "talk": ("#story", "#advice", "#mythoughts", "#daily"),
    "gaming": ("#gaming", "#speedrun", "#retro", "#letsplay"),
    "pets": ("#pets", "#catsofinternet", "#puppy", "#cute"),
}
COMMON_HASHTAGS = ("#shorts", "#fyp", "#new", "#weekend")


@dataclass(frozen=True, slots=True)
class Language:
    """The phrases of one language.

    A title is an opening (a hook or a plain one), a subject of the category, perhaps a question; a
    description is a sentence about the subject and one about nothing. `gap` is between them.
    """

    hooks: tuple[str, ...]
    plain: tuple[str, ...]
    questions: tuple[str, ...]
    about: tuple[str, ...]
    closing: tuple[str, ...]
    subjects: dict[str, tuple[str, ...]]
    gap: str = " "


PHRASES = {
    "en": Language(
        hooks=("You won't believe", "The secret of", "Nobody tells you about", "Wait for it:"),
        plain=("Some notes on", "Another look at", "A bit of", "Part three of"),
        questions=("Would you try it?", "Who else?", "Did you see that?"),
        about=("This is {}, filmed last week.", "Today I show you {}.", "We spent a day with {}."),
        closing=(
            "Thank you for watching.",
            "More of this on Friday.",
            "Filmed with my old phone.",
        ),
        subjects={
            "travel": ("this mountain road", "the old lighthouse", "a sunrise over the lake"),
            "music": ("our street concert", "this dance step", "the new drum loop"),
            "food": ("my grandmother's soup", "a five minute breakfast", "this strawberry cake"),
            "talk": ("my first day at work", "getting up early", "learning a language"),
            "gaming": ("the hidden level", "a clean speedrun", "this boss fight"),
            "pets": ("my sleepy cat", "the puppy and the ball", "a very brave kitten"),
        },
    ),
    "es": Language(
        hooks=("No vas a creer", "El secreto de", "Nadie te cuenta", "Mira hasta el final:"),
        plain=("Unas notas sobre", "Otra vez", "Un poco de", "Tercera parte de"),
        questions=("¿Lo probarías?", "¿Quién más?", "¿Lo has visto?"),
        about=("Esto es {}, grabado ayer.", "Hoy os enseño {}.", "Pasamos el día con {}."),
        closing=("Gracias por estar aquí.", "El viernes hay más.", "Grabado con mi móvil viejo."),
        subjects={
            "travel": ("esta carretera de montaña", "el viejo faro", "un amanecer en el lago"),
            "music": ("nuestro concierto en la calle", "este paso de baile", "el ritmo nuevo"),
            "food": ("la sopa de mi abuela", "un desayuno rápido", "esta tarta de fresas"),
            "talk": ("mi primer día de trabajo", "madrugar cada día", "aprender un idioma"),
            "gaming": ("el nivel escondido", "una partida perfecta", "este jefe final"),
            "pets": ("mi gato dormilón", "el cachorro y la pelota", "un gatito muy valiente"),
        },
    ),
    "de": Language(
        hooks=(
            "Du glaubst nicht:",
            "Das Geheimnis hinter:",
            "Niemand verrät dir:",
            "Warte nur ab:",
        ),
        plain=("Ein paar Notizen:", "Noch einmal:", "Ein bisschen Alltag:", "Dritter Teil:"),
        questions=("Würdest du das probieren?", "Wer noch?", "Hast du das gesehen?"),
        about=(
            "Das ist {}, letzte Woche gefilmt.",
            "Heute zeige ich euch: {}.",
            "Ein ganzer Tag und {}.",
        ),
        closing=(
            "Danke fürs Zuschauen.",
            "Am Freitag gibt es mehr.",
            "Mit dem alten Handy gefilmt.",
        ),
        subjects={
            "travel": ("die Straße über den Pass", "der alte Leuchtturm", "Sonnenaufgang am See"),
            "music": ("unser Konzert auf der Straße", "dieser Tanzschritt", "der neue Takt"),
            "food": ("die Suppe meiner Großmutter", "Frühstück in fünf Minuten", "Erdbeerkuchen"),
            "talk": ("mein erster Arbeitstag", "früh aufstehen", "eine Sprache lernen"),
            "gaming": ("das versteckte Level", "ein fehlerfreier Lauf", "dieser Endgegner"),
            "pets": ("meine müde Katze", "der Welpe und der Ball", "ein mutiges Kätzchen"),
        },
    ),
    "ja": Language(
        hooks=("信じられない!", "誰も知らない秘密、", "最後まで見て、", "衝撃の"),
        plain=("いつもの", "また今日も", "ちょっとだけ", "その三、"),
        questions=("やってみたい?", "見ましたか?", "あなたは?"),
        about=("これは{}です。", "今日は{}を紹介します。", "{}と過ごした一日。"),
        closing=("見てくれてありがとう。", "続きは金曜日に。", "古いスマホで撮りました。"),
        subjects={
            "travel": ("山の道", "古い灯台", "湖の朝焼け"),
            "music": ("路上ライブ", "このダンス", "新しいリズム"),
            "food": ("おばあちゃんのスープ", "五分でできる朝ごはん", "いちごのケーキ"),
            "talk": ("仕事の初日", "早起きの話", "外国語の勉強"),
            "gaming": ("隠しステージ", "完璧なプレイ", "ボス戦"),
            "pets": ("眠そうな猫", "子犬とボール", "勇敢な子猫"),
        },
        gap="",
    ),
}


@dataclass(frozen=True, slots=True)
class Wording:
    """The texts of one clip; an empty text is one that the clip does not have."""

    title: str
    description: str
    hashtags: str


def write_words(
    category: str, language: str, rng: np.random.Generator, *, hook: bool, punch: bool
) -> Wording:
    """Return title, description and hashtags; only the title's opening and end have an effect."""
    phrases = PHRASES[language]
    subject = _pick(phrases.subjects[category], rng)
    title = _pick(phrases.hooks if hook else phrases.plain, rng) + phrases.gap + subject
    emoji, question = _pick(_emoji(category), rng), _pick(phrases.questions, rng)
    if punch:
        title += f" {emoji}" if rng.random() < 0.5 else f". {question}"
    about = _pick(phrases.about, rng).format(subject)
    description = about + phrases.gap + _pick(phrases.closing, rng)
    own, common = _pick(HASHTAGS[category], rng), _pick(COMMON_HASHTAGS, rng)
    return Wording(title, description, f"{own} {common}")


def _pick(choices: tuple[str, ...], rng: np.random.Generator) -> str:
    return choices[int(rng.integers(len(choices)))]


def _emoji(category: str) -> tuple[str, ...]:
    """Return the emoji of a category; U+FE0F belongs to the sign before it."""
    signs: list[str] = []
    for sign in EMOJI[category]:
        if sign == "\ufe0f":
            signs[-1] += sign
        else:
            signs.append(sign)
    return tuple(signs)
