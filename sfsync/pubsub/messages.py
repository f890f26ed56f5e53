"""The messages of ``eventbus.v1`` that a subscriber needs, made from a table.

Names and numbers are those of pubsub_api.proto (forcedotcom/pub-sub-api, version 1). A table in
place of generated code: it works with every protobuf, and there is nothing to generate anew.
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "eventbus.v1"
LATEST, EARLIEST, CUSTOM = 0, 1, 2
"""Where a subscription begins (``ReplayPreset``)."""
MOST_REQUESTED = 100
"""Events that may be outstanding in a subscription."""

SUBSCRIBE, GET_SCHEMA, GET_TOPIC = (
    f"/{PACKAGE}.PubSub/{name}" for name in ("Subscribe", "GetSchema", "GetTopic")
)

_FIELDS = {
    "TopicInfo": (
        (1, "topic_name", "string"),
        (2, "tenant_guid", "string"),
        (3, "can_publish", "bool"),
        (4, "can_subscribe", "bool"),
        (5, "schema_id", "string"),
        (6, "rpc_id", "string"),
    ),
    "TopicRequest": ((1, "topic_name", "string"),),
    "ProducerEvent": ((1, "id", "string"), (2, "schema_id", "string"), (3, "payload", "bytes")),
    "ConsumerEvent": ((1, "event", "ProducerEvent"), (2, "replay_id", "bytes")),
    "FetchRequest": (
        (1, "topic_name", "string"),
        (2, "replay_preset", "ReplayPreset"),
        (3, "replay_id", "bytes"),
        (4, "num_requested", "int32"),
    ),
    "FetchResponse": (
        (1, "events", "repeated ConsumerEvent"),
        (2, "latest_replay_id", "bytes"),
        (3, "rpc_id", "string"),
        (4, "pending_num_requested", "int32"),
    ),
    "SchemaRequest": ((1, "schema_id", "string"),),
    "SchemaInfo": (
        (1, "schema_json", "string"),
        (2, "schema_id", "string"),
        (3, "rpc_id", "string"),
    ),
}
_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "string": _Field.TYPE_STRING,
    "bytes": _Field.TYPE_BYTES,
    "bool": _Field.TYPE_BOOL,
    "int32": _Field.TYPE_INT32,
}


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="contactreason/pubsub_api.proto", package=PACKAGE, syntax="proto3"
    )
    presets = file.enum_type.add(name="ReplayPreset")
    for number, name in enumerate(("LATEST", "EARLIEST", "CUSTOM")):
        presets.value.add(name=name, number=number)
    for message, fields in _FIELDS.items():
        made = file.message_type.add(name=message)
        for number, name, kind in fields:
            _add(made, number, name, kind)
    return file


def _add(message: descriptor_pb2.DescriptorProto, number: int, name: str, kind: str) -> None:
    field = message.field.add(name=name, number=number, label=_Field.LABEL_OPTIONAL)
    if kind.startswith("repeated "):
        field.label, kind = _Field.LABEL_REPEATED, kind.removeprefix("repeated ")
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
        return
    is_enum = kind == "ReplayPreset"
    field.type = _Field.TYPE_ENUM if is_enum else _Field.TYPE_MESSAGE
    field.type_name = f".{PACKAGE}.{kind}"


# A pool of our own: another library in this process may know the same names.
_pool = descriptor_pool.DescriptorPool()
_pool.Add(_file())


def _made(name: str) -> Any:
    return message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))


TopicInfo = _made("TopicInfo")
TopicRequest = _made("TopicRequest")
ProducerEvent = _made("ProducerEvent")
ConsumerEvent = _made("ConsumerEvent")
FetchRequest = _made("FetchRequest")
FetchResponse = _made("FetchResponse")
SchemaRequest = _made("SchemaRequest")
SchemaInfo = _made("SchemaInfo")
