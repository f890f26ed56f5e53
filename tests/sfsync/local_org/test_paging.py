"""Pages are as large as the org likes, and a locator dies with its token."""

import pytest
from simple_salesforce.exceptions import SalesforceExpiredSession, SalesforceMalformedRequest

from sfsync.local_org.records import Record, Said
from sfsync.local_org.schema import Field, Kind

QUERY = "SELECT Id FROM Case ORDER BY Id"


@pytest.fixture
def ids(org):
    return org.load([Record(f"r{n}", (Said("customer", "x"),), "web") for n in range(450)])


def test_a_page_says_how_many_rows_there_are_and_where_the_rest_is(sf, ids):
    sf.session.headers["Sforce-Query-Options"] = "batchSize=200"

    page = sf.query(QUERY)
    rest = sf.query_more(page["nextRecordsUrl"], identifier_is_url=True)

    assert (page["totalSize"], page["done"], len(page["records"])) == (450, False, 200)
    assert page["nextRecordsUrl"].startswith("/services/data/v66.0/query/01g")
    assert page["nextRecordsUrl"].endswith("-200")
    assert (rest["totalSize"], len(rest["records"])) == (450, 200)


def test_the_last_page_has_no_next_one(sf, ids):
    page = sf.query(QUERY)

    assert page["done"] is True
    assert "nextRecordsUrl" not in page


def test_pages_that_shrink_at_random_lose_and_repeat_nothing(sf, org, ids):
    org.faults.shrink_pages(seed=7)

    rows = list(sf.query_all_iter(QUERY))

    assert [row["Id"] for row in rows] == ids
    assert org.ledger.calls["GET query/*"] > 1


def test_two_long_texts_make_pages_small(sf, org, ids):
    names = ("Long_A__c", "Long_B__c")
    org.deploy_fields(Field(name, Kind.TEXTAREA, length=32768) for name in names)
    org.access.grant(org.founders.integration, "Case", names)

    page = sf.query("SELECT Id, Long_A__c, Long_B__c FROM Case")

    assert len(page["records"]) == 200


def test_a_locator_of_another_token_is_refused_for_ever(sf, org, ids):
    org.faults.page_size = 100
    page = sf.query(QUERY)
    org.tokens.revoke_all()

    with pytest.raises((SalesforceExpiredSession, RuntimeError)):
        sf.query_more(page["nextRecordsUrl"], identifier_is_url=True)

    assert sf.query("SELECT COUNT() FROM Case")["totalSize"] == 450


def test_a_locator_nobody_made_is_invalid(sf):
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.query_more("01gHu0000000001AAA-200")

    assert refused.value.content[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_the_oldest_cursor_dies_where_their_number_is_limited(sf, org, ids):
    org.faults.page_size = 100
    org.faults.open_cursors = 10
    pages = [sf.query(QUERY) for _ in range(11)]

    with pytest.raises(SalesforceMalformedRequest):
        sf.query_more(pages[0]["nextRecordsUrl"], identifier_is_url=True)
    rest = sf.query_more(pages[1]["nextRecordsUrl"], identifier_is_url=True)

    assert len(rest["records"]) == 100


def test_a_result_being_read_does_not_change_underneath(sf, org, ids):
    org.faults.page_size = 300
    page = sf.query("SELECT Id, Status FROM Case ORDER BY Id")
    org.people.edit_case(ids[400], {"Status": "Escalated"})

    rest = sf.query_more(page["nextRecordsUrl"], identifier_is_url=True)

    assert rest["records"][100]["Id"] == ids[400]
    assert rest["records"][100]["Status"] != "Escalated"
