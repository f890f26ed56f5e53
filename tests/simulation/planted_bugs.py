"""Bugs that somebody might well write, each a small edit of the product's source."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bug:
    """``old`` stands in ``file`` exactly once, and becomes ``new``."""

    name: str
    file: str
    old: str
    new: str


BUGS = (
    Bug(
        "a claim takes rows that others hold",
        "classifier/leases.py",
        "free = Q(leased_until=None) | Q(leased_until__lt=moment)",
        "free = Q(leased_until=None) | Q(leased_until__isnull=False)",
    ),
    Bug(
        "> for <: a claim takes what has not run out, and never what has",
        "classifier/leases.py",
        "Q(leased_until__lt=moment)",
        "Q(leased_until__gt=moment)",
    ),
    Bug(
        "attempts are not counted",
        "classifier/leases.py",
        'attempts=F("attempts") + 1',
        'attempts=F("attempts")',
    ),
    Bug(
        "claims run by this machine's clock",
        "classifier/leases.py",
        "    token = uuid4()\n    moment = now()\n",
        "    token = uuid4()\n    moment = datetime.now(UTC)\n",
    ),
    Bug(
        "a batch decides what others have taken over: the epoch is not looked at",
        "classifier/deciding.py",
        "if epochs.get(row.pk) == row.epoch",
        "if row.pk in epochs",
    ),
    Bug(
        "words are acknowledged before their decision is committed",
        "classifier/deciding.py",
        "    current = serving.current()\n    with leases.kept(rows):",
        "    current = serving.current()\n"
        "    Transcript.objects.filter(pk__in=[row.pk for row in rows]).update(\n"
        "        decided_at=leases.now()\n    )\n"
        "    with leases.kept(rows):",
    ),
    Bug(
        "words that kill their worker are never set aside",
        "classifier/deciding.py",
        "again[0].attempts > MOST_ATTEMPTS else",
        "again[0].attempts > 1000 * MOST_ATTEMPTS else",
    ),
    Bug(
        "new words of a customer wait for no decision",
        "classifier/receiving.py",
        "        return Receipt.CHANGED\n    if MOMENTS",
        "        return Receipt.WORDS_ONLY\n    if MOMENTS",
    ),
    Bug(
        "a watermark moves before its rows are kept",
        "sfsync/finding.py",
        "    CaseLink.objects.mark_due(fresh, leases.now())\n    again_from",
        "    watermark.advance(part.covered_until, seen={}, at=now)\n"
        "    CaseLink.objects.mark_due(fresh, leases.now())\n    again_from",
    ),
    Bug(
        "a watermark moves to now, whatever Salesforce says is covered",
        "sfsync/finding.py",
        "    return Changes(changes.ids, min(changes.covered_until, gateway.now()))",
        "    return Changes(changes.ids, gateway.now())",
    ),
    Bug(
        "a watermark moves under a claim that ran out",
        "sfsync/models/watermark.py",
        "        return Watermark.objects.filter(pk=self.pk, epoch=self.epoch)",
        "        return Watermark.objects.filter(pk=self.pk)",
    ),
    Bug(
        "a watermark goes back",
        "sfsync/models/watermark.py",
        "    return Greatest(Coalesce(field, new), new)",
        "    return Coalesce(new, field)",
    ),
    Bug(
        "deleted Cases count as asked for before they are noted",
        "sfsync/finding.py",
        "    news = CaseLink.objects.still_thought_there(changes.ids)\n",
        "    watermark.advance_deleted(changes.covered_until + OVERLAP, at=leases.now())\n"
        "    news = CaseLink.objects.still_thought_there(changes.ids)\n",
    ),
    Bug(
        "a page that cannot be fetched ends the list",
        "sfsync/gateway.py",
        "                return found\n            except SalesforceError as error:\n"
        "                # Twice in a row without a page between: not the locator's fault.\n"
        "                if error.code not in LOST_LOCATOR or is_resumed:\n"
        "                    raise\n",
        "                return found\n            except SalesforceError as error:\n"
        "                if error.code:\n"
        "                    return found\n",
    ),
    Bug(
        "a change during the reading of a Case is lost",
        "sfsync/models/case_link.py",
        "        mine.filter(read_due_at=self.read_due_at).update(read_due_at=None)",
        "        mine.update(read_due_at=None)",
    ),
    Bug(
        "a Case that is being read keeps its place, and its reader takes the change for done",
        "sfsync/models/case_link.py",
        "waits = Q(read_due_at__lte=at) & (Q(leased_until=None) | Q(leased_until__lt=at))",
        "waits = Q(read_due_at__lte=at)",
    ),
    Bug(
        "a reader whose claim ran out stores what it read",
        "sfsync/models/case_link.py",
        "        mine = CaseLink.objects.filter(pk=self.pk, epoch=self.epoch, gone_at=None)",
        "        mine = CaseLink.objects.filter(pk=self.pk, gone_at=None)",
    ),
    Bug(
        "decisions are stamped as staged before their write-backs are committed",
        "sfsync/staging.py",
        "        decisions = _unstaged(limit)\n",
        "        decisions = _unstaged(limit)\n        _stamp(decisions, leases.now())\n"
        "    with transaction.atomic():\n",
    ),
    Bug(
        "a write whose call gives the token anew goes without its headers",
        "sfsync/transport.py",
        "    def _addressed(\n        self, request: requests.PreparedRequest, parts: SplitResult\n"
        "    ) -> requests.PreparedRequest:\n",
        "    def _addressed(\n        self, request: requests.PreparedRequest, parts: SplitResult\n"
        "    ) -> requests.PreparedRequest:\n"
        "        if self._refused_tokens:\n"
        '            request.headers.pop("Sforce-Auto-Assign", None)\n',
    ),
    Bug(
        "the header that keeps owners is left out",
        "sfsync/transport.py",
        "        self.headers.update(CONSTANT_HEADERS)\n",
        "",
    ),
    Bug(
        "a person's value counts as ours",
        "sfsync/write_plan.py",
        "        return is_same(slot, self.delivered.get(name), value)",
        "        return True",
    ),
    Bug(
        "a person's word does not cede the Case",
        "sfsync/write_plan.py",
        "    if foreign:\n",
        "    if not foreign and foreign:\n",
    ),
    Bug(
        "an attempt without an answer is not read back as ours",
        "sfsync/delivering.py",
        "        found[link].append(sent)\n",
        "        found[link]\n",
    ),
    Bug(
        "what is sent is not noted before the call",
        "sfsync/delivering.py",
        "if mine.update(sent_fields=dict(candidate.send), leased_until=until):",
        "if mine.update(leased_until=until):",
    ),
    Bug(
        "a replaced decision is still sent",
        "sfsync/delivering.py",
        "    return Outcome.SUPERSEDED if row.decision.superseded_at is not None else None",
        "    return None",
    ),
    Bug(
        "what failed is tried again at once",
        "sfsync/pushing.py",
        "        return timedelta(seconds=full * (0.5 + self.chance() / 2))",
        "        return timedelta(seconds=0 * full * self.chance())",
    ),
    Bug(
        "our own writes are heard as a person's word",
        "sfsync/hearing.py",
        "            theirs = [one for one in changes if one.by != self._connection.user_id]",
        "            theirs = list(changes)",
    ),
    Bug(
        "what people change is heard up to now, whatever is still to be committed",
        "sfsync/hearing.py",
        "min([covered_until, *waits, *_complete_until()])",
        "min([covered_until, *waits])",
    ),
    Bug(
        "an outcome under an old claim counts",
        "sfsync/models/write_back.py",
        "        mine = self.filter(pk=row.pk, epoch=row.epoch, lease_token=row.lease_token)\n"
        "        free: dict",
        "        mine = self.filter(pk=row.pk)\n        free: dict",
    ),
    Bug(
        "two writes are under way to one Case",
        "sfsync/models/write_back.py",
        "            .filter(~Exists(under_way))\n",
        "",
    ),
)
