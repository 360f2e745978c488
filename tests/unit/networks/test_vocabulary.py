"""The words of the tiny CLIP."""

from __future__ import annotations

from functools import cache

import numpy as np
import open_clip
from hypothesis import given, settings
from hypothesis import strategies as st

from semsplat.data.world.builder import COLORS
from semsplat.data.world.kinds import make_world
from semsplat.data.world.primitives import CLASSES
from semsplat.data.world.vocabulary import (
    ANY,
    GENERIC,
    PARTS,
    SYNONYMS,
    TEMPLATES,
    caption,
    trained_texts,
)

colors = st.integers(ANY, len(COLORS) - 1)
parts = st.integers(ANY, len(PARTS) - 1)


@cache
def tokenizer():
    return open_clip.SimpleTokenizer(context_length=16)


@cache
def trained_tokens():
    return set(tokenizer()(list(trained_texts())).flatten().tolist())


@settings(max_examples=300)
@given(st.integers(0, 2**32), st.integers(0, len(CLASSES) - 1), colors, parts, st.booleans())
def test_a_caption_says_what_is_known_in_known_words(seed, class_id, color, part, texture):
    said = caption(np.random.default_rng(seed), class_id, color, part, texture)
    assert set(tokenizer()([said.text]).flatten().tolist()) <= trained_tokens()
    assert len(tokenizer().encode(said.text)) + 2 <= 16  # nothing is cut off
    assert class_id in said.classes
    assert said.color in (ANY, color) and said.part in (ANY, part)
    assert texture or not said.texture
    assert said.color == ANY or list(COLORS)[said.color] in said.text
    assert said.part == ANY or PARTS[said.part] in said.text


def test_other_words_are_unknown():
    assert not set(tokenizer()(["a giraffe"]).flatten().tolist()) <= trained_tokens()


def test_parts_are_those_of_the_worlds():
    worlds = [make_world(kind, seed) for kind in ("room", "tabletop") for seed in range(100)]
    named = {part.name for world in worlds for i in world.instances for part in i.parts}
    assert named <= set(PARTS)
    assert set(PARTS) - named == set() and list(PARTS) == sorted(set(PARTS))


def test_synonyms_and_templates_are_unambiguous():
    words = [word for several in SYNONYMS.values() for word in several]
    assert len(set(words)) == len(words) and not set(words) & set(CLASSES)
    assert set(SYNONYMS) <= set(CLASSES)
    assert all(template.count("{}") == 1 for template in TEMPLATES)
    things, stuff = GENERIC[0].classes, GENERIC[3].classes
    assert sorted(things + stuff) == list(range(len(CLASSES)))
