"""Cases are merged, taken out of the recycle bin, reopened and given to others."""

import pytest

from sfsync.local_org.errors import Refusal
from sfsync.local_org.http_door import HttpDoor
from sfsync.local_org.records import Record, Said
from sfsync.local_org.remote import RemoteOrg


@pytest.fixture
def cases(org):
    return [
        org.people.open_case(Record(f"r{number}", (Said("customer", "x"),), "web"))
        for number in range(2)
    ]


def test_a_merged_case_is_in_the_bin_and_names_the_one_that_was_kept(org, sf, cases):
    kept, merged = cases
    email = org.people.customer_emails(merged, "words")

    org.people.merge_cases(kept, merged)

    rows = sf.query_all(
        f"SELECT Id, IsDeleted, MasterRecordId FROM Case WHERE Id = '{merged}'",
        include_deleted=True,
    )["records"]
    assert (rows[0]["IsDeleted"], rows[0]["MasterRecordId"]) == (True, kept)
    assert sf.EmailMessage.get(email)["ParentId"] == kept
    assert sf.query(f"SELECT Id FROM Case WHERE Id = '{merged}'")["totalSize"] == 0


def test_a_case_out_of_the_bin_comes_with_its_children(org, sf, cases):
    case_id = cases[0]
    email = org.people.customer_emails(case_id, "words")
    org.people.delete_case(case_id)

    org.people.undelete_case(case_id)

    assert sf.Case.get(case_id)["IsDeleted"] is False
    assert sf.EmailMessage.get(email)["IsDeleted"] is False


def test_only_what_is_in_the_bin_comes_out_of_it(org, cases):
    with pytest.raises(Refusal, match="recycle bin"):
        org.people.undelete_case(cases[0])


def test_a_master_record_is_never_written_by_the_api(sf, cases):
    described = {field["name"]: field for field in sf.Case.describe()["fields"]}

    assert described["MasterRecordId"]["updateable"] is False


@pytest.mark.enable_socket
def test_people_do_all_this_from_afar(org, sf, cases):
    kept, merged = cases
    with HttpDoor(org) as door:
        remote = RemoteOrg(door.origin)
        remote.merge_cases(kept, merged)
        remote.undelete_case(merged)

    assert sf.Case.get(merged)["MasterRecordId"] is None
