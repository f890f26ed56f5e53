"""The places in Salesforce where words live, one file each."""

from sfsync.sources.comment import CommentSource
from sfsync.sources.description import DescriptionSource
from sfsync.sources.email import EmailSource
from sfsync.sources.messaging import MessagingSource
from sfsync.sources.source import Fetched, SourceReader, merged

READERS: tuple[SourceReader, ...] = (
    DescriptionSource(),
    EmailSource(),
    CommentSource(),
    MessagingSource(),
)

__all__ = ["READERS", "Fetched", "SourceReader", "merged"]
