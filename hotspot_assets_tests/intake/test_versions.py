from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from hotspot_assets.intake.content import NO_CONTENT, VERSION_SCHEMA
from hotspot_assets.intake.knowledge import Completeness
from hotspot_assets.intake.versions import as_known, closings, compare, erasures
from hotspot_assets_tests.intake.rows import DEFAULT_ROW, Lake, accepted, day, facts, row, sum_of_rows

JUNE = Completeness.of_days(date(2014, 6, 1), date(2014, 6, 30), "Europe/London")


def reasons_of(versions: pl.DataFrame, key: str) -> list[str]:
    return list(versions.filter(pl.col("incident_key") == key)["reasons"].item())


def test_new_incident_makes_a_version_with_all_columns() -> None:
    comparison = Lake().take(row("a", status="open"))
    assert dict(comparison.versions.schema) == VERSION_SCHEMA
    version = comparison.versions.row(0, named=True)
    assert version | DEFAULT_ROW | {"status": "open"} == version | {"reversal": False}
    assert (version["line"], version["delivery_seq"], version["source"]) == (2, 1, "force")
    assert (version["reasons"], version["closed"], version["known_from"]) == (["new"], False, day(1))


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        ({"status": "solved"}, ["amended"]),
        ({"latitude": 51.5001}, ["amended", "re-geocoded"]),
        ({"latitude": None, "longitude": None}, ["amended", "re-geocoded"]),
        ({"location_precision": "snapped"}, ["amended", "re-geocoded"]),
        ({"offence_code": "ROBB", "offence_group": "robbery"}, ["amended", "re-classified"]),
        ({"offence_group": "other"}, ["amended", "re-classified"]),
        ({"longitude": 0.0, "offence_code": "X"}, ["amended", "re-geocoded", "re-classified"]),
        *(
            ({name: day(-200)}, ["amended"])
            for name in ("occurred_from", "occurred_to", "reported_at", "recorded_at")
        ),
        *(({name: "other"}, ["amended"]) for name in ("time_precision", "reported_by", "setting")),
    ],
)
def test_every_change_of_content_is_an_amendment_that_says_why(
    change: dict[str, Any], reasons: list[str]
) -> None:
    lake = Lake()
    lake.take(row("a"), row("b"))
    comparison = lake.take(row("a", **change), row("b"))
    assert (comparison.counts.rows_amended, comparison.counts.rows_unchanged) == (1, 1)
    assert comparison.versions["incident_key"].to_list() == ["a"]
    assert reasons_of(comparison.versions, "a") == reasons


def test_what_is_no_content_makes_no_version() -> None:
    lake = Lake()
    lake.take(row("a", modified_at=day(0), latitude=51.931931797))
    again = lake.take(row("b"), row("a", modified_at=day(1), latitude=51.93193179666549))
    assert (again.counts.rows_unchanged, again.versions["incident_key"].to_list()) == (1, ["b"])


def test_repeated_rows_leave_one_version_whatever_their_order() -> None:
    identical = [row("a"), row("a"), row("a")]
    assert Lake().take(*identical).counts.rows_duplicate == 2
    older, newer = row("b", modified_at=day(0), status="old"), row("b", modified_at=day(1), status="new")
    unplaced = row("c", latitude=None, longitude=None)
    mixed = [
        row("a", status="x"),
        row("a", status="y"),
        older,
        newer,
        row("b", status="none"),
        unplaced,
        row("c"),
    ]
    forward, backward = Lake().take(*mixed), Lake().take(*reversed(mixed))
    columns = ["incident_key", "status", "latitude", "content_hash"]
    kept = forward.versions.select(columns).sort(columns)
    assert kept.rows() == backward.versions.select(columns).sort(columns).rows()
    assert kept["status"].to_list()[1:] == ["new", None]
    assert kept["latitude"].to_list()[2] == 51.5
    assert (forward.counts.rows_new, forward.counts.rows_duplicate) == (3, 4)


def test_older_row_never_overwrites_newer_content() -> None:
    lake = Lake()
    lake.take(row("a", modified_at=day(-10), status="second"))
    older = lake.take(row("a", modified_at=day(-20), status="first"))
    timeless = lake.take(row("a", status="first"))
    assert older.counts.rows_outdated == timeless.counts.rows_outdated == 1
    assert older.versions.is_empty() and timeless.versions.is_empty()


def test_without_a_clock_the_last_delivered_counts_and_without_publication_too() -> None:
    lake = Lake()
    lake.take(row("a", status="one"))
    lake.take(row("a", status="two"))
    assert lake.open(["incident_key", "status"]) == [("a", "two")]


def test_publication_time_orders_what_the_source_does_not() -> None:
    lake = Lake()
    lake.take(row("a", status="second"), knowledge="published", published_at=day(-1))
    outdated = lake.take(row("a", status="first"), knowledge="published", published_at=day(-2))
    assert outdated.counts.rows_outdated == 1
    later = lake.take(row("a", status="third"), knowledge="published", published_at=day(0))
    assert later.versions["known_from"].to_list() == [day(0)]


class TestKnowledge:
    """From when versions count."""

    def test_first_load_assumes_the_end_of_occurrence_and_a_lag(self) -> None:
        rows = [
            row("moment"),
            row("range", occurred_to=datetime(2014, 6, 3, 7, tzinfo=UTC)),
            row("inverted", occurred_to=datetime(2014, 6, 1, tzinfo=UTC)),
            row("month", occurred_from=datetime(2014, 5, 31, 23, tzinfo=UTC), time_precision="month"),
            row("future", occurred_from=day(50)),
        ]
        comparison = Lake().take(*rows, first_load=True, assumed_lag=timedelta(days=3))
        assert comparison.versions["known_from"].to_list() == [
            datetime(2014, 6, 5, 12, tzinfo=UTC),
            datetime(2014, 6, 6, 7, tzinfo=UTC),
            datetime(2014, 6, 5, 12, tzinfo=UTC),
            datetime(2014, 7, 3, 23, tzinfo=UTC),
            day(1),  # never after the delivery
        ]
        assert comparison.versions["known_assumed"].all()

    def test_a_first_load_with_a_time_of_publication_assumes_nothing(self) -> None:
        facts = {"first_load": True, "assumed_lag": timedelta(days=3), "knowledge": "published"}
        comparison = Lake().take(row("a"), published_at=day(-1), **facts)
        assert comparison.versions["known_from"].to_list() == [day(-1)]
        assert not comparison.versions["known_assumed"].any()

    def test_only_new_incidents_of_the_first_load_assume(self) -> None:
        lake = Lake()
        load = {"first_load": True, "assumed_lag": timedelta(0)}
        lake.take(row("a"), **load)
        changed = lake.take(row("a", status="x"), **load)
        later = lake.take(row("b"))
        assert changed.versions.select("known_from", "known_assumed").rows() == [(day(2), False)]
        assert later.versions.select("known_from", "known_assumed").rows() == [(day(3), False)]

    def test_recorded_clock_dates_new_rows_changes_and_reversals(self) -> None:
        lake = Lake()
        lake.take(row("a", recorded_at=day(-30)), row("b"), knowledge="recorded")
        change = row("a", recorded_at=day(-30), modified_at=day(-5), status="x")
        lake.take(change, row("c", recorded_at=day(99)), knowledge="recorded")
        lake.take(row("a", reversal=True, recorded_at=day(-2)), knowledge="recorded")
        assert lake.versions.sort("delivery_seq", "incident_key")["known_from"].to_list() == [
            day(-30),
            day(1),  # says nothing: known from the delivery
            day(-5),
            day(2),  # cannot be known after it was delivered
            day(-2),
        ]

    def test_recorded_first_load_assumes_only_where_nothing_is_recorded(self) -> None:
        lake = Lake()
        load = {"first_load": True, "assumed_lag": timedelta(0), "knowledge": "recorded"}
        taken = lake.take(row("a", recorded_at=day(-30)), row("b"), **load)
        assert taken.versions["known_assumed"].to_list() == [False, True]

    def test_known_from_never_goes_back(self) -> None:
        lake = Lake()
        lake.take(row("a", recorded_at=day(0)), knowledge="recorded")
        back = row("a", recorded_at=day(0), modified_at=day(-40), status="x")
        assert lake.take(back, knowledge="recorded").versions["known_from"].to_list() == [day(0)]

    def test_published_needs_its_time(self) -> None:
        with pytest.raises(ValueError, match="published_at"):
            facts(knowledge="published")


class TestDisappearance:
    """What the absence of an incident says."""

    def lake(self, incidents: int = 40) -> Lake:
        lake = Lake()
        lake.take(*(row(f"k{number:03}") for number in range(incidents)))
        return lake

    def test_absence_says_nothing_unless_this_delivery_is_complete(self) -> None:
        lake = self.lake()
        lake.take(row("k000"))
        assert len(lake.open()) == 40

    def test_complete_delivery_closes_what_it_lacks(self) -> None:
        lake = self.lake()
        kept = [row(f"k{number:03}") for number in range(1, 40)]
        comparison = lake.take(*kept, complete_for=JUNE)
        assert (comparison.counts.incidents_vanished, comparison.counts.closings_waiting) == (1, 0)
        tombstone = comparison.versions.row(0, named=True)
        assert (tombstone["reasons"], tombstone["closed"], tombstone["known_from"]) == (
            ["vanished"],
            True,
            day(2),
        )
        assert tombstone["latitude"] == 51.5
        assert len(lake.open()) == 39

    def test_more_than_a_twentieth_waits_for_a_word(self) -> None:
        lake = self.lake()
        kept = [row(f"k{number:03}") for number in range(3, 40)]
        held = compare(accepted(*kept), lake.present(), facts(2, complete_for=JUNE))
        assert (held.counts.incidents_vanished, held.counts.closings_waiting) == (0, 3)
        assert held.versions.is_empty()
        assert sorted(held.waiting["incident_key"]) == ["k000", "k001", "k002"]
        approved = compare(
            accepted(*kept), lake.present(), facts(2, complete_for=JUNE, closing_approved=True)
        )
        assert approved.counts.incidents_vanished == 3
        assert approved.waiting.is_empty()
        assert approved.versions.sort("incident_key").equals(held.waiting.sort("incident_key"))

    def test_exactly_a_twentieth_does_not_wait(self) -> None:
        kept = [row(f"k{number:03}") for number in range(2, 40)]
        assert self.lake().take(*kept, complete_for=JUNE).counts.incidents_vanished == 2

    def test_days_area_and_keys_bound_what_is_declared(self) -> None:
        lake = Lake()
        lake.take(
            row("may", occurred_from=datetime(2014, 5, 31, 22, 59, tzinfo=UTC)),
            row("june", occurred_from=datetime(2014, 5, 31, 23, 0, tzinfo=UTC)),
            row("july", occurred_from=datetime(2014, 6, 30, 23, 0, tzinfo=UTC)),
            row("north", latitude=55.0),
            row("nowhere", latitude=None, longitude=None),
        )

        def closed(**bounds: Any) -> list[str]:
            complete = Completeness.of_days(date(2014, 6, 1), date(2014, 6, 30), "Europe/London", **bounds)
            taken = compare(
                accepted(), lake.present(), facts(2, complete_for=complete, closing_approved=True)
            )
            return sorted(taken.versions["incident_key"])

        assert closed() == ["june", "north", "nowhere"]
        assert closed(extent=(51.0, -1.0, 52.0, 1.0)) == ["june"]
        assert closed(incident_keys=pl.Series(["north", "july"])) == ["north"]

    def test_row_moved_out_of_the_period_has_not_vanished(self) -> None:
        lake = self.lake()
        kept = [row(f"k{number:03}") for number in range(1, 40)]
        moved = row("k000", occurred_from=day(-3))
        assert lake.take(*kept, moved, complete_for=JUNE).counts.incidents_vanished == 0

    def test_vanished_incident_may_come_back(self) -> None:
        lake = self.lake()
        lake.take(*(row(f"k{number:03}") for number in range(1, 40)), complete_for=JUNE)
        back = lake.take(row("k000"))
        assert (back.counts.rows_amended, reasons_of(back.versions, "k000")) == (1, ["amended"])
        assert len(lake.open()) == 40


class TestReversals:
    """Rows that take back an earlier one."""

    def test_reversal_closes_the_incident_with_the_content_it_had(self) -> None:
        lake = Lake()
        lake.take(row("a", status="open"), row("b"))
        taken = lake.take(row("a", reversal=True, latitude=None, longitude=None))
        assert (taken.counts.rows_reversed, taken.counts.reversals_unmatched) == (1, 0)
        tombstone = taken.versions.row(0, named=True)
        assert (tombstone["reasons"], tombstone["closed"], tombstone["latitude"]) == (
            ["reversed"],
            True,
            51.5,
        )
        assert [key for key, *_ in lake.open()] == ["b"]

    def test_reversal_in_the_same_file_whatever_the_order(self) -> None:
        for rows in ([row("a"), row("a", reversal=True)], [row("a", reversal=True), row("a")]):
            lake = Lake()
            taken = lake.take(*rows)
            assert (taken.counts.rows_new, taken.counts.rows_reversed) == (1, 1)
            assert reasons_of(taken.versions, "a") == ["new", "reversed"]
            assert lake.open() == []

    def test_unmatched_reversal_is_kept_and_meets_its_original_later(self) -> None:
        lake = Lake()
        alone = lake.take(row("a", reversal=True))
        assert (alone.counts.rows_reversed, alone.counts.reversals_unmatched) == (1, 1)
        assert alone.versions.select("closed", "content_hash").rows() == [(True, NO_CONTENT)]
        met = lake.take(row("a", status="original"))
        assert (met.counts.rows_new, met.counts.reversals_matched_late) == (1, 1)
        assert met.versions.select("closed", "status").rows() == [(True, "original")]
        assert reasons_of(met.versions, "a") == ["new", "reversed"]
        assert lake.take(row("a", status="original")).counts.rows_unchanged == 1
        assert lake.open() == []

    def test_redelivery_opens_nothing_and_counts_as_unchanged(self) -> None:
        lake = Lake()
        file = [row("a"), row("a", reversal=True), row("b", reversal=True)]
        lake.take(*file)
        again = lake.take(*file)
        assert (again.counts.rows_unchanged, again.versions.height) == (3, 0)

    def test_only_a_row_modified_after_the_reversal_opens_again(self) -> None:
        lake = Lake()
        lake.take(row("a", modified_at=day(-9)))
        lake.take(row("a", reversal=True, modified_at=day(-6)))
        assert lake.take(row("a", modified_at=day(-7), status="x")).versions.is_empty()
        lake.take(row("a", modified_at=day(-5), status="y"))
        assert lake.open(["incident_key", "status"]) == [("a", "y")]
        assert lake.take(row("a", reversal=True, modified_at=day(-6))).counts.rows_unchanged == 1
        assert len(lake.open()) == 1

    def test_reversal_without_a_time_is_final(self) -> None:
        lake = Lake()
        lake.take(row("a", modified_at=day(-9)), row("a", reversal=True))
        lake.take(row("a", modified_at=day(0), status="x"))
        assert lake.open() == []


def test_erased_incident_stays_erased_and_leaves_nothing_but_its_key() -> None:
    lake = Lake()
    lake.take(row("a", status="secret", offence_code="secret"))
    tombstones = erasures(pl.Series(["a"]), "force", 2, day(2))
    assert dict(tombstones.schema) == VERSION_SCHEMA
    assert "secret" not in str(tombstones.rows())
    lake.versions, lake.last = tombstones, 2
    again = lake.take(row("a", modified_at=day(1)), row("a", reversal=True))
    assert (again.counts.rows_unchanged, again.versions.height) == (2, 0)


def test_as_known_takes_both_clocks() -> None:
    lake = Lake()
    lake.take(row("a", status="1"), row("b", status="1"))
    lake.take(row("a", status="2"))
    lake.take(row("b", reversal=True))

    def known(cut_off: datetime, seq: int) -> list[tuple[Any, ...]]:
        found = as_known(lake.versions.lazy(), cut_off, seq).collect()
        return sorted(found.select("incident_key", "status").rows())

    assert known(day(0), 3) == []
    assert known(day(1), 3) == [("a", "1"), ("b", "1")]
    assert known(day(9), 2) == [("a", "2"), ("b", "1")]
    assert known(day(9), 3) == [("a", "2")]
    assert known(day(2), 1) == [("a", "1"), ("b", "1")]


def test_closings_carry_what_they_close() -> None:
    lake = Lake()
    lake.take(row("a", status="x"))
    closed = closings(lake.present(), 7, day(0), "vanished")
    assert closed.select("delivery_seq", "line", "known_from", "closed", "status").rows() == [
        (7, 0, day(1), True, "x")  # not before the version it closes
    ]


def test_known_must_be_last_versions_only() -> None:
    twice = pl.concat([Lake().take(row("a")).versions] * 2)
    with pytest.raises(ValueError, match="last version"):
        compare(accepted(row("a")), twice, facts(2))


def test_empty_delivery_changes_nothing() -> None:
    lake = Lake()
    lake.take(row("a"))
    assert sum_of_rows(lake.take()) == 0


class TestRowsNotTaken:
    """Rows that name an incident and bring no version of it."""

    COMPLETE = Completeness.of_days(date(2014, 5, 1), date(2014, 7, 1), "Europe/London")

    @staticmethod
    def named(key: str, excluded: bool) -> pl.DataFrame:
        return pl.DataFrame({"incident_key": [key], "excluded": [excluded]})

    def test_an_incident_whose_row_is_rejected_has_not_vanished(self) -> None:
        known = compare(accepted(row("a"), row("b")), Lake().present(), facts(1)).versions
        told = facts(2, complete_for=self.COMPLETE, closing_approved=True)
        without = compare(accepted(row("a")), known, told)
        assert without.versions["incident_key"].to_list() == ["b"]
        rejected = compare(accepted(row("a")), known, told, self.named("b", excluded=False))
        assert rejected.versions.is_empty()

    @pytest.mark.parametrize("complete", [None, COMPLETE])
    def test_an_incident_that_is_left_out_by_now_is_closed(self, complete: Completeness | None) -> None:
        known = compare(accepted(row("a"), row("b")), Lake().present(), facts(1)).versions
        told = facts(2, complete_for=complete)
        found = compare(accepted(row("a")), known, told, self.named("b", excluded=True))
        assert found.versions.select("incident_key", "closed", "reasons").rows() == [
            ("b", True, ["re-classified"])
        ]
        assert (found.counts.incidents_excluded, found.counts.incidents_vanished) == (1, 0)

    def test_what_is_also_accepted_or_not_known_is_left_alone(self) -> None:
        known = compare(accepted(row("a")), Lake().present(), facts(1)).versions
        for key in ("a", "stranger"):
            found = compare(accepted(row("a")), known, facts(2), self.named(key, excluded=True))
            assert found.versions.is_empty()
