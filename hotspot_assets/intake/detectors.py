"""Detectors of what identifies people: in column names, and in values.

Belongs here: recognising kinds of data. Not here: the words and patterns (`telltales`), and what follows from
a hit (`contract`).

Column names are cut into words (camelCase, snake_case, digits and accents aside) and judged by word stems and
by what stands beside a word: a `name` is a person's unless it is the name of a ward or an offence. Doubt goes
against the column. Values are judged on a sample of distinct ones, or on all where one is enough.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from itertools import takewhile

import polars as pl

from hotspot_assets.intake.telltales import (
    ANY,
    FEW,
    GLUED_TELLTALES,
    HARMLESS_PHRASES,
    HEADER_TELLTALES,
    MANY,
    MISSPELT,
    NAME_WORDS,
    NAMED_THINGS,
    PARTS,
    VALUE_TELLTALES,
)

SAMPLE_VALUES = 5_000

_ADULT_YEARS, _GENERATION_YEARS, _RECORDS_SINCE = 14, 15, 1990
_SENTENCE_WORDS, _SENTENCE_CHARACTERS, _LONG_CHARACTERS = 9, 50, 200
_DATE = (
    r"^(?:\d{1,2}[-/. ](?:\d{1,2}|[A-Za-z]{3,9})[-/. ])?((?:18|19|20)\d{2})"
    r"(?:[-/.]\d{1,2}[-/.]\d{1,2})?(?:[T ]00:00(?::00)?)?$"
)


def _whole_words(alternatives: str) -> re.Pattern[str]:
    for mark, part in PARTS.items():
        alternatives = alternatives.replace(mark, part)
    pattern = "|".join(alternatives.split()).replace("_", " ?").replace("~", " ")
    return re.compile(rf"(?<![^ ])(?:{pattern})(?![^ ])")


_HARMLESS = _whole_words(HARMLESS_PHRASES)
_HEADERS = tuple((kind, _whole_words(words)) for kind, words in HEADER_TELLTALES.items())
_GLUED = re.compile("|".join(GLUED_TELLTALES.split()))
_MISSPELT = tuple(MISSPELT.split())
_NAME_WORDS, _NAMED_THINGS = frozenset(NAME_WORDS.split()), tuple(NAMED_THINGS.split())


def forbidden_header(name: str) -> str | None:
    """The kind of personal data a column name speaks of, or None."""
    if _in_another_script(name):
        return "something written in letters that cannot be judged"
    return next((kind for kind in map(_kind, _spellings(name)) if kind is not None), None)


def _kind(name: str) -> str | None:
    text = _HARMLESS.sub(".", " ".join(_words(name)))
    unnumbered = re.sub(r"( \d+)+$", "", text)
    for kind, pattern in _HEADERS:
        if pattern.search(text) or pattern.search(unnumbered):
            return kind
    if _GLUED.search(text) or any(_one_slip(word, known) for word in text.split() for known in _MISSPELT):
        return "data about a person"
    return "names of people" if _names_someone(text.split()) else None


def _spellings(name: str) -> list[str]:
    """The name as it stands, with digits in words read as letters, and with single letters put together."""
    plain = re.sub(
        r"(?<=[A-Za-z])[01345](?=[A-Za-z])|\b[01345](?=[A-Za-z]{3})",
        lambda digit: "oi?eas"[int(digit.group())],
        name,
    )
    letters = re.findall(r"[^\W_]", name)
    apart = "".join(letters) if re.fullmatch(r"(?:[^\W_][\W_]+){2,}[^\W_]", name) else name
    return list(dict.fromkeys((name, plain, apart)))


def _in_another_script(name: str) -> bool:
    return any(letter.isalpha() and "LATIN" not in unicodedata.name(letter, "") for letter in name)


def _words(name: str) -> list[str]:
    letters = unicodedata.normalize("NFKD", name.replace("ß", "ss").translate(str.maketrans("øłØŁ", "olOL")))
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z]{3})(?=\d)", " ", plain)
    return re.findall(r"[a-z0-9]+", spaced.lower())


def _one_slip(word: str, known: str) -> bool:
    """Whether a word is a known one with a letter left out, put in, changed or exchanged, the first excepted."""
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(word, known, strict=False)))
    if same == 0 or word == known:
        return False
    rest, known_rest = word[same:], known[same:]
    return (
        rest[1:] == known_rest
        or rest == known_rest[1:]
        or rest[1:] == known_rest[1:]
        or (rest[1::-1] == known_rest[:2] and rest[2:] == known_rest[2:])
    )


def _names_someone(words: list[str]) -> bool:
    """Whether a `name` among the words is not that of a known kind of thing."""
    for at, word in enumerate(words):
        if word in _NAME_WORDS:
            before, after = words[max(at - 1, 0) : at], words[at + 1 : at + 3]
            romance = after[:1] if word in ("nom", "noms", "nome", "nombre") else []
            named = before + romance + (after[1:] if after[:1] == ["of"] else [])
            if not set(named) & set(_NAMED_THINGS):
                return True
        elif word.endswith(("name", "names")):
            thing = word.removesuffix("s").removesuffix("name")
            if not thing.endswith(_NAMED_THINGS):
                return True
    return False


def forbidden_value(values: pl.Series, now: datetime) -> str | None:
    """The kind of personal data that the values of a column look like, or None.

    Parameters
    ----------
    values
        Text of a column that holds no times or places by the contract: dates of people's youth in it are
        dates of birth.
    now
        Moment of delivery.
    """
    distinct = values.drop_nulls().unique(maintain_order=True).str.strip_chars()
    distinct = distinct.filter(distinct != "")
    if distinct.is_empty():
        return None
    sample = distinct.gather_every(-(-distinct.len() // SAMPLE_VALUES))
    for pattern in VALUE_TELLTALES:
        among = distinct if pattern.share == ANY else sample
        hits = among.str.contains(pattern.regex)
        if pattern.unless is not None:
            hits = hits & ~among.str.contains(pattern.unless)
        if 0 < hits.sum() >= pattern.share * among.len():
            return pattern.kind
    if _dates_of_birth(sample, now):
        return "dates of birth"
    return "free text" if _sentences(values, sample) else None


def _dates_of_birth(sample: pl.Series, now: datetime) -> bool:
    """Whether values are dates without a clock, as old and as far apart as people are."""
    written = sample.filter(sample.str.len_chars() >= len("1/1/1990")).str.extract(_DATE)
    years: list[int] = written.drop_nulls().cast(pl.Int64).sort().to_list()
    if not years or len(years) < MANY * sample.len():
        return False
    before_records = sum(year < _RECORDS_SINCE for year in years) / len(years)
    tenth = len(years) // 10
    spread = years[-1 - tenth] - years[tenth]
    typical_age = now.year - years[len(years) // 2]
    return before_records > MANY or (spread > _GENERATION_YEARS and typical_age > _ADULT_YEARS)


def _sentences(values: pl.Series, sample: pl.Series) -> bool:
    """Whether long values come in nearly as many kinds as rows: sentences, not a vocabulary."""
    lengths = sample.str.len_chars()
    if (lengths >= _LONG_CHARACTERS).any():
        return True
    long = (sample.str.count_matches(r"\S+") >= _SENTENCE_WORDS) & (lengths >= _SENTENCE_CHARACTERS)
    if long.sum() < max(1.0, FEW * sample.len()):
        return False
    rows = values.str.strip_chars().is_in(sample.filter(long).implode()).sum()
    return 2 * int(long.sum()) > int(rows)
