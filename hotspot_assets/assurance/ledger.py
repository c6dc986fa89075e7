"""The ledger's entries, and how anyone can check an export of it.

Belongs here: what an entry is, how entries are chained, and the verifier. Standard library only and no
import from this project: an auditor can copy this one file and run `python ledger.py EXPORT.jsonl`. Not here:
storing entries (the warehouse writes each in the transaction of what it records).

An entry's hash is SHA-256 over the canonical JSON of all its other fields; one of them is the hash of the
entry before (64 zeros for the first). An export has one entry per line, as a JSON object of `FIELDS`.

Canonical JSON is that of RFC 8785 restricted to values that every language writes alike: objects, lists,
strings, true, false, null, and whole numbers up to 2^53 - 1; no fractions (write them as text, or in smaller
units). Keys are sorted by their UTF-16 code units, there is no white space, text is UTF-8 with only the
escapes that JSON requires. `facts` is such JSON within a text field, so that the bytes hashed are kept.

A chain proves that nothing in it was altered, dropped or put in later. It cannot prove that its end was not
cut off or that it was not written anew as a whole: for that, note sequence and hash of an entry elsewhere (on
paper, with another body) and give them to the verifier as an anchor.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

LEDGER_FORMAT = "hotspot-ledger-1"
FIRST_PREVIOUS_HASH = "0" * 64
FIELDS = ("sequence", "kind", "happened_at", "actor", "subject", "facts", "previous_hash", "hash")

_LARGEST_WHOLE = 2**53 - 1


class Kind(StrEnum):
    """What an entry records. The first six are those of section 62 of the Data Protection Act 2018."""

    COLLECTION = "collection"
    ALTERATION = "alteration"
    CONSULTATION = "consultation"
    DISCLOSURE = "disclosure"
    COMBINATION = "combination"
    ERASURE = "erasure"
    RUN = "run"
    PARAMETER_CHANGE = "parameter_change"
    REVIEW = "review"
    ISSUE = "issue"
    WITHDRAWAL = "withdrawal"
    COMMITMENT = "commitment"
    SET_ASIDE = "set_aside"


@dataclass(frozen=True)
class Entry:
    """One entry; the fields are the columns of the table `ledger`.

    Attributes
    ----------
    happened_at
        UTC, as in "2026-01-05T05:15:00.000000Z".
    facts
        Counts and hashes as canonical JSON, never the content of rows.
    """

    sequence: int
    kind: str
    happened_at: str
    actor: str
    subject: str
    facts: str
    previous_hash: str
    hash: str


@dataclass(frozen=True)
class Anchor:
    """An entry's place and hash, noted outside the ledger."""

    sequence: int
    hash: str


@dataclass(frozen=True)
class Fault:
    """The first thing wrong in an export: its line (from 1), the entry expected there, and what is wrong."""

    line: int
    sequence: int
    reason: str


@dataclass(frozen=True)
class VerificationResult:
    """What the verifier found: how many entries hold, the last of them, and the first fault, if any."""

    entries: int
    head: Anchor | None
    fault: Fault | None

    @property
    def holds(self) -> bool:
        """Whether the whole export is an unbroken chain that agrees with the anchors."""
        return self.fault is None

    def summary(self) -> str:
        """The finding in one line."""
        head = f", the last with hash {self.head.hash}" if self.head else ""
        if self.fault is None:
            return f"The chain holds: {self.entries} entries{head}."
        fault = self.fault
        where = f"BROKEN at line {fault.line}, entry {fault.sequence}: {fault.reason}."
        return f"{where} {self.entries} entries before it hold{head}."


def entry(
    previous: Entry | None, kind: Kind, at: datetime, actor: str, subject: str, facts: Mapping[str, Any]
) -> Entry:
    """Make the entry that follows `previous` (None: the first).

    Parameters
    ----------
    at
        Moment with a zone.
    actor, subject
        Who or what did it, in a role or as a run, and what it was done to.
    facts
        Counts, hashes and settings; see the module for the values allowed.

    Raises
    ------
    ValueError
        When `at` has no zone, or `facts` hold a value that has no one canonical form.
    """
    if at.tzinfo is None:
        raise ValueError("an entry's time needs a zone")
    unsealed = Entry(
        sequence=1 if previous is None else previous.sequence + 1,
        kind=Kind(kind).value,
        happened_at=at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        actor=actor,
        subject=subject,
        facts=canonical_json(facts),
        previous_hash=FIRST_PREVIOUS_HASH if previous is None else previous.hash,
        hash="",
    )
    return replace(unsealed, hash=entry_hash(asdict(unsealed)))


def entry_hash(fields: Mapping[str, Any]) -> str:
    """Hash of an entry from its fields (a `hash` among them is left aside)."""
    hashed = {name: fields[name] for name in FIELDS if name != "hash"}
    return hashlib.sha256(canonical_json({"format": LEDGER_FORMAT, **hashed}).encode()).hexdigest()


def canonical_json(value: Any) -> str:
    """The one text of a value; see the module for the rules.

    Raises
    ------
    ValueError
        For fractions, too large numbers, keys that are no text and text that is no Unicode.
    """
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise ValueError("canonical JSON has text as keys only")
        pairs = (f"{_text(key)}:{canonical_json(value[key])}" for key in sorted(value, key=_utf16))
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(canonical_json, value)) + "]"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int):
        if abs(value) > _LARGEST_WHOLE:
            raise ValueError("canonical JSON has whole numbers up to 2^53 - 1 only; write it as text")
        return str(int(value))
    if isinstance(value, str):
        return _text(value)
    raise ValueError(f"canonical JSON has no {type(value).__name__}; write it as text or in whole units")


def merkle_root(leaves: Iterable[bytes]) -> str:
    """Root hash of a sequence of records (RFC 6962, section 2.1): says what was written, not what it was.

    The order of the leaves counts; sort them by their key. No hash of a single record is to be published:
    where there are few possible values, it can be guessed.
    """
    level = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves]
    if not level:
        return hashlib.sha256(b"").hexdigest()
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        odd = level[-1:] if len(level) % 2 else []
        level = [hashlib.sha256(b"\x01" + left + right).digest() for left, right in pairs] + odd
    return level[0].hex()


def export_line(one: Entry) -> str:
    """An entry as a line of an export."""
    return canonical_json(asdict(one))


def verify(export: Iterable[str], anchors: Sequence[Anchor] = ()) -> VerificationResult:
    """Check an export line by line, up to the first fault.

    Parameters
    ----------
    export
        Lines of JSON, the first entry first.
    anchors
        Entries noted elsewhere. Each must be in the chain: without one a cut end cannot be seen.
    """
    head: Anchor | None = None
    number = 0
    for number, line in enumerate(export, start=1):
        fields, reason = _read(line)
        reason = reason or _broken_link(fields, head) or _against_anchors(fields, anchors)
        if reason:
            return VerificationResult(number - 1, head, Fault(number, number, reason))
        head = Anchor(fields["sequence"], fields["hash"])
    beyond = [anchor.sequence for anchor in anchors if anchor.sequence > number]
    if not beyond:
        return VerificationResult(number, head, None)
    reason = f"the export ends before it, but entry {min(beyond)} was noted elsewhere: the end is cut off"
    return VerificationResult(number, head, Fault(number + 1, number + 1, reason))


def verify_file(path: Path, anchors: Sequence[Anchor] = ()) -> VerificationResult:
    """Check an export in a file (UTF-8, one entry per line)."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="\n") as export:
        return verify(export, anchors)


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be", errors="surrogatepass")


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError("canonical JSON has whole Unicode characters only") from error
    return json.dumps(value, ensure_ascii=False)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("a field stands twice")
    return dict(pairs)


def _read(line: str) -> tuple[dict[str, Any], str | None]:
    try:
        fields = json.loads(line, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError):
        return {}, "the line is no JSON"
    if not isinstance(fields, dict) or set(fields) != set(FIELDS):
        return {}, f"the line is no entry with exactly the fields {', '.join(FIELDS)}"
    if type(fields["sequence"]) is not int or not all(isinstance(fields[name], str) for name in FIELDS[1:]):
        return {}, "sequence must be a whole number and the other fields text"
    return fields, None


def _broken_link(fields: dict[str, Any], head: Anchor | None) -> str | None:
    """What breaks the chain between the entry before and this one."""
    sequence, previous = (1, FIRST_PREVIOUS_HASH) if head is None else (head.sequence + 1, head.hash)
    found = fields["sequence"]
    if found != sequence:
        if head is not None and found <= head.sequence:
            return f"entry {found} comes a second time: a fork or a wrong order"
        return f"entry {found} stands where {sequence} must: entries are missing or in a wrong order"
    if fields["previous_hash"] != previous:
        return "it does not follow the entry before: previous_hash is another's"
    try:
        as_hashed = entry_hash(fields)
        canonical = canonical_json(json.loads(fields["facts"])) == fields["facts"]
    except (ValueError, RecursionError):
        return "its facts are no canonical JSON"
    if as_hashed != fields["hash"]:
        return "its content was altered: the hash does not fit"
    return None if canonical else "its facts are no canonical JSON"


def _against_anchors(fields: dict[str, Any], anchors: Sequence[Anchor]) -> str | None:
    noted = {anchor.hash for anchor in anchors if anchor.sequence == fields["sequence"]}
    if noted <= {fields["hash"]}:
        return None
    return "another hash of it was noted elsewhere: a fork, or the chain was written anew"


def _anchor(text: str) -> Anchor:
    sequence, _, digest = text.partition(":")
    if not sequence.isdecimal() or len(digest) != 64:
        raise argparse.ArgumentTypeError(
            "write an anchor as SEQUENCE:HASH, the hash with 64 hexadecimal digits"
        )
    return Anchor(int(sequence), digest.lower())


def main(arguments: Sequence[str] | None = None) -> int:
    """Check a file and print the finding; 0 if the chain holds, 1 if it is broken, 2 if it cannot be read."""
    parser = argparse.ArgumentParser(description="Check an export of the ledger.")
    parser.add_argument("export", type=Path, help="export of the ledger, one JSON object per line")
    parser.add_argument(
        "--anchor", type=_anchor, action="append", default=[], help="SEQUENCE:HASH noted elsewhere"
    )
    given = parser.parse_args(arguments)
    try:
        result = verify_file(given.export, given.anchor)
    except OSError as error:
        print(f"{given.export} cannot be read: {error.strerror}", file=sys.stderr)
        return 2
    print(result.summary())
    return 0 if result.holds else 1


if __name__ == "__main__":
    sys.exit(main())
