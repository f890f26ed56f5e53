"""The whole loop, put to the real processes: a representative corrects, and the model learns it."""

import random
import re

import pytest
import requests

from tests.journeys.processes.running_demo import RunningDemo

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]
WORDS = {
    "parcel": "my parcel never came and the tracking has not moved since it left the depot",
    "refund": "please give me my money back because the jacket I returned arrived weeks ago",
    "points": "the stamps in my booklet were counted wrong at the till so I got no prize for it",
}
NEW_WORDS = "wallet stars vanished overnight"
"""What customers say of points since there is an app: the first model takes it for a refund."""
CORRECTED, PASSWORD = 24, "correct horse battery staple"


def text(chance, label):
    return f"{label} {' '.join(chance.sample(WORDS[label].split(), 9))}"


def new_text(chance):
    """Words of a refund around something that the model has never heard of."""
    known = " ".join(chance.sample(WORDS["refund"].split(), 9))
    return f"refund {known} {' '.join(chance.sample(NEW_WORDS.split(), 4))}"


def records(chance):
    trained = [
        {"id": f"train-{n}", "text": text(chance, label), "labels": [label], "split": "train"}
        for label in WORDS
        for n in range(40)
    ]
    coming = [
        {"id": f"new-{n}", "text": new_text(chance), "labels": ["points"], "split": "test"}
        for n in range(CORRECTED)
    ]
    plain = [
        {"id": f"plain-{n}", "text": text(chance, label), "labels": [label], "split": "test"}
        for label in WORDS
        for n in range(6)
    ]
    return [{**one, "channel": "web"} for one in (*trained, *coming, *plain)]


class Browser:
    """A person at the web app, as far as forms go."""

    def __init__(self, origin):
        self.origin = origin
        self.session = requests.Session()

    def get(self, path):
        answer = self.session.get(f"{self.origin}{path}", timeout=20)
        assert answer.status_code == 200, answer.status_code
        return answer.text

    def post(self, path, seen_at, **form):
        """Send a form that stands on the page ``seen_at``."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(seen_at))[1]
        answer = self.session.post(
            f"{self.origin}{path}",
            data={"csrfmiddlewaretoken": token, **form},
            headers={"Referer": f"{self.origin}{seen_at}"},
            timeout=20,
        )
        assert answer.status_code == 200, answer.status_code
        return answer.text


@pytest.fixture
def demo(tmp_path):
    demo = RunningDemo(
        tmp_path, records(random.Random(5)), "--port", "8760", "--pull-every", "2"
    )
    yield demo
    demo.stop()


def reasons(demo, threads):
    marks = ", ".join(f"'{thread}'" for thread in threads)
    rows = demo.rows(
        "SELECT thread, code FROM classifier_decision d LEFT JOIN classifier_category c"
        f" ON c.id = d.category_id WHERE d.superseded_at IS NULL AND thread IN ({marks})"
    )
    return dict(rows)


def second_person(origin, administrator):
    """Let the administrator make an account for a colleague, who then signs in."""
    add = "/admin/auth/user/add/"
    administrator.post(
        add,
        add,
        username="grace",
        password1=PASSWORD,
        password2=PASSWORD,
        usable_password="true",
    )
    demo_page = administrator.get("/admin/auth/user/?q=grace")
    pk = re.search(r"/admin/auth/user/(\d+)/change/", demo_page)[1]
    change = f"/admin/auth/user/{pk}/change/"
    joined = re.findall(
        r'name="(date_joined_[01])"[^>]*value="([^"]*)"', administrator.get(change)
    )
    administrator.post(
        change, change, username="grace", is_active="on", is_staff="on", is_superuser="on",
        **dict(joined),
    )  # fmt: skip
    grace = Browser(origin)
    grace.post("/admin/login/", "/admin/login/", username="grace", password=PASSWORD)
    return grace


def test_what_a_representative_corrects_is_learnt_and_the_next_cases_like_it_are_right(demo):
    link = demo.sign_in_link()
    origin = link.split("/admin/")[0]
    org = demo.org()
    about_points = [
        row[0]
        for row in demo.rows(
            "SELECT thread FROM classifier_transcript WHERE purpose = 'decide'"
            " AND superseded_at IS NULL AND turns LIKE '%vanished%'"
        )
    ]
    wrong = [thread for thread, code in reasons(demo, about_points).items() if code == "refund"]
    assert len(wrong) > CORRECTED / 2, "the first model is surely wrong about most of them"

    for thread in wrong:
        org.change_reason(thread, "points", by="Ann Bell")
    written_before = org.ledger()["writes_by_case"]
    demo.wait_until(
        lambda: demo.count("classifier_goldlabel", "source = 'people'") == len(wrong)
    )
    assert set(reasons(demo, wrong).values()) == {"points"}

    ada = Browser(origin)
    ada.get(link.removeprefix(origin))
    grace = second_person(origin, ada)
    models = "/admin/classifier/modelversion/"
    ada.post(f"{models}train/", models)
    demo.wait_until(lambda: demo.count("classifier_comparison", "champion_id IS NOT NULL") == 1)
    ((first, champion), (second, candidate)) = demo.rows(
        "SELECT id, stage FROM classifier_modelversion ORDER BY number"
    )
    assert (champion, candidate) == ("champion", "candidate")
    ((comparison,),) = demo.rows(
        f"SELECT id FROM classifier_comparison WHERE candidate_id = {second}"
    )
    assert "points" in ada.get(f"/admin/classifier/comparison/{comparison}/change/")

    page = f"{models}{second}/change/"
    ada.post(f"{models}{second}/propose/", page)
    ada.post(f"{models}{second}/promote/", models)
    assert demo.count("classifier_modelversion", f"id = {second} AND stage = 'champion'") == 0
    grace.post(f"{models}{second}/promote/", page)
    assert demo.count("classifier_modelversion", f"id = {second} AND stage = 'champion'") == 1
    assert demo.count("classifier_modelversion", f"id = {first} AND stage = 'retired'") == 1

    chance = random.Random(11)
    coming = [
        org.new_case({"id": f"next-{n}", "text": new_text(chance), "channel": "web"})
        for n in range(8)
    ]
    demo.wait_until(lambda: len(reasons(demo, coming)) == len(coming))
    assert set(reasons(demo, coming).values()) == {"points"}
    demo.wait_until(lambda: all(case in org.ledger()["writes_by_case"] for case in coming))

    written_after = org.ledger()["writes_by_case"]
    assert {case: written_after[case] for case in wrong} == {
        case: written_before[case] for case in wrong
    }, "a corrected Case was written to"
