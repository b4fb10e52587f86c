"""Whether a clip can begin with these words, or whether they point back at something that was said before it.

The lists of `summary.language` say which first words point back: pronouns, demonstratives and connectives. Not all that look so do:

- "it" of the weather, the clock and of what follows: "It is raining", "It takes a year to", "Es hora de", "Está lloviendo";
- what points ahead: "Here's how", "This is how you", "Lo que nadie cuenta", "Esto es lo que";
- what points at today: "This week", "Este año"; and set phrases: "So many", "Tal vez", "Those who", "They say".

"That's what", "This is why", "It was expensive" and "Es más cara" do point back. Sounds and words without meaning before them ("Well, um,
he") change nothing. A language without lists points back with no word.
"""

from collections.abc import Sequence

from videolab_assets.lib.summary.language import Language, bare, folded
from videolab_assets.lib.summary.wording import dangles


def _listed(words: str) -> frozenset[str]:
    return frozenset(folded(words).split())


_STAND_ALONE = {
    "en": _listed("""
        it_takes it_took it_seems it_turns it_happens it_pays here's_why here's_how here's_what here's_where here's_the here's_a here's_my
        here's_one here_is_why here_is_how here_is_what here_is_the here_is_a here_are_the this_is_how this_is_what this_is_where this_is_my
        this_is_our this_is_your these_are_the these_are_my these_are_our this_week this_month this_year this_morning this_afternoon
        this_evening this_summer this_winter this_spring this_autumn this_fall this_weekend this_video this_episode this_channel these_days
        so_many so_much so_few so_far those_who those_of he_who they_say they_call still_today
        """),
    "es": _listed("""
        es_hora es_importante es_posible es_imposible es_verdad es_cierto es_fácil es_difícil es_necesario es_increíble es_curioso es_mejor
        es_normal está_lloviendo está_nevando está_claro esta_semana esta_mañana esta_tarde esta_noche este_año este_mes este_verano
        este_invierno este_vídeo este_video este_episodio este_canal esto_es_lo estos_son_los estas_son_las lo_que lo_más lo_primero
        lo_importante lo_mejor lo_peor lo_bueno lo_malo lo_único lo_cierto lo_curioso lo_difícil tal_vez puede_que son_las no_es_fácil
        no_es_verdad no_es_cierto así_se
        """),
}
"""Beginnings of two to four words, joined, without accents."""

_OF_NOTHING = _listed("""
    raining snowing windy late early cold hot warm dark sunny time midnight noon important clear true possible impossible hard easy
    difficult worth no said estimated common normal strange funny amazing incredible better best about been
    """)
"""English words after "it is" or "it was" that say that "it" is nothing in particular."""
_IT = {"it's": 1, "it_is": 2, "it_was": 2, "it'll_be": 2, "it_will_be": 3, "it_isn't": 2, "it's_not": 2, "it_is_not": 3}
"""How many words each is."""


def points_back(words: Sequence[str], language: Language) -> bool:
    """Whether the first of these words, written with their punctuation, need something said before them."""
    plain = [word for word in (bare(word) for word in words) if word]
    empty = (language.hesitations | language.openers | language.asides) - language.dangling
    while plain and plain[0] in empty:
        plain = plain[1:]
    if not plain or not dangles(" ".join(plain), language):
        return False
    beginnings = [folded("_".join(plain[:count])) for count in (2, 3, 4)]
    if not _STAND_ALONE.get(language.code, frozenset()).isdisjoint(beginnings):
        return False
    return not (language.code == "en" and _speaks_of_nothing(plain))


def _speaks_of_nothing(plain: Sequence[str]) -> bool:
    return any("_".join(plain[:count]) == it and not _OF_NOTHING.isdisjoint(plain[count : count + 1]) for it, count in _IT.items())
