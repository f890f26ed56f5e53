"""What the tables promise: one notice per cause, one org, watermarks that never go back."""

from datetime import UTC, datetime, timedelta

import pytest

from classifier import leases
from sfsync.calls import Purpose
from sfsync.cases import ApiUse, OrgIdentity
from sfsync.errors import WrongOrg
from sfsync.models import ApiSpending, CaseLink, Connection, Mode, Notice, Source, Watermark

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OURS = OrgIdentity("00D000000000001AAA", "Acme", "005000000000001AAA", "acme.my.host", False)
A_CASE, ANOTHER = "500000000000001AAA", "500000000000002AAA"


def raise_notice(text: str = "The key is wrong.", at: datetime = NOON) -> None:
    Notice.raise_for("login", Notice.Level.ERROR, text, at)


def test_the_same_cause_makes_one_notice_that_counts():
    raise_notice()
    raise_notice("The key is still wrong.", NOON + MINUTE)

    notice = Notice.objects.get()
    assert (notice.count, notice.text) == (2, "The key is still wrong.")
    assert (notice.first_at, notice.last_at) == (NOON, NOON + MINUTE)


def test_a_cause_that_comes_back_makes_a_new_notice():
    raise_notice()
    Notice.clear("login", NOON + MINUTE)
    raise_notice(at=NOON + 2 * MINUTE)

    assert Notice.objects.count() == 2
    assert Notice.objects.get(cleared_at=None).count == 1


def test_clearing_what_is_not_open_changes_nothing():
    raise_notice()
    Notice.clear("login", NOON + MINUTE)
    Notice.clear("login", NOON + 2 * MINUTE)
    Notice.clear("other", NOON)

    assert Notice.objects.get().cleared_at == NOON + MINUTE


def test_the_first_org_is_pinned_in_shadow_mode():
    connection = Connection.pin(OURS)

    assert (connection.org_id, connection.mode) == (OURS.org_id, Mode.SHADOW)
    assert connection.instance_host == "acme.my.host"


def test_another_org_is_refused_and_changes_nothing():
    Connection.pin(OURS)
    other = OrgIdentity("00D000000000002AAA", "Other", "005", "other.host", True)

    with pytest.raises(WrongOrg) as caught:
        Connection.pin(other)

    assert OURS.org_id in str(caught.value)
    assert Connection.current().org_name == "Acme"


def test_our_org_may_move_and_be_renamed():
    Connection.pin(OURS)

    Connection.pin(OrgIdentity(OURS.org_id, "Acme Ltd", "005X", "new.host", False))

    connection = Connection.current()
    assert (connection.org_name, connection.user_id) == ("Acme Ltd", "005X")
    assert connection.instance_host == "new.host"


def test_the_orgs_own_use_is_kept():
    Connection.current()
    Connection.note_api_use(ApiUse(18, 15_000), leases.now())

    connection = Connection.current()
    assert (connection.org_calls_used, connection.org_calls_allowed) == (18, 15_000)


def test_calls_of_a_slot_and_purpose_add_up():
    slot = datetime(2026, 3, 2, 12, 5, tzinfo=UTC)
    firsts = [ApiSpending.add(slot, Purpose.SCAN, 3), ApiSpending.add(slot, Purpose.SCAN)]
    firsts.append(ApiSpending.add(slot, Purpose.WRITE))

    assert firsts == [True, False, True]
    found = ApiSpending.objects.order_by("purpose").values_list("purpose", "calls")
    assert list(found) == [("scan", 4), ("write", 1)]


def claim() -> Watermark:
    watermark = Watermark.claim("Case")
    assert watermark is not None
    return watermark


def test_a_watermark_is_held_by_one_at_a_time():
    held = claim()

    assert Watermark.claim("Case") is None
    assert Watermark.claim("EmailMessage") is not None
    held.release()
    assert Watermark.claim("Case") is not None


def test_a_watermark_never_moves_back():
    held = claim()
    held.advance(NOON, seen={}, at=NOON)
    held.advance(NOON - MINUTE, seen={"a": "b"}, at=NOON)

    watermark = Watermark.objects.get()
    assert (watermark.covered_until, watermark.seen) == (NOON, {"a": "b"})


def test_who_lost_the_watermark_moves_nothing():
    late = claim()
    Watermark.objects.update(leased_until=leases.now() - MINUTE)
    claim()

    late.advance(NOON, seen={}, at=NOON)
    late.advance_deleted(NOON, at=NOON)

    watermark = Watermark.objects.get()
    assert (watermark.covered_until, watermark.deleted_until) == (None, None)
    assert watermark.lease_token is not None


def test_a_case_becomes_due_once_and_keeps_its_place():
    CaseLink.objects.mark_due([A_CASE, A_CASE], NOON)
    CaseLink.objects.mark_due([A_CASE, ANOTHER], NOON + MINUTE)

    due = CaseLink.objects.due(NOON + MINUTE)
    assert [(link.case_id, link.read_due_at) for link in due] == [
        (A_CASE, NOON),
        (ANOTHER, NOON + MINUTE),
    ]


def test_a_case_put_off_is_due_at_once_when_it_changes():
    CaseLink.objects.create(case_id=A_CASE, read_due_at=NOON + 60 * MINUTE)

    CaseLink.objects.mark_due([A_CASE], NOON)

    assert CaseLink.objects.get().read_due_at == NOON


def test_a_case_that_comes_back_from_the_bin_is_due_again():
    CaseLink.objects.mark_due([A_CASE], NOON)
    assert CaseLink.objects.mark_gone([A_CASE, ANOTHER], NOON) == 1
    assert not CaseLink.objects.due(NOON).exists()

    CaseLink.objects.mark_due([A_CASE], NOON)

    assert CaseLink.objects.due(NOON).exists()
    assert CaseLink.objects.get().gone_at is None


def test_thousands_of_cases_are_marked_in_portions():
    ids = [f"500{number:012d}AAA" for number in range(2_500)]

    CaseLink.objects.mark_due(ids, NOON)

    assert CaseLink.objects.due(NOON).count() == 2_500


def test_the_sources_are_there_from_the_start():
    assert set(Source.objects.values_list("code", "is_enabled")) == {
        ("description", True),
        ("email", True),
        ("comment", True),
        ("messaging", True),
        ("voice", True),
        ("call_log", True),
        ("attachment", True),
        ("social", True),
        ("chat", True),
    }
