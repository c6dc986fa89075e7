"""The report: what it says, what it must not say, and that anybody can read it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import polars as pl
import pytest

from hotspot_assets.trial.report import About, Look, StandIn, html_report, markdown_table
from hotspot_assets.trial.report_sections import signed
from hotspot_assets.trial.results import Measured, TrialResults, trial_results
from hotspot_assets_tests.trial.builders import simulated_outcomes, simulated_results

ABOUT = About(
    title="Twelve months in a made-up city",
    period="2014-05-01 to 2014-06-29",
    study_area="400 cells, 6 km2",
    knowledge="Cut-off 05:00; reconstructed.",
    stand_ins=[
        StandIn("learned", "nothing: this project's default", "METHODS", "–"),
        StandIn("etas", "PredPol", "Mohler et al. 2015", "the product's settings"),
    ],
    looks=[Look("2026-02-01", "analyst", "first look"), Look("2026-02-03", "analyst", "second look")],
)
NEVER = (r"times better", r"\bAUC\b", r"crime (fell|dropped|went down|was reduced)", r"better than PredPol")


class Outline(HTMLParser):
    """Tags with their attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        if not {"style", "title"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def results() -> TrialResults:
    return simulated_results(complete=True)


@pytest.fixture(scope="module")
def page(results: TrialResults) -> str:
    return html_report(results, ABOUT)


def test_the_page_is_well_formed_and_accessible(page: str) -> None:
    outline = Outline(page)
    assert outline.open == []
    count = Counter(tag for tag, _ in outline.tags)
    assert ("html", {"lang": "en"}) in outline.tags
    assert (count["h1"], count["main"], count["title"]) == (1, 1, 1)
    levels = [int(tag[1]) for tag, _ in outline.tags if re.fullmatch(r"h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(attributes.get("alt") for tag, attributes in outline.tags if tag == "img")
    assert count["caption"] == count["table"] > 8
    assert all(attributes.get("scope") in ("col", "row") for tag, attributes in outline.tags if tag == "th")
    assert count["img"] == 3


def test_the_page_needs_nothing_from_elsewhere(page: str) -> None:
    outline = Outline(page)
    assert not {"script", "link", "iframe"} & {tag for tag, _ in outline.tags}
    links = [v for _, attributes in outline.tags for k, v in attributes.items() if k in ("src", "href")]
    assert all(link is not None and link.startswith("data:") for link in links)


def test_every_text_from_outside_is_escaped(results: TrialResults) -> None:
    bad = "<script>alert(1)</script>\"'&"
    about = replace(
        ABOUT,
        title=bad,
        period=bad,
        study_area=bad,
        knowledge=bad,
        stand_ins=[StandIn(bad, bad, bad, bad)],
        looks=[Look(bad, bad, bad)],
    )
    outline = Outline(html_report(results, about))
    assert "script" not in {tag for tag, _ in outline.tags}
    assert outline.text.count("<script>alert(1)</script>") == 11  # heading, 3 facts, 4 and 3 table cells


def test_losses_stand_beside_wins_and_ties_are_named() -> None:
    results = simulated_results({"learned": 0.25, "kde": 0.33, "count_28": 0.15, "etas": 0.25})
    text = Outline(html_report(results, ABOUT)).text
    assert "better in 2, tied in 2, worse in 2 of 6 comparisons" in text
    assert re.search(r"Losses: burglary against kde \(-\d+\.\d points\); theft against kde", text)
    assert re.search(r"Ties: burglary against etas", text)
    assert re.search(
        r"Against the baseline that did best in hindsight: burglary against kde .*: worse\)", text
    )
    assert "burglary against kde" in text


def test_nothing_is_claimed_that_must_not_be(page: str, results: TrialResults) -> None:
    for text in (Outline(page).text, markdown_table(results, ABOUT)):
        for claim in NEVER:
            assert not re.search(claim, text, re.IGNORECASE), claim


def test_a_product_is_named_only_as_what_a_model_stands_in_for(page: str) -> None:
    text = Outline(page).text
    assert text.count("PredPol") == 1
    assert "The product may differ" in text


def test_looks_rule_and_limits_are_on_the_page(page: str) -> None:
    text = Outline(page).text
    for words in ("Looks on record: 2", "second look", "Proposed: learned in place of count_28", "The rule:"):
        assert words in text
    assert "no evidence of an effect on crime" in text


def test_what_was_not_measured_is_said() -> None:
    text = Outline(html_report(simulated_results(), replace(ABOUT, looks=[]))).text
    assert text.count("Not measured in this trial.") == 6
    assert "its own delays are not known" in text
    assert "No look at this period is on record." in text


def test_few_days_make_a_report_without_verdicts() -> None:
    text = Outline(html_report(simulated_results(days=10), ABOUT)).text
    assert "6 comparisons have too few days for a verdict." in text
    assert "Proposed: count_28 stays." in text


def test_the_same_results_give_the_same_page(results: TrialResults, page: str) -> None:
    assert html_report(results, ABOUT) == page


def test_the_markdown_table_has_every_model_and_group(results: TrialResults) -> None:
    lines = markdown_table(results, ABOUT).splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert table[0] == "| Model | Stands in for | burglary | theft |"
    assert len(table) == 2 + len(results.models)
    assert {line.count("|") for line in table} == {5}
    kde = next(line for line in table if line.startswith("| kde"))
    assert re.search(r"\| \d+\.\d / \d+\.\d \(\+\d\.\d, \+\d\.\d to \+\d+\.\d: better\) \|", kde)
    assert any(line.startswith("| etas | PredPol |") for line in table)


def test_markdown_from_outside_cannot_break_the_table(results: TrialResults) -> None:
    about = replace(ABOUT, stand_ins=[StandIn("kde", "a | b\n<i>*c*", "–", "–")])
    assert r"a \| b \<i\>\*c\*" in markdown_table(results, about)


def test_an_offence_group_without_incidents_is_shown_with_dashes() -> None:
    busy = simulated_outcomes({"learned": 0.3, "kde": 0.2}, coverages=(0.01, 0.05))
    quiet = simulated_outcomes(
        {"learned": 0.3, "kde": 0.2}, ("robbery",), coverages=(0.01, 0.05), incidents_per_day=0.0
    )
    results = trial_results(
        Measured(pl.concat([busy, quiet])),
        default_model="learned",
        current_champion="learned",
        eligible=["learned"],
        baselines=["kde"],
    )
    assert "| kde | – |" in markdown_table(results, ABOUT)
    assert "robbery: 0 incidents on 0 days" in Outline(html_report(results, ABOUT)).text


def test_one_model_alone_makes_a_report() -> None:
    results = trial_results(
        Measured(simulated_outcomes({"learned": 0.3})),
        default_model="learned",
        current_champion="learned",
        eligible=["learned"],
        baselines=[],
    )
    assert "0 of 0 comparisons" in Outline(html_report(results, ABOUT)).text


def test_a_difference_of_nothing_has_no_minus() -> None:
    assert [signed(x) for x in (-0.0004, 0.0004, -0.0006)] == ["+0.0", "+0.0", "-0.1"]
