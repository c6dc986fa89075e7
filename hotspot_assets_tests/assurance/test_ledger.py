from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotspot_assets.assurance import ledger
from hotspot_assets.assurance.ledger import (
    FIELDS,
    Anchor,
    Entry,
    Kind,
    VerificationResult,
    canonical_json,
    entry,
    entry_hash,
    export_line,
    merkle_root,
    verify,
    verify_file,
)

START = datetime(2026, 1, 5, 5, 15, tzinfo=UTC)


def chain(length: int, actor: str = "daily run") -> list[Entry]:
    entries: list[Entry] = []
    for number in range(length):
        previous = entries[-1] if entries else None
        at = START + timedelta(days=number)
        facts = {"rows": number, "root": merkle_root([b"x"] * number), "note": "naïve ✓"}
        entries.append(entry(previous, Kind.COLLECTION, at, actor, f"delivery {number}", facts))
    return entries


def lines(entries: list[Entry]) -> list[str]:
    return [export_line(one) for one in entries]


def broken_at(result: VerificationResult) -> tuple[int, int]:
    assert result.fault is not None
    assert result.entries == result.fault.line - 1
    return result.fault.line, result.fault.sequence


def test_chain_holds_and_names_its_head() -> None:
    entries = chain(5)
    result = verify(lines(entries))
    assert result.holds
    assert (result.entries, result.head) == (5, Anchor(5, entries[-1].hash))
    assert verify([]).holds


def test_entry_is_hashed_as_the_docstring_says() -> None:
    """Rebuilt with json and hashlib alone, so that another language can do it too."""
    at = START.astimezone(timezone(timedelta(hours=2)))
    first = entry(None, Kind.RUN, at, "schedule", "scores", {"b": 1, "a": "é"})
    fields: dict[str, Any] = {
        "format": "hotspot-ledger-1",
        "sequence": 1,
        "kind": "run",
        "happened_at": "2026-01-05T05:15:00.000000Z",
        "actor": "schedule",
        "subject": "scores",
        "facts": '{"a":"é","b":1}',
        "previous_hash": "0" * 64,
    }
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert first.hash == hashlib.sha256(text.encode()).hexdigest()
    del fields["format"]
    assert asdict(first) == {**fields, "hash": first.hash}


class TestTampering:
    """Each thing that can be done to an export is seen, at the first link it breaks."""

    @pytest.mark.parametrize("field", FIELDS)
    @pytest.mark.parametrize("position", [0, 2, 4])
    def test_any_field_of_any_entry(self, field: str, position: int) -> None:
        entries = chain(5)
        value = getattr(entries[position], field)
        other = value + 1 if isinstance(value, int) else value[:-1] + ("1" if value[-1] != "1" else "2")
        entries[position] = replace(entries[position], **{field: other})
        assert broken_at(verify(lines(entries))) == (position + 1, position + 1)

    def test_altered_and_sealed_again_breaks_the_next_link(self) -> None:
        entries = chain(5)
        altered = replace(entries[1], subject="another")
        entries[1] = replace(altered, hash=entry_hash(asdict(altered)))
        assert broken_at(verify(lines(entries))) == (3, 3)

    def test_altered_and_written_anew_to_the_end_is_seen_by_an_anchor(self) -> None:
        honest, anew = chain(5), chain(5, actor="somebody else")
        assert verify(lines(anew)).holds
        anchor = Anchor(3, honest[2].hash)
        result = verify(lines(anew), [anchor])
        assert broken_at(result) == (3, 3)
        assert result.fault is not None and "fork" in result.fault.reason
        assert verify(lines(honest), [anchor, Anchor(5, honest[4].hash)]).holds

    @pytest.mark.parametrize("position", range(4))
    def test_dropped_entry(self, position: int) -> None:
        export = lines(chain(5))
        del export[position]
        assert broken_at(verify(export)) == (position + 1, position + 1)

    def test_cut_end_is_seen_by_an_anchor_and_only_so(self) -> None:
        entries = chain(5)
        assert verify(lines(entries)[:3]).holds
        result = verify(lines(entries)[:3], [Anchor(5, entries[4].hash)])
        assert broken_at(result) == (4, 4)
        assert result.fault is not None and "cut off" in result.fault.reason

    @pytest.mark.parametrize("position", range(4))
    def test_swapped_entries(self, position: int) -> None:
        export = lines(chain(5))
        export[position : position + 2] = export[position : position + 2][::-1]
        assert broken_at(verify(export)) == (position + 1, position + 1)

    def test_entry_put_in(self) -> None:
        entries = chain(5)
        extra = entry(entries[1], Kind.ISSUE, START, "nobody", "nothing", {})
        result = verify(lines([*entries[:2], extra, *entries[2:]]))
        assert broken_at(result) == (4, 4)
        assert result.fault is not None and "second time" in result.fault.reason

    def test_fork_continued_on_the_other_branch(self) -> None:
        entries = chain(3)
        branch = entry(entries[1], Kind.ISSUE, START, "nobody", "nothing", {})
        follower = entry(branch, Kind.ISSUE, START, "nobody", "nothing", {})
        result = verify(lines([*entries, follower]))
        assert broken_at(result) == (4, 4)
        assert result.fault is not None and "does not follow" in result.fault.reason

    @pytest.mark.parametrize(
        "line",
        [
            "",
            "{",
            "[1]",
            "[" * 100_000,
            '{"sequence": 1}',
            export_line(chain(1)[0])[:-1] + ',"hash":"again"}',
            export_line(chain(1)[0])[:-1] + ',"more":"x"}',
            export_line(chain(1)[0]).replace('"sequence":1', '"sequence":true'),
            export_line(chain(1)[0]).replace('"sequence":1', '"sequence":1.0'),
            export_line(chain(1)[0]).replace("daily run", "\\ud800"),
            export_line(chain(1)[0]).replace('"kind":"collection"', '"kind":null'),
        ],
    )
    def test_line_that_is_no_entry(self, line: str) -> None:
        assert broken_at(verify([line])) == (1, 1)

    @pytest.mark.parametrize(
        "facts", ['{"b":1,"a":1}', '{"a": 1}', '{"a":1.5}', '{"a":1,"a":1}', "x", "[" * 50_000]
    )
    def test_facts_that_are_not_canonical_even_if_sealed(self, facts: str) -> None:
        loose = replace(chain(1)[0], facts=facts)
        sealed = replace(loose, hash=entry_hash(asdict(loose)))
        assert broken_at(verify([export_line(sealed)])) == (1, 1)

    @settings(max_examples=200)
    @given(st.data())
    def test_any_one_changed_character_is_seen_or_changes_nothing(self, data: st.DataObject) -> None:
        export = lines(chain(3))
        place = data.draw(st.integers(0, 2))
        text = export[place]
        at = data.draw(st.integers(0, len(text) - 1))
        changed = text[:at] + data.draw(st.characters()) + text[at + 1 :]
        export[place] = changed
        result = verify(export)
        try:
            same = json.loads(changed) == json.loads(text)
        except ValueError:
            same = False
        assert result.holds == same
        if not same:
            assert broken_at(result) == (place + 1, place + 1)


class TestCanonicalJson:
    """One text per value."""

    def test_keys_are_sorted_as_rfc_8785_sorts_them(self) -> None:
        """The example of RFC 8785, section 3.2.3: by UTF-16 code units, not by code points."""
        keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
        ordered = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
        assert list(json.loads(canonical_json(dict.fromkeys(keys)))) == ordered

    def test_text_has_only_the_escapes_json_requires(self) -> None:
        assert canonical_json('\u20ac$\u000f\nA\'B"\\\\"/') == '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'

    def test_nested_values(self) -> None:
        value = {"z": [True, None, -3, {"b": (), "a": ""}], "a": False}
        assert canonical_json(value) == '{"a":false,"z":[true,null,-3,{"a":"","b":[]}]}'

    @pytest.mark.parametrize("value", [1.0, float("nan"), 2**53, {1: 2}, {"a": {1}}, "\ud800", b"x", START])
    def test_what_has_no_one_form_is_refused(self, value: Any) -> None:
        with pytest.raises(ValueError, match="canonical JSON"):
            canonical_json(value)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        )
    )
    def test_reading_and_writing_again_gives_the_same_text(self, value: Any) -> None:
        text = canonical_json(value)
        assert json.loads(text) == value
        assert canonical_json(json.loads(text)) == text


class TestMerkleRoot:
    """Against the reference vectors of certificate transparency and the RFC's own recursion."""

    LEAVES = tuple(
        bytes.fromhex(text)
        for text in (
            *("", "00", "10", "2021", "3031", "40414243", "5051525354555657"),
            "606162636465666768696a6b6c6d6e6f",
        )
    )

    @pytest.mark.parametrize(
        ("leaves", "root"),
        [
            (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
            (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
            (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
        ],
    )
    def test_reference_vectors(self, leaves: int, root: str) -> None:
        assert merkle_root(self.LEAVES[:leaves]) == root

    @given(st.lists(st.binary(max_size=4), min_size=1, max_size=40))
    def test_equals_the_recursion_of_the_rfc(self, leaves: list[bytes]) -> None:
        def root(part: list[bytes]) -> bytes:
            if len(part) == 1:
                return hashlib.sha256(b"\x00" + part[0]).digest()
            split = 1 << (len(part) - 1).bit_length() - 1
            return hashlib.sha256(b"\x01" + root(part[:split]) + root(part[split:])).digest()

        assert merkle_root(iter(leaves)) == root(leaves).hex()


def test_entry_needs_a_zone_and_a_known_kind() -> None:
    with pytest.raises(ValueError, match="zone"):
        entry(None, Kind.RUN, datetime(2026, 1, 1), "a", "b", {})
    with pytest.raises(ValueError, match="gossip"):
        entry(None, "gossip", START, "a", "b", {})  # type: ignore[arg-type]


def test_the_one_file_alone_checks_an_export(tmp_path: Path) -> None:
    """Copied out of the project and run by a Python without site packages."""
    script = tmp_path / "ledger.py"
    script.write_bytes(Path(ledger.__file__).read_bytes())
    entries = chain(3)
    export = tmp_path / "export.jsonl"
    export.write_bytes(("\ufeff" + "\r\n".join(lines(entries)) + "\r\n").encode())

    def run(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-I", "-S", str(script), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    code, said = run(str(export))
    assert code == 0 and "3 entries" in said and entries[-1].hash in said
    code, said = run(str(export), "--anchor", f"2:{'0' * 64}")
    assert code == 1 and "BROKEN at line 2" in said
    assert run(str(tmp_path / "absent"))[0] == 2
    assert run(str(export), "--anchor", "2")[0] == 2
    export.write_bytes(b"\xff\xfe\x00garbage")
    assert run(str(export))[0] == 1
    assert not verify_file(export).holds
