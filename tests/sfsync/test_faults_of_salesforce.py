"""Which test proves what is expected of each fault of Salesforce (F-numbers of the faults' list)."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PROOFS = {
    "F1 no connection: the breaker opens, states stay": (
        "test_breaker.py::test_five_failures_within_a_minute_cut_a_kind_of_call_off",
        "test_breaker.py::test_rows_that_meet_an_open_breaker_wait_and_count_no_attempt",
    ),
    "F6 maintenance: passes, a page in HTML is no answer": (
        "test_transport.py::test_an_answer_that_is_not_salesforces_is_an_outage",
        "test_transport.py::test_a_login_page_in_html_is_an_outage_and_not_a_wrong_password",
        "test_breaker.py::test_reading_goes_on_within_two_minutes_of_healing",
    ),
    "F7 the allowance is spent: nothing is asked, rows wait uncounted": (
        "test_budget.py::test_after_salesforces_own_refusal_nothing_is_asked_for_a_quarter_of_an_hour",
        "pushing/test_failures.py::test_a_spent_allowance_stops_all_calls_for_a_quarter_of_an_hour",
        "pulling/test_reading.py::test_nothing_is_asked_while_the_allowance_is_spent",
    ),
    "F8 slow or crowded: fewer writers, smaller batches, one of ten rows at least": (
        "test_writers.py::test_an_org_that_answers_slowly_is_sent_fewer_rows_at_once",
        "test_writers.py::test_a_crowded_org_halves_at_once_whatever_was_asked",
        "test_writers.py::test_it_never_falls_below_one_writer_of_ten_rows",
    ),
    "F9 the token dies in mid-page: one new login, the same headers, on by key": (
        "test_gateway.py::test_a_session_that_expires_between_two_pages_loses_nothing",
        "test_transport.py::test_constant_headers_reach_every_call_and_survive_a_new_login",
    ),
    "F10 access revoked: one login in five minutes": (
        "test_breaker.py::test_a_refused_login_is_tried_once_in_five_minutes_by_whatever_process",
        "test_breaker.py::test_a_token_that_stays_refused_makes_no_login_storm",
    ),
    "F11 the locator is gone: on from the last key": (
        "test_gateway.py::test_a_locator_that_another_reader_pushed_out_is_begun_again",
    ),
    "F15 too many ids, too long a window: it is split": (
        "test_gateway.py::test_a_window_with_too_many_ids_is_halved",
        "test_gateway.py::test_a_window_of_more_than_30_days_is_asked_in_parts",
    ),
}


@pytest.mark.parametrize("proof", [each for proofs in PROOFS.values() for each in proofs])
def test_what_is_said_to_prove_it_exists(proof):
    path, _, name = proof.partition("::")
    tree = ast.parse((TESTS / path).read_text())

    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
