"""The font for formulas is served smaller, and no formula shows it."""

from __future__ import annotations

import struct

import pytest

from app.web import font, vendor
from tests.serving import ROOT


@pytest.fixture(scope="module")
def whole() -> bytes:
    return vendor.FILES["math.ttf"]().read_bytes()


@pytest.fixture(scope="module")
def small(whole: bytes) -> bytes:
    return font.smaller(whole)


def characters(data: bytes) -> dict[int, int]:
    return dict(font._characters(font._tables(data)["cmap"]))


def test_it_is_much_smaller(whole: bytes, small: bytes) -> None:
    asset = vendor._asset("math.ttf")
    assert len(small) < len(whole) / 5
    assert asset.packed is not None and len(asset.packed) < 80_000


def test_every_wanted_character_keeps_its_glyph_and_no_other_is_promised(
    whole: bytes, small: bytes
) -> None:
    before, after = characters(whole), characters(small)
    assert after == {code: glyph for code, glyph in before.items() if font._wanted(code)}
    drawn = font._outlines(font._tables(small))
    for code, glyph in after.items():
        blank = not font._outlines(font._tables(whole))[glyph] if not drawn[glyph] else False
        assert drawn[glyph] or blank, hex(code)


@pytest.mark.parametrize("bracket", ["[", "(", "{", "√", "\u23df"])
def test_what_stretches_keeps_its_grown_forms(whole: bytes, small: bytes, bracket: str) -> None:
    tables = font._tables(small)
    glyph = characters(small)[ord(bracket)]
    grown = {target for source, target in font._grown(tables["MATH"]) if source == glyph}
    drawn = font._outlines(tables)
    assert len(grown) > 5
    assert all(drawn[one] for one in grown)


def test_primes_keep_their_form_beside_a_letter(whole: bytes, small: bytes) -> None:
    primes = {characters(small)[code] for code in font.PRIMES if code in characters(small)}
    before, after = (list(font._lowered(font._tables(one)["GSUB"])) for one in (whole, small))
    assert primes and sorted(after) == sorted(it for it in before if it[0] in primes)
    drawn = font._outlines(font._tables(small))
    assert all(drawn[other] for _, other in after)


def test_the_file_is_whole(small: bytes) -> None:
    assert font._sum(small + bytes(-len(small) % 4)) == 0xB1B0AFBA
    (count,) = font._u16(small, 4, 1)
    for i in range(count):
        tag, check, start, size = struct.unpack_from(">4sIII", small, 12 + 16 * i)
        data = small[start : start + size] + bytes(-size % 4)
        if tag == b"head":
            data = data[:8] + bytes(4) + data[12:]
        assert font._sum(data) == check, tag


IN_LABELS = "▭✂◣ḃẏż"  # and raised letters
NOT_IN_FORMULAS = {*range(0x02B0, 0x02C2), *range(0x02E0, 0x02E5), *map(ord, IN_LABELS)}


def test_whatever_our_formulas_write_is_wanted(whole: bytes) -> None:
    known = characters(whole).keys() - NOT_IN_FORMULAS
    for room in ("engine", "render", "nn", "train"):
        for path in (ROOT / "app" / room).rglob("*.py"):
            for sign in set(path.read_text("utf-8")):
                code = ord(sign)
                assert code not in known or code < 32 or font._wanted(code), (path.name, sign)
