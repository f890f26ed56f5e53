"""People in the org: representatives who work on Cases, customers who write again.

They act as in the user interface: no field-level security, but the same checks, history and
commit delay as everybody. Who acts, where nobody is named, is drawn from the org's seed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from sfsync.local_org import chats, feed, files
from sfsync.local_org.errors import not_found
from sfsync.local_org.founding import CUSTOMERS
from sfsync.local_org.records import Record, Said
from sfsync.local_org.state import Change, ConversationEntry, OrgState
from sfsync.local_org.tables import Row
from sfsync.local_org.talks import ROLES, entry
from sfsync.local_org.writing import CLOSED_STATUS, Transaction, Writer, existing

REASON, SUGGESTION = "Contact_Reason__c", "Contact_Reason_Suggestion__c"
SUPPORT_ADDRESS = "support@acme.example"
SAYINGS = (
    "Any news on this?",
    "Thank you, that helped.",
    "This is still not solved, please look again.",
    "One more question about the same matter.",
)


@dataclass(slots=True)
class People:
    """What people do to Cases of one org."""

    org: OrgState
    dice: Random = field(default_factory=lambda: Random(0))

    # Representatives

    def edit_case(self, case_id: str, fields: Mapping[str, object], by: str = "") -> None:
        """Let a representative change fields of a Case.

        ``by`` is a user's name or id; empty: one of the representatives.

        Raises:
            Refusal: the Case is gone, or a value does not fit.
        """
        with self.org.lock:
            transaction = Transaction(self.org, self._writer(by))
            transaction.update(self.org.sobject("Case"), case_id, fields)
            transaction.commit()

    def change_reason(self, case_id: str, reason: str, by: str = "") -> None:
        """Let a representative choose another contact reason; empty takes it away."""
        self.edit_case(case_id, {REASON: reason or None}, by)

    def confirm_reason(self, case_id: str, by: str = "") -> None:
        """Let a representative take the reason that was suggested for the Case.

        Raises:
            ValueError: nothing is suggested, or it stands there already: then a person who
                agrees leaves no trace in Salesforce but closing the Case.
        """
        case = existing(self.org, self.org.sobject("Case"), case_id)
        suggested = case.get(SUGGESTION)
        if not suggested or suggested == case.get(REASON):
            raise ValueError(f"Case {case_id} has no suggestion that somebody could take")
        self.edit_case(case_id, {REASON: suggested}, by)

    def close_case(self, case_id: str, by: str = "") -> None:
        """Let a representative close a Case."""
        self.edit_case(case_id, {"Status": CLOSED_STATUS}, by)

    def delete_case(self, case_id: str, by: str = "") -> None:
        """Let a representative delete a Case, its comments and e-mails with it."""
        with self.org.lock:
            transaction = Transaction(self.org, self._writer(by))
            transaction.delete(self.org.sobject("Case"), case_id)
            transaction.commit()

    def undelete_case(self, case_id: str, by: str = "") -> None:
        """Let a representative take a Case back out of the recycle bin."""
        with self.org.lock:
            transaction = Transaction(self.org, self._writer(by))
            transaction.undelete(self.org.sobject("Case"), case_id)
            transaction.commit()

    def merge_cases(self, master_id: str, *case_ids: str, by: str = "") -> None:
        """Let a representative merge Cases into one, which keeps their e-mails and comments."""
        with self.org.lock:
            transaction = Transaction(self.org, self._writer(by))
            transaction.merge(self.org.sobject("Case"), master_id, case_ids)
            transaction.commit()

    def reopen_case(self, case_id: str, by: str = "") -> None:
        """Let a representative work on a closed Case again."""
        self.edit_case(case_id, {"Status": "Working"}, by)

    def change_owner(self, case_id: str, owner: str, by: str = "") -> None:
        """Give a Case to a queue or a person, by name.

        Raises:
            KeyError: the org has neither of that name.
        """
        for sobject in ("Group", "User"):
            for row in self.org.table(sobject):
                if row["Name"] == owner:
                    self.edit_case(case_id, {"OwnerId": row["Id"]}, by)
                    return
        raise KeyError(owner)

    def reply(self, case_id: str, text: str, by: str = "") -> str:
        """Let a representative answer by e-mail; return the EmailMessage's id."""
        return self._email(case_id, text, self._writer(by), is_incoming=False)

    def comment(self, case_id: str, text: str, by: str = "") -> str:
        """Let a representative write a comment; return its id."""
        return self._comment(case_id, text, self._writer(by))

    # Customers

    def customer_emails(self, case_id: str, text: str) -> str:
        """Let the customer write an e-mail; return the EmailMessage's id.

        Mail comes in through a service, so it is the automation user who makes the row.
        """
        writer = Writer(self.org.founders.automation)
        return self._email(case_id, text, writer, is_incoming=True)

    def customer_comments(self, case_id: str, text: str) -> str:
        """Let the customer write in the portal; return the CaseComment's id."""
        return self._comment(case_id, text, Writer(self._portal_user(case_id)))

    def customer_messages(self, case_id: str, text: str) -> str:
        """Let the customer write in the messenger; return the MessagingSession's id."""
        return self.exchange_messages(case_id, [Said("customer", text)])

    def exchange_messages(self, case_id: str, turns: Sequence[Said]) -> str:
        """Let both sides write in the messenger; return the MessagingSession's id.

        The messages join the Case's last session, and the session's row is touched; a Case
        without one gets a session of its own.
        """
        with self.org.lock:
            session_id = self._session_of(case_id) or self._new_session(case_id)
            session = existing(self.org, self.org.sobject("MessagingSession"), session_id)
            now = self.org.now()
            self._update("MessagingSession", session_id, {"Status": "Ended"})
            entries = self._entries_of(session)
            for turn in turns:
                latest = max((one.at for one in entries), default=now)
                at = max(now, latest + timedelta(milliseconds=1))
                role = ROLES.get(turn.speaker, "System")
                entries.append(entry(self.dice, role, turn.text, at, session_id))
            return session_id

    def chat_on(self, case_id: str, turns: Sequence[Said]) -> str:
        """Let both sides go on in the Case's last chat; return the LiveChatTranscript's id."""
        with self.org.lock:
            found = self.org.table("LiveChatTranscript").find("CaseId", [case_id])
            if not found:
                return self.hear_more(case_id, turns, "chat")
            chat, now = found[-1], self.org.now()
            body, began = str(chat["Body"] or ""), chat["StartTime"]
            since = now - began if isinstance(began, datetime) else timedelta(0)
            for turn in turns:
                is_customer = turn.speaker == "customer"
                name = chats.VISITOR if is_customer else chats.agent_of(body)
                body = chats.goes_on(body, name, turn.text, since)
            changed: Row = {"Body": body, "EndTime": now.isoformat()}
            self._update("LiveChatTranscript", str(chat["Id"]), changed)
            return str(chat["Id"])

    # Calls and files

    def hear_more(self, case_id: str, turns: Sequence[Said], channel: str) -> str:
        """Let words come in by another chat, call, post …; return the id of their last row.

        Raises:
            KeyError: words of this channel stand in the Case itself.
        """
        with self.org.lock:
            existing(self.org, self.org.sobject("Case"), case_id)
            return feed.add_words(self.org, case_id, turns, channel, self.dice)

    def take_call(self, case_id: str, turns: Sequence[Said]) -> str:
        """Begin a telephone call, in which this is said; return the VoiceCall's id."""
        with self.org.lock:
            return feed.add_words(
                self.org,
                case_id,
                turns,
                "voice",
                self.dice,
                CallStartDateTime=self.org.now(),
                CallEndDateTime=None,
                CallDurationInSeconds=None,
                CallDisposition="in-progress",
            )

    def hang_up(self, call_id: str) -> None:
        """End a telephone call; its words can be read from now on."""
        with self.org.lock:
            call = existing(self.org, self.org.sobject("VoiceCall"), call_id)
            now, began = self.org.now(), call["CallStartDateTime"]
            since = now - began if isinstance(began, datetime) else timedelta(0)
            ended: Row = {
                "CallEndDateTime": now.isoformat(),
                "CallDurationInSeconds": int(since.total_seconds()),
                "CallDisposition": "completed",
            }
            self._update("VoiceCall", call_id, ended)

    def attach(self, case_id: str, title: str, extension: str, content: bytes) -> str:
        """Let a representative attach a file; return the ContentDocument's id."""
        with self.org.lock:
            existing(self.org, self.org.sobject("Case"), case_id)
            draft = feed.draft_now(self.org, case_id, "attachment", self.dice)
            file = files.File(title, extension, content)
            document_id = files.attach(draft, self.org.now(), file)
            self.org.commit_later(feed.attached(draft), ())
            return document_id

    def replace_file(self, document_id: str, content: bytes, by: str = "") -> None:
        """Let a representative upload a new version of a file."""
        with self.org.lock:
            document = existing(self.org, self.org.sobject("ContentDocument"), document_id)
            file = files.File(str(document["Title"]), str(document["FileExtension"]), content)
            user_id = self._writer(by).user_id
            self.org.commit_later(files.new_version(self.org, document, file, user_id), ())

    # Automation

    def automation_edits(self, case_id: str, fields: Mapping[str, object]) -> None:
        """Let a Flow of the org change fields of a Case, in its own name."""
        self.edit_case(case_id, fields, self.org.founders.automation)

    def system_touches(self, case_id: str) -> None:
        """Let automated work move SystemModstamp alone, as a renamed picklist value does."""
        with self.org.lock:
            case = existing(self.org, self.org.sobject("Case"), case_id)
            stamp: Row = {"SystemModstamp": self.org.now()}
            self.org.commit_later([Change("Case", str(case["Id"]), stamp)], ())

    def open_case(self, record: Record) -> str:
        """Let a Case come in just now; return its id."""
        return feed.open_case(self.org, record)

    # Anybody

    def act(self) -> tuple[str, str]:
        """Let somebody do something to some Case; return what, and the Case's id.

        The same seed gives the same doings in the same org.

        Raises:
            Refusal: NOT_FOUND if the org has no Case left.
        """
        with self.org.lock:
            alive = [row for row in self.org.table("Case") if not row["IsDeleted"]]
            if not alive:
                raise not_found()
            case_id = str(self.dice.choice(alive)["Id"])
            deed = self.dice.choice(tuple(_DEEDS))
            _DEEDS[deed](self, case_id, self.dice.choice(SAYINGS))
            return deed, case_id

    # Within

    def _writer(self, by: str) -> Writer:
        if not by:
            return Writer(self.dice.choice(self.org.founders.representatives))
        for row in self.org.table("User"):
            if by in {row["Id"], row["Name"], row["Username"]}:
                return Writer(str(row["Id"]))
        raise KeyError(by)

    def _portal_user(self, case_id: str) -> str:
        name = existing(self.org, self.org.sobject("Case"), case_id).get("SuppliedName")
        place = CUSTOMERS.index(str(name)) if name in CUSTOMERS else 0
        return self.org.founders.portal_users[place]

    def _email(self, case_id: str, text: str, writer: Writer, *, is_incoming: bool) -> str:
        with self.org.lock:
            case = existing(self.org, self.org.sobject("Case"), case_id)
            customer = case.get("SuppliedEmail") or "customer@mail.example"
            ends = (customer, SUPPORT_ADDRESS)
            sender, receiver = ends if is_incoming else ends[::-1]
            return self._insert(
                "EmailMessage",
                writer,
                ParentId=case["Id"],
                Incoming=is_incoming,
                Status="0" if is_incoming else "3",
                FromAddress=sender,
                ToAddress=receiver,
                Subject=f"Re: {case.get('Subject') or 'your request'}",
                TextBody=text,
                MessageDate=self.org.now().isoformat(),
            )

    def _comment(self, case_id: str, text: str, writer: Writer) -> str:
        with self.org.lock:
            case = existing(self.org, self.org.sobject("Case"), case_id)
            return self._insert(
                "CaseComment", writer, ParentId=case["Id"], CommentBody=text, IsPublished=True
            )

    def _insert(self, sobject: str, writer: Writer, **values: object) -> str:
        transaction = Transaction(self.org, writer)
        record_id = transaction.insert(self.org.sobject(sobject), values)
        transaction.commit()
        return record_id

    def _update(self, sobject: str, record_id: str, values: Row) -> None:
        transaction = Transaction(self.org, Writer(self.org.founders.automation))
        transaction.update(self.org.sobject(sobject), record_id, values)
        transaction.commit()

    def _session_of(self, case_id: str) -> str | None:
        rows = self.org.table("MessagingSession").find("CaseId", [case_id])
        return str(rows[-1]["Id"]) if rows else None

    def _new_session(self, case_id: str) -> str:
        return feed.add_words(self.org, case_id, (), "messaging", self.dice)

    def _entries_of(self, session: Row) -> list[ConversationEntry]:
        conversation = self.org.table("Conversation").get(str(session["ConversationId"]))
        if conversation is None:
            raise not_found()
        return self.org.entries[str(conversation["ConversationIdentifier"])]


_DEEDS: dict[str, Callable[[People, str, str], object]] = {
    "edit": lambda people, case_id, _: people.edit_case(
        case_id, {"Priority": people.dice.choice(("High", "Medium", "Low"))}
    ),
    "close": lambda people, case_id, _: people.close_case(case_id),
    "delete": lambda people, case_id, _: people.delete_case(case_id),
    "reply": lambda people, case_id, text: people.reply(case_id, text),
    "comment": lambda people, case_id, text: people.comment(case_id, text),
    "customer_email": lambda people, case_id, text: people.customer_emails(case_id, text),
    "customer_comment": lambda people, case_id, text: people.customer_comments(case_id, text),
    "customer_message": lambda people, case_id, text: people.customer_messages(case_id, text),
}
