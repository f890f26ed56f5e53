"""The one org this database belongs to, and how far automation may go there."""

from datetime import datetime

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from classifier import leases
from sfsync.cases import ApiUse, OrgIdentity
from sfsync.errors import WrongOrg
from sfsync.field_map import Mode


class Connection(models.Model):
    """The connected org: pinned by its id, with mode, pause switch and scope. One row at most."""

    org_id = models.CharField(max_length=18, blank=True, editable=False)
    org_name = models.CharField(max_length=120, blank=True, editable=False)
    instance_host = models.CharField(max_length=255, blank=True, editable=False)
    user_id = models.CharField(max_length=18, blank=True, editable=False)
    """The integration user: what it wrote is our own echo, what others wrote is a person's word."""
    mode = models.CharField(
        max_length=9,
        choices=Mode,
        default=Mode.SHADOW,
        help_text="The ceiling for every category. A freshly connected org starts in shadow.",
    )
    paused_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Since when all writing is paused."
    )
    scope_record_types = models.JSONField(
        "only these record types",
        default=list,
        blank=True,
        help_text="Developer names; empty: all.",
    )
    scope_origins = models.JSONField(
        "only these origins", default=list, blank=True, help_text="Empty: all."
    )
    scope_queues = models.JSONField(
        "only these queues",
        default=list,
        blank=True,
        help_text="Names of owner queues; empty: all.",
    )
    scope_created_after = models.DateTimeField(
        "only Cases created after", null=True, blank=True
    )
    first_pull_days = models.PositiveSmallIntegerField(
        default=30, help_text="How many days back the first pull begins."
    )
    extra_case_fields = models.JSONField(
        "more Case fields to read",
        default=list,
        blank=True,
        help_text="API names of Case fields that come along as context, for example “Product__c”.",
    )
    automation_users = models.JSONField(
        "users that are automations",
        default=list,
        blank=True,
        help_text=(
            "Usernames or ids of integration users in Salesforce: what they write into the"
            " reason fields is no person's word."
        ),
    )
    org_calls_used = models.PositiveIntegerField(default=0, editable=False)
    org_calls_allowed = models.PositiveIntegerField(default=0, editable=False)
    """All API calls of the org in 24 hours, by whomever, as Salesforce last reported them."""
    org_calls_told_at = models.DateTimeField(null=True, editable=False)
    calls_stopped_until = models.DateTimeField(null=True, editable=False)
    """Set when Salesforce itself refused a call because the org's are used up."""
    calls_wait_until = models.DateTimeField(null=True, editable=False)
    """Set while our own budget refuses calls of some purpose: the last of them is free then."""
    api_share_percent = models.PositiveSmallIntegerField(
        "our share of the org’s API calls, in per cent",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=(
            "So many of the calls that the org may make in any 24 hours are ours at most. Empty:"
            " SALESFORCE_API_SHARE of the environment (0.2 unless set)."
        ),
    )
    connected_at = models.DateTimeField(null=True, editable=False)
    protection_tried_at = models.DateTimeField(null=True, editable=False)
    """When it was last tried out how the org keeps people's words from us (``protection``)."""
    # The database's own defaults, for workers of the version before.
    heeds_conditions = models.BooleanField(default=False, db_default=False, editable=False)
    """Whether a stale condition inside Composite was refused then."""
    guard_mark = models.CharField(
        max_length=80, blank=True, default="", db_default="", editable=False
    )
    """What the guard's flow wrote then; empty: it did not run."""
    guard_was_there = models.BooleanField(default=False, db_default=False, editable=False)
    """Whether the field of its mark was there then."""

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(id=1), name="there_is_one_connection"),
        )

    def __str__(self) -> str:
        return self.org_name or self.org_id or "not connected yet"

    @property
    def api_share(self) -> float:
        """The share of the org's API calls that we may make, in (0, 1]."""
        if self.api_share_percent is None:
            return float(settings.SALESFORCE_API_SHARE)
        return self.api_share_percent / 100

    @classmethod
    def current(cls) -> "Connection":
        """Return the one connection, made in shadow mode when there is none yet."""
        connection, _ = cls.objects.get_or_create(id=1)
        return connection

    @classmethod
    def pin(cls, identity: OrgIdentity) -> "Connection":
        """Return the connection, pinned to this org by the first call ever.

        Asked before every pull and every push, so that a copy of this database restored
        elsewhere cannot write to an org that is not its own.

        Raises:
            WrongOrg: this database belongs to another org.
        """
        connection = cls.current()
        cls.objects.filter(id=connection.id, org_id="").update(
            org_id=identity.org_id, connected_at=leases.now()
        )
        connection.refresh_from_db()
        if connection.org_id != identity.org_id:
            raise WrongOrg(pinned=connection.org_id, met=identity.org_id)
        connection.keep_names(identity)
        return connection

    @classmethod
    def note_api_use(cls, use: ApiUse, at: datetime) -> None:
        """Remember what Salesforce said at ``at`` of the org's own allowance."""
        cls.objects.filter(id=1).update(
            org_calls_used=use.used, org_calls_allowed=use.allowed, org_calls_told_at=at
        )

    def keep_names(self, identity: OrgIdentity) -> None:
        """Store what the org calls itself and us, where that has changed."""
        named = {
            "org_name": identity.org_name,
            "instance_host": identity.instance_host,
            "user_id": identity.user_id,
        }
        if any(getattr(self, name) != value for name, value in named.items()):
            for name, value in named.items():
                setattr(self, name, value)
            self.save(update_fields=list(named))
