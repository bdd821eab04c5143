"""The font for formulas, made smaller. STIX Two Math has 6,757 glyphs, of which our formulas use a
tenth, and a class of thirty should not fetch 24 MB for brackets that stretch. Outlines outside
`WANTED` are left out, and so are their characters, so that a browser takes those from another font.
Glyph numbers stay, hence every other table of the file does too. (OpenType 1.9, chapters cmap,
glyf, GSUB, MATH.)"""

from __future__ import annotations

import struct
from collections.abc import Iterator

WANTED = [
    (0x0020, 0x007E),  # Latin
    (0x00A0, 0x00BF),  # signs: ·, ±, ½, ²
    (0x00D7, 0x00D7),
    (0x00F7, 0x00F7),
    (0x0177, 0x0177),  # ŷ
    (0x02C6, 0x02DD),  # accents
    (0x0300, 0x0338),
    (0x0391, 0x03F6),  # Greek
    (0x2010, 0x209F),  # punctuation, primes, raised and lowered digits
    (0x210B, 0x2112),  # script H to L
    (0x211D, 0x211D),  # double-struck R
    (0x2190, 0x219A),  # arrows
    (0x21C4, 0x21C9),
    (0x21D0, 0x21D5),
    (0x2200, 0x222B),  # operators
    (0x223C, 0x2265),
    (0x2295, 0x229A),
    (0x22A4, 0x22A5),
    (0x22C0, 0x22C6),
    (0x22EE, 0x22F1),
    (0x2308, 0x230B),  # floor, ceiling
    (0x23B4, 0x23E1),  # brackets and braces over and under
    (0x27E8, 0x27EB),  # angle brackets
    (0x1D434, 0x1D467),  # italic
    (0x1D6E2, 0x1D71B),  # italic Greek
]
PRIMES = range(0x2032, 0x2038)
LEFT_OUT = {"DSIG", "GPOS", "cvt ", "fpgm", "prep"}  # signature, kerning, programs of the hinting
COMPOSITE_WORDS, COMPOSITE_MORE, COMPOSITE_HINTED = 0x0001, 0x0020, 0x0100
COMPOSITE_SCALES = {0x0008: 2, 0x0040: 4, 0x0080: 8}


def smaller(font: bytes) -> bytes:
    tables = _tables(font)
    characters = {code: glyph for code, glyph in _characters(tables["cmap"]) if _wanted(code)}
    outlines = _outlines(tables)
    primes = {characters[code] for code in PRIMES if code in characters}
    lowered = [(glyph, other) for glyph, other in _lowered(tables["GSUB"]) if glyph in primes]
    leads = [*_grown(tables["MATH"]), *lowered]
    keep = _closure({0, *characters.values()}, leads, outlines)
    tables = {tag: data for tag, data in tables.items() if tag not in LEFT_OUT}
    kept = [_unhinted(it) if glyph in keep else b"" for glyph, it in enumerate(outlines)]
    tables["cmap"] = _cmap(characters)
    tables["GSUB"] = _gsub(lowered)
    tables["glyf"] = b"".join(kept)
    tables["loca"] = _loca(kept)
    tables["hmtx"] = _widths(tables, keep)
    tables["post"] = struct.pack(">I", 0x00030000) + tables["post"][4:32]  # without glyph names
    head = tables["head"]
    tables["head"] = head[:8] + bytes(4) + head[12:50] + struct.pack(">H", 1) + head[52:]
    return _file(font[:4], tables)


def _wanted(code: int) -> bool:
    return any(first <= code <= last for first, last in WANTED)


def _u16(data: bytes, at: int, count: int) -> tuple[int, ...]:
    return struct.unpack_from(f">{count}H", data, at)


def _tables(font: bytes) -> dict[str, bytes]:
    (count,) = _u16(font, 4, 1)
    found = {}
    for i in range(count):
        tag, _, start, size = struct.unpack_from(">4sIII", font, 12 + 16 * i)
        found[tag.decode()] = font[start : start + size]
    return found


def _characters(cmap: bytes) -> Iterator[tuple[int, int]]:
    """(character, glyph) from the subtable of format 12, which covers all of Unicode."""
    for i in range(_u16(cmap, 2, 1)[0]):
        (start,) = struct.unpack_from(">I", cmap, 8 + 8 * i)
        if _u16(cmap, start, 1) == (12,):
            (groups,) = struct.unpack_from(">I", cmap, start + 12)
            for group in range(groups):
                first, last, glyph = struct.unpack_from(">3I", cmap, start + 16 + 12 * group)
                yield from ((code, glyph + code - first) for code in range(first, last + 1))
            return
    raise ValueError("font: no character map of format 12")


def _outlines(tables: dict[str, bytes]) -> list[bytes]:
    (count,) = _u16(tables["maxp"], 4, 1)
    long = _u16(tables["head"], 50, 1) == (1,)
    if long:
        ends = list(struct.unpack_from(f">{count + 1}I", tables["loca"]))
    else:
        ends = [2 * end for end in _u16(tables["loca"], 0, count + 1)]
    return [tables["glyf"][a:b] for a, b in zip(ends, ends[1:], strict=False)]


def _closure(glyphs: set[int], leads: list[tuple[int, int]], outlines: list[bytes]) -> set[int]:
    """These glyphs, all that they lead to, and the parts that they are put together from."""
    onward: dict[int, list[int]] = {}
    for source, target in leads:
        onward.setdefault(source, []).append(target)
    found: set[int] = set()
    waiting = list(glyphs)
    while waiting:
        glyph = waiting.pop()
        if glyph not in found:
            found.add(glyph)
            parts = [part for _, _, part in _components(outlines[glyph])]
            waiting += [*onward.get(glyph, ()), *parts]
    return found


def _unhinted(outline: bytes) -> bytes:
    """Without the program that fits it to coarse screens: a third of the bytes."""
    components = _components(outline)
    if components:
        plain = bytearray(outline)
        for at, flags, _ in components:
            struct.pack_into(">H", plain, at, flags & ~COMPOSITE_HINTED)
        return bytes(plain)
    if len(outline) < 10:
        return outline
    at = 10 + 2 * _u16(outline, 0, 1)[0]
    short = outline[:at] + bytes(2) + outline[at + 2 + _u16(outline, at, 1)[0] :]
    return short + bytes(-len(short) % 4)


def _components(outline: bytes) -> list[tuple[int, int, int]]:
    """(where, flags, glyph) of the glyphs that a composite one is put together from."""
    found: list[tuple[int, int, int]] = []
    if len(outline) < 10 or struct.unpack_from(">h", outline)[0] >= 0:
        return found
    at, flags = 10, COMPOSITE_MORE
    while flags & COMPOSITE_MORE:
        flags, glyph = _u16(outline, at, 2)
        found.append((at, flags, glyph))
        at += 4 + (4 if flags & COMPOSITE_WORDS else 2)
        at += next((size for bit, size in COMPOSITE_SCALES.items() if flags & bit), 0)
    return found


def _coverage(table: bytes, at: int) -> list[int]:
    form, count = _u16(table, at, 2)
    if form == 1:
        return list(_u16(table, at + 4, count))
    ranges = [_u16(table, at + 4 + 6 * i, 3) for i in range(count)]
    return [glyph for first, last, _ in ranges for glyph in range(first, last + 1)]


def _grown(math: bytes) -> Iterator[tuple[int, int]]:
    """(glyph, a taller or wider form of it, or a part of the form that stretches without end)"""
    (start,) = _u16(math, 8, 1)
    _, tall, wide, tall_count, wide_count = _u16(math, start, 5)
    made = _u16(math, start + 10, tall_count + wide_count)
    sources = [_coverage(math, start + at) if at else [] for at in (tall, wide)]
    for glyph, offset in zip(sources[0] + sources[1], made, strict=True):
        at = start + offset
        assembly, variants = _u16(math, at, 2)
        yield from ((glyph, _u16(math, at + 4 + 4 * i, 1)[0]) for i in range(variants))
        if assembly:
            (parts,) = _u16(math, at + assembly + 4, 1)
            for i in range(parts):
                yield glyph, _u16(math, at + assembly + 6 + 10 * i, 1)[0]


def _lowered(gsub: bytes) -> Iterator[tuple[int, int]]:
    """(glyph, its form as a subscript): the lookups of the feature `ssty`."""
    features, lookups = _u16(gsub, 6, 2)
    chosen: set[int] = set()
    for i in range(_u16(gsub, features, 1)[0]):
        at = features + 2 + 6 * i
        if gsub[at : at + 4] == b"ssty":
            feature = features + _u16(gsub, at + 4, 1)[0]
            chosen.update(_u16(gsub, feature + 4, _u16(gsub, feature + 2, 1)[0]))
    for index in chosen:
        lookup = lookups + _u16(gsub, lookups + 2 + 2 * index, 1)[0]
        kind, _, count = _u16(gsub, lookup, 3)
        for offset in _u16(gsub, lookup + 6, count):
            yield from _substitutes(gsub, kind, lookup + offset)


def _substitutes(gsub: bytes, kind: int, at: int) -> Iterator[tuple[int, int]]:
    if kind == 7:  # an extension: the real one lies further off
        kind, far = struct.unpack_from(">HI", gsub, at + 2)
        at += far
    form, coverage = _u16(gsub, at, 2)
    sources = _coverage(gsub, at + coverage)
    if kind == 1 and form == 1:
        (delta,) = _u16(gsub, at + 4, 1)
        yield from ((glyph, (glyph + delta) % 65_536) for glyph in sources)
    elif kind == 1:
        yield from zip(sources, _u16(gsub, at + 6, len(sources)), strict=True)
    elif kind == 3:
        for glyph, offset in zip(sources, _u16(gsub, at + 6, len(sources)), strict=True):
            (count,) = _u16(gsub, at + offset, 1)
            yield from ((glyph, other) for other in _u16(gsub, at + offset + 2, count))


def _cmap(characters: dict[int, int]) -> bytes:
    groups: list[list[int]] = []
    for code, glyph in sorted(characters.items()):
        if groups and code == groups[-1][1] + 1 and glyph == groups[-1][2] + code - groups[-1][0]:
            groups[-1][1] = code
        else:
            groups.append([code, code, glyph])
    body = b"".join(struct.pack(">3I", *group) for group in groups)
    header = struct.pack(">HHHHI", 0, 1, 3, 10, 12)
    return header + struct.pack(">HHIII", 12, 0, 16 + len(body), 0, len(groups)) + body


def _gsub(lowered: list[tuple[int, int]]) -> bytes:
    """The feature `ssty` for these glyphs alone. Other glyphs have such forms too, a shade sturdier
    as subscripts; they would double the file."""
    forms: dict[int, list[int]] = {}
    for glyph, other in sorted(lowered):
        forms.setdefault(glyph, []).append(other)
    count = len(forms)
    sets, start = b"", 6 + 2 * count
    offsets = []
    for others in forms.values():
        offsets.append(start + len(sets))
        sets += struct.pack(f">{len(others) + 1}H", len(others), *others)
    alternates = struct.pack(f">3H{count}H", 1, start + len(sets), count, *offsets) + sets
    alternates += struct.pack(f">2H{count}H", 1, count, *forms)
    scripts = struct.pack(">H4sH", 1, b"DFLT", 8) + struct.pack(">2H3HH", 4, 0, 0, 0xFFFF, 1, 0)
    features = struct.pack(">H4sH", 1, b"ssty", 8) + struct.pack(">3H", 0, 1, 0)
    lookups = struct.pack(">2H", 1, 4) + struct.pack(">4H", 3, 0, 1, 8) + alternates
    first = 10 + len(scripts)
    header = struct.pack(">5H", 1, 0, 10, first, first + len(features))
    return header + scripts + features + lookups


def _loca(outlines: list[bytes]) -> bytes:
    ends = [0]
    for outline in outlines:
        ends.append(ends[-1] + len(outline))
    return struct.pack(f">{len(ends)}I", *ends)


def _widths(tables: dict[str, bytes], keep: set[int]) -> bytes:
    """Nothing for the glyphs left out; zeros cost nothing once packed."""
    (pairs,) = _u16(tables["hhea"], 34, 1)
    widths = bytearray(tables["hmtx"])
    for glyph in range(pairs):
        if glyph not in keep:
            widths[4 * glyph : 4 * glyph + 4] = bytes(4)
    return bytes(widths)


def _file(kind: bytes, tables: dict[str, bytes]) -> bytes:
    count = len(tables)
    power = count.bit_length() - 1
    search = 16 << power
    directory = kind + struct.pack(">4H", count, search, power, 16 * count - search)
    start = 12 + 16 * count
    body = b""
    for tag, data in sorted(tables.items()):
        padded = data + bytes(-len(data) % 4)
        directory += struct.pack(">4sIII", tag.encode(), _sum(padded), start + len(body), len(data))
        if tag == "head":
            head = start + len(body)
        body += padded
    whole = directory + body
    adjusted = struct.pack(">I", (0xB1B0AFBA - _sum(whole)) % 2**32)
    return whole[: head + 8] + adjusted + whole[head + 12 :]


def _sum(data: bytes) -> int:
    words: tuple[int, ...] = struct.unpack(f">{len(data) // 4}I", data)
    return sum(words) % 2**32
