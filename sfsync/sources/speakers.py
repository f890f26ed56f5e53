"""Who speaks, told by what a transcript calls them: “Agent”, “Kunde 2”, “客服”, or a name."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from classifier.engine.text import Speaker


def listed(text: str) -> frozenset[str]:
    """Return the words of a text that is written as a list."""
    return frozenset(text.split())


# What the two sides are called in transcripts of phone systems and chats; lower case.
CUSTOMER = listed(
    """customer client caller visitor guest enduser end-user user consumer member shopper patient
    subscriber human kunde kundin anrufer anruferin besucher besucherin gast nutzer cliente usuario
    visitante llamante chiamante utente visitatore utilisateur visiteur appelant klant beller
    bezoeker klient kund 客户 客戶 顾客 顧客 访客 訪客 来电人 來電者 用户 用戶 お客様 顧客様 고객 방문자
    клиент"""
)
REPRESENTATIVE = listed(
    """agent representative rep advisor adviser operator csr supervisor employee consultant associate
    support helpdesk mitarbeiter mitarbeiterin berater beraterin sachbearbeiter agente asesor asesora
    operador operadora operatore conseiller conseillère opérateur medewerker handläggare
    客服 客服人员 客服人員 坐席 座席 专员 專員 客服专员 客服專員 客服代表 人工客服
    オペレーター 担当者 상담원 상담사
    оператор"""
)
BOT = listed(
    """bot chatbot ivr assistant chat-bot voicebot virtualagent virtual-agent ai einstein
    机器人 機器人 智能客服 ボット 챗봇"""
)
NOBODY = listed("system automated recording 系统 系統 system-message")
"""What the machine says about the conversation (“Ann joined”) is nobody's word."""
AFTER_THE_NAME = re.compile(r"\s*[#_\-–]?\s*\d{1,6}$|\s*[(\[（][^()\[\]（）]{0,60}[)\]）]$")
"""“Agent 2”, “Customer (Max)”, “spk_0”: what may follow the word that says who."""
WITH_A_NAME = re.compile(r"\s+[-–—|/]\s+")
A_BOT = re.compile(r"(?i)\b(?:chat|voice)?-?bot\b|virtual\s(?:agent|assistant)|机器人|機器人")


def known(label: str) -> Speaker | None:
    """Return who a label of a transcript means; None: the word alone does not tell."""
    plain = bare(label)
    joined = plain.replace(" ", "").replace("-", "").replace("_", "")
    for words, speaker in (
        (CUSTOMER, Speaker.CUSTOMER),
        (REPRESENTATIVE, Speaker.REPRESENTATIVE),
        (BOT, Speaker.BOT),
    ):
        if plain in words or joined in words:
            return speaker
    return Speaker.BOT if A_BOT.search(plain) else None


def is_nobody(label: str) -> bool:
    """Return whether the label is the machine's own."""
    return bare(label) in NOBODY


def bare(label: str) -> str:
    """Return the label in lower case without numbering and names: “Agent 2 - Ann” is “agent”."""
    first = WITH_A_NAME.split(label.strip(), maxsplit=1)[0]
    return AFTER_THE_NAME.sub("", first).strip().casefold() or label.strip().casefold()


def cast(labels: Iterable[str], customer_names: Iterable[str] = ()) -> Mapping[str, Speaker]:
    """Return label → speaker for the labels of one transcript, without those of nobody.

    ``customer_names`` is what an admin says the customer is called. Where some labels are
    known and others are names, the names are the other side's: beside a customer everybody is
    a representative, beside an “Agent” alone a name is the customer's. Where nobody is known,
    this is no transcript that we understand: the answer is empty.
    """
    spoken = Counter(label for label in labels if label.strip() and not is_nobody(label))
    wanted = {name.strip().casefold() for name in customer_names if name.strip()}
    found: dict[str, Speaker] = {}
    for label in spoken:
        is_named = label.strip().casefold() in wanted or bare(label) in wanted
        speaker = Speaker.CUSTOMER if is_named else known(label)
        if speaker is not None:
            found[label] = speaker
    if not found and not wanted:
        return {}
    sides = set(found.values())
    is_customer_unnamed = Speaker.CUSTOMER not in sides and bool(sides)
    other = Speaker.CUSTOMER if is_customer_unnamed else Speaker.REPRESENTATIVE
    return {label: found.get(label, other) for label in spoken}
