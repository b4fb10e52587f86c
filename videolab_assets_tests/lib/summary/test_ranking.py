import numpy as np
import pytest

from videolab_assets.lib.summary.ranking import Likeness, centrality, chosen

UNRELATED = [[f"word{index}", f"other{index}"] for index in range(12)]


def test_equal_sentences_are_chosen_all_over_the_video() -> None:
    """Prevents key points that all come from the same minute."""
    times = np.array([*range(10), 1000.0, 2000.0])
    picked = chosen(np.ones(12), Likeness(UNRELATED), times, 3, allowed=range(12))
    assert {10, 11} < set(picked)


def test_what_says_the_same_is_never_chosen_twice() -> None:
    """Prevents two key points about one fact even where nothing else is left to choose."""
    stems = [["scour", "caus", "bridg", "collaps"], ["bridg", "collaps", "caus", "scour"], ["salt", "eat", "steel"]]
    picked = chosen(np.array([1.0, 0.9, 0.1]), Likeness(stems), np.array([0.0, 50.0, 100.0]), 3, allowed=range(3))
    assert sorted(picked) == [0, 2]


def test_the_sentence_that_others_resemble_is_the_most_central() -> None:
    """Prevents a ranking that ignores what the text keeps coming back to."""
    stems = [["a", "b"], ["a", "b", "c", "d"], ["c", "d"], ["x", "y"]]
    rank = centrality(Likeness(stems).cosine)
    assert int(rank.argmax()) == 1
    assert int(rank.argmin()) == 3


@pytest.mark.parametrize("stems", [[[]], [[], []], [["a"]], [["a"], ["a"]]])
def test_sentences_without_meaning_rank_without_trouble(stems: list[list[str]]) -> None:
    """Prevents a division by zero on sentences made of stop words."""
    rank = centrality(Likeness(stems).cosine)
    assert rank == pytest.approx(np.ones(len(stems)))
