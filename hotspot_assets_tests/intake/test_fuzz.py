"""Files damaged at random: refused or read with every row accounted for, and never a crash.

`pytest -m slow` reads ten thousand of them. The seed of a failure is in its message.
"""

from __future__ import annotations

import gzip
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from hotspot_assets.intake.reading import UnreadableDelivery
from hotspot_assets_tests.intake.deliveries import line, read, table

SEEDS_DEFAULT, SEEDS_SLOW = 300, 10_000

CHICAGO = b"""ID,Case Number,Date,Block,IUCR,Primary Type,Domestic,Latitude,Longitude
1,HX1,03/09/2014 02:30:00 AM,001XX N STATE ST,0820,THEFT,false,41.881234567,-87.612345678
2,HX2,12/31/2014 11:59:00 PM,001XX N STATE ST,610,"BURGLARY",true,36.619446395,-91.686565684
3,HX2,01/01/2014 12:00:00 AM,"A, B",5114,NON - CRIMINAL,false,,
4,HX4,06/15/2014 01:05:00 PM,001XX N STATE ST,031A,NEVER HEARD OF,false,41.9,-87.7
"""
ST_LOUIS = b"""Complaint,CodedMonth,DateOccur,Count,Crime,XCoord,YCoord
14-000001,2014-01,1/2/2014 8:00,1, 51111,907000.5,1017000.2
14-000001,2014-01,1/2/2014 8:00,-1, 51111,907000.5,1017000.2
14-000002,2014-01,3/9/2014 2:30,1,265000,0,0
14-000003,2014-01,12/31/2007 23:59,1,091114,900000,1010000
"""
POLICE_UK = (
    "\ufeff".encode()
    + b"""Crime ID,Month,Longitude,Latitude,Crime type
abc,2014-05,-0.1,51.5,Burglary
abc,2014-05,-0.1,51.5,Burglary
,2014-05,-0.2,51.6,Anti-social behaviour
,2014-05,,,Anti-social behaviour
"""
)
NEW_YORK = b"""incident_id,offence_type,occurred_from,occurred_to,latitude,longitude
1,MOTOR VEHICLE THEFT,2014-03-09T02:30:00,2014-03-09T08:00:00,40.74,-73.86
2,MOTOR VEHICLE THEFT,2014-11-02T01:30:00,,40.741,-73.861
3,MOTOR VEHICLE THEFT,2014-11-02T05:30:00,2014-11-01T05:30:00,40.741,-73.861
"""
CONTRACT = table(*(line(n) for n in range(12)))
ORIGINALS = (CHICAGO, ST_LOUIS, POLICE_UK, NEW_YORK, CONTRACT)

TELLING = (
    *(b'"', b'""', b",", b"\n", b"\r", b"\r\n", b"\x00", b"\xff", b"\xef\xbb\xbf", b";", b"\t", b"'"),
    *(b"nan", b"inf", b"1e999", b"-", b"0", b"99999999999999999999", b"2014-02-30", b"9999-12-31T23:59:59"),
    *(b"0001-01-01", b"24:00", b"+99:00", b"\xe2\x80\xae", b"\xf0\x9f\x9a\x93", b"NULL", b" ", b"#", b"\\"),
)  # fmt: skip


def replaced(content: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(content) + 1)
    return content[:start] + dice.choice(TELLING) + content[start + dice.randrange(6) :]


def flipped(content: bytes, dice: random.Random) -> bytes:
    if not content:
        return content
    at = dice.randrange(len(content))
    return content[:at] + bytes([dice.randrange(256)]) + content[at + 1 :]


def cut(content: bytes, dice: random.Random) -> bytes:
    return content[: dice.randrange(len(content) + 1)]


def doubled(content: bytes, dice: random.Random) -> bytes:
    start, end = sorted(dice.randrange(len(content) + 1) for _ in range(2))
    return content[:end] + content[start:end] * dice.randrange(1, 4) + content[end:]


def lines_shuffled(content: bytes, dice: random.Random) -> bytes:
    header, *lines = content.split(b"\n")
    dice.shuffle(lines)
    return b"\n".join([header, *lines])


def fields_exchanged(content: bytes, dice: random.Random) -> bytes:
    lines = [each.split(b",") for each in content.split(b"\n")]
    for fields in dice.sample(lines, min(3, len(lines))):
        dice.shuffle(fields)
    return b"\n".join(b",".join(fields) for fields in lines)


def packed(content: bytes, dice: random.Random) -> bytes:
    return gzip.compress(content)


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(replaced, replaced, replaced, flipped, cut, doubled),
    *(lines_shuffled, fields_exchanged, packed),
)


def mutated(seed: int) -> bytes:
    dice = random.Random(seed)
    content = dice.choice(ORIGINALS)
    if dice.random() < 0.75:  # leave the header whole, so that the rows are reached
        header, _, rows = content.partition(b"\n")
        return header + b"\n" + damaged(rows, dice)
    return damaged(content, dice)


def damaged(content: bytes, dice: random.Random) -> bytes:
    for _ in range(dice.choice((1, 1, 1, 2, 3, 6))):
        content = dice.choice(MUTATIONS)(content, dice)
    return content


def outcome(folder: Path, seed: int) -> str:
    """`read` accounts for every row and names each line once; anything but a refusal is a failure."""
    content = mutated(seed)
    try:
        delivery = read(folder, content, extent=None)
    except UnreadableDelivery as refusal:
        assert "\n" not in str(refusal) and str(refusal).endswith("."), (seed, str(refusal))
        return "refused"
    except Exception as error:
        raise AssertionError(f"seed {seed}: {error!r} on {content!r}") from error
    return "read in part" if delivery.rejected.height else "read"


def check(folder: Path, seeds: range) -> Counter[str]:
    outcomes = Counter(outcome(folder, seed) for seed in seeds)
    assert outcomes.total() == len(seeds)
    assert min(outcomes[kind] for kind in ("refused", "read", "read in part")) > 0.05 * len(seeds), outcomes
    return outcomes


def test_damaged_files_are_refused_or_accounted_for(tmp_path: Path) -> None:
    check(tmp_path, range(SEEDS_DEFAULT))


def test_damaged_parquet_is_refused_or_accounted_for(tmp_path: Path) -> None:
    path = tmp_path / "whole.parquet"
    pl.read_csv(CONTRACT, infer_schema=False).write_parquet(path)
    whole = path.read_bytes()
    outcomes = Counter[str]()
    for seed in range(100):
        dice = random.Random(seed)
        content = dice.choice((flipped, replaced, cut))(whole, dice)
        try:
            outcomes["read" if read(tmp_path, content, extent=None).rows_read == 12 else "read in part"] += 1
        except UnreadableDelivery:
            outcomes["refused"] += 1
    assert set(outcomes) == {"read", "refused"}, outcomes


@pytest.mark.slow
def test_ten_thousand_damaged_files_are_refused_or_accounted_for(tmp_path: Path) -> None:
    print(check(tmp_path, range(SEEDS_SLOW)))
