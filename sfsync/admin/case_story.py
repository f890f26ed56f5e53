"""A Case's story on its page: its way through the trays, and what happened to it in Salesforce."""

from collections.abc import Mapping, Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from classifier.admin.base import ago, badge, spell
from sfsync.case_trace import Step
from sfsync.models import CaseEvent, CaseLink

EVENTS_SHOWN = 50
Kind = CaseEvent.Kind
FOLLOWS = {
    Kind.DELETED: "Nothing is written any more. Words and decisions stay until they are erased;"
    " out of the recycle bin, it goes on.",
    Kind.MERGED: "Nothing is written here any more. The other Case is read again, with the e-mails"
    " and comments that came to it.",
    Kind.UNSEEN: "Nothing is written any more. Share the Case with the integration user if it"
    " should be.",
    Kind.RETURNED: "What was decided stands, and is written if it was not yet.",
    Kind.REOPENED: "Earlier decisions are kept; only new words of the customer are decided on.",
    Kind.OWNER: "The reason stays. Whether it may be written follows the new owner’s queue, where"
    " the scope names queues.",
    Kind.AUTOMATION: "Left alone like a person’s word, but not learnt from.",
}


def shown_way(steps: Sequence[Step]) -> SafeString | str:
    """Return the stations passed, how long each was waited for, and where it waits now."""
    rows = [
        (
            step.words,
            badge("waits for this", "warn") if step.waits_here else ago(step.at),
            "–" if step.waited is None else spell(step.waited),
        )
        for step in steps
        if step.at or step.waits_here
    ]
    if not rows:
        return "Nothing was read of it yet."
    return _table(("Station", "When", "Waited for it"), rows)


def shown_events(case: CaseLink) -> SafeString | str:
    """Return what happened to a Case, newest first, and what follows from each."""
    happened = list(case.events.all()[:EVENTS_SHOWN])
    if not happened:
        return "Nothing but words."
    masters = CaseLink.numbers_of([one.detail for one in happened if one.kind == Kind.MERGED])
    rows = [
        (_told(event, masters), ago(event.at), FOLLOWS[Kind(event.kind)]) for event in happened
    ]
    return _table(("What", "When", "What follows"), rows)


def _told(event: CaseEvent, masters: Mapping[str, str]) -> str:
    if event.kind == Kind.MERGED:
        return f"Merged into Case {masters.get(event.detail) or event.detail}"
    told = event.get_kind_display()
    return f"{told}: {event.detail}" if event.detail else told


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> SafeString:
    return format_html(
        '<div class="cr-scroll"><table class="cr-facts"><tr>{}</tr>{}</table></div>',
        format_html_join("", "<th>{}</th>", ((head,) for head in heads)),
        format_html_join("", "<tr><th>{}</th><td>{}</td><td>{}</td></tr>", rows),
    )
