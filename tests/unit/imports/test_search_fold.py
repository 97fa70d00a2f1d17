"""The search fold: one spelling for texts and queries in any script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice.erp.search import fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Größe: Möbel", "grosse mobel"),  # German: ß is ss, the umlaut's dots go
        ("Bàn ghế, Điện", "ban ghe dien"),  # Vietnamese: tone and letter marks go, đ is d
        ("ĄŽUOLINIS stalas ė", "azuolinis stalas e"),  # Lithuanian
        ("The Table’s LEGS", "the table s legs"),  # English: punctuation separates words
        ("ტახტი ᲛᲐᲒᲘᲓᲐ", "ტახტი მაგიდა"),  # Georgian: capitals are small
        ("টেবিল চেয়ার", "টেবিল চেয়ার"),  # Bengali: vowel signs stay; yya is written as two signs, always
        ("मेज़ कुर्सी", "मेज़ कुर्सी"),  # Hindi: matras and nukta stay
        ("مِرآة", "مِرآة"),  # Arabic: marks stay
        ("โต๊ะ", "โต๊ะ"),  # Thai: tone marks stay
        ("FR-T98Y-60", "fr t98y 60"),
        ("১৮০ cm ٣٤", "180 cm 34"),  # digits of every script
        ("a\x00b\u200dc  d\n", "a bc d"),
        ("", ""),
    ],
)
def test_fold_gives_one_spelling(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_precomposed_and_decomposed_letters_are_the_same_word() -> None:
    assert fold("ড়") == fold("ড\u09bc")
    assert fold("é") == fold("e\u0301") == "e"


def test_words_that_differ_in_a_vowel_sign_stay_different() -> None:
    assert fold("कल") != fold("काल")
    assert fold("বল") != fold("বাল")


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
