"""The places in Salesforce where words live, one file each."""

from sfsync.sources.attachment import AttachmentSource
from sfsync.sources.call_log import CallLogSource
from sfsync.sources.chat import ChatSource
from sfsync.sources.comment import CommentSource
from sfsync.sources.description import DescriptionSource
from sfsync.sources.email import EmailSource
from sfsync.sources.messaging import MessagingSource
from sfsync.sources.own import reader_of
from sfsync.sources.social import SocialSource
from sfsync.sources.source import Fetched, SourceReader, Watched, merged
from sfsync.sources.voice import VoiceSource

READERS: tuple[SourceReader, ...] = (
    DescriptionSource(),
    EmailSource(),
    CommentSource(),
    MessagingSource(),
    VoiceSource(),
    CallLogSource(),
    AttachmentSource(),
    SocialSource(),
    ChatSource(),
)
"""Those that every org may have; an admin's own come on top (``source_switch.known_readers``)."""

__all__ = ["READERS", "Fetched", "SourceReader", "Watched", "merged", "reader_of"]
