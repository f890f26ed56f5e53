from datetime import timedelta

import pytest
from lxml import html

from contactreason.door_figures import DoorFigures
from tests import factories as make

pytestmark = pytest.mark.django_db
NOW = make.NOON
YESTERDAY = NOW - timedelta(days=1)
LAST_WEEK = NOW - timedelta(days=8)


def test_a_hint_that_led_to_nothing_is_counted_today_and_in_the_week():
    make.make_ring(heard="missed", received_at=NOW)
    make.make_ring(heard="missed", received_at=YESTERDAY)
    make.make_ring(heard="missed", received_at=LAST_WEEK)
    for heard in ("hint", "earlier", "later", ""):
        make.make_ring(heard=heard)

    figures = DoorFigures.at(NOW)

    assert (figures.missed_today, figures.missed_week) == (1, 2)
    assert figures.is_in_use


def test_what_the_poll_alone_found_is_counted_today_and_in_the_week():
    for found_at in (NOW, YESTERDAY, LAST_WEEK, None):
        make.make_case_link(found_unrung_at=found_at)

    figures = DoorFigures.at(NOW)

    assert (figures.unrung_today, figures.unrung_week) == (1, 2)


def test_the_time_from_ring_to_written_is_the_median_of_the_last_that_rang():
    for seconds, more in ((1, {}), (2, {}), (9, {}), (300, {"handed_at": NOW})):
        link = make.make_case_link()
        make.make_ring(case_id=link.case_id, heard="hint", received_at=NOW)
        make.make_write_back(
            case_link=link,
            staged_at=NOW,
            ended_at=NOW + timedelta(seconds=seconds),
            outcome="delivered",
            **more,
        )
    old = make.make_case_link()
    make.make_write_back(
        case_link=old, staged_at=YESTERDAY, ended_at=YESTERDAY, outcome="delivered"
    )
    make.make_ring(case_id=old.case_id, heard="hint", received_at=NOW)

    assert DoorFigures.at(NOW).seconds_to_written == 2


def test_without_rings_no_door_is_in_use_and_the_first_page_says_how_to_open_one(client):
    client.force_login(make.make_administrator())

    page = html.fromstring(client.get("/admin/").content)

    (doors,) = page.xpath("//section[@aria-labelledby='doors']")
    assert "docs/salesforce-setup.md" in doors.text_content()


def test_the_first_page_leads_to_what_its_figures_count(client):
    client.force_login(make.make_administrator())
    make.make_ring(heard="missed")
    make.make_case_link(found_unrung_at=NOW)

    page = html.fromstring(client.get("/admin/").content)

    for link in page.xpath("//section[@aria-labelledby='doors']//a/@href"):
        rows = html.fromstring(client.get(link).content).xpath(
            "//*[@id='result_list']//tbody/tr"
        )
        assert len(rows) == 1
