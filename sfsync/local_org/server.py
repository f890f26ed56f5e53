"""The org's front desk: by host and path to the API, the login pages or the local desk."""

from collections.abc import Callable
from dataclasses import replace

from sfsync.local_org.desk import LocalDesk
from sfsync.local_org.errors import Refusal
from sfsync.local_org.faults import HTML_OUTAGE
from sfsync.local_org.moments import http_date
from sfsync.local_org.oauth import TokenOffice, TokenRefused
from sfsync.local_org.rest import RestApi
from sfsync.local_org.state import OrgState
from sfsync.local_org.wire import (
    MOST_BYTES_OF_HEAD,
    Answer,
    Request,
    html_answer,
    json_answer,
)

_NO_STORE = {"Cache-Control": "no-store"}
LOGIN_HOSTS = ("login.salesforce.com", "test.salesforce.com")
_SOAP_FAULT = (
    '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope '
    'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:sf="urn:fault.partner.soap.sforce.com" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><soapenv:Fault>'
    "<faultcode>sf:UNSUPPORTED_API_VERSION</faultcode><faultstring>UNSUPPORTED_API_VERSION: "
    "Invalid Api version specified on URL</faultstring><detail><sf:UnexpectedErrorFault "
    'xsi:type="sf:UnexpectedErrorFault"><sf:exceptionCode>UNSUPPORTED_API_VERSION'
    "</sf:exceptionCode><sf:exceptionMessage>Invalid Api version specified on URL"
    "</sf:exceptionMessage></sf:UnexpectedErrorFault></detail></soapenv:Fault>"
    "</soapenv:Body></soapenv:Envelope>"
)


class FrontDesk:
    """Answers every request of both doors, one at a time."""

    def __init__(
        self, org: OrgState, tokens: TokenOffice, rest: RestApi, desk: LocalDesk
    ) -> None:
        self._org = org
        self._tokens = tokens
        self._rest = rest
        self._desk = desk

    def answer(self, request: Request) -> Answer:
        """Return the answer to a request.

        Raises:
            AnswerLost: the connection is to be cut instead.
        """
        if request.bytes_of_head > MOST_BYTES_OF_HEAD:
            return html_answer("<h1>Bad Message 414</h1><pre>URI Too Long</pre>", 414)
        with self._org.lock:
            self._org.settle()
            answer = self._by_path(request)
            answer.headers.setdefault("Date", http_date(self._org.now()))
            return answer

    def _by_path(self, request: Request) -> Answer:
        path = request.path
        if path.startswith("/local/"):
            return self._desk.answer(request)
        if path == "/services/oauth2/token":
            return self._token(request)
        if path.startswith("/services/Soap/"):
            return Answer(500, _SOAP_FAULT.encode(), {"Content-Type": "text/xml;charset=UTF-8"})
        if path == "/services/oauth2/userinfo":
            return self._guarded(self._who, request)
        if not path.startswith("/services/data") or request.host in LOGIN_HOSTS:
            return html_answer("<html><body>URL No Longer Exists</body></html>", 404)
        answer = self._guarded(self._rest.answer, request)
        answer.headers["Sforce-Limit-Info"] = self._rest.limit_info()
        return replace(answer, seconds=self._org.faults.seconds_of_answer())

    def _guarded(self, handler: Callable[[Request], Answer], request: Request) -> Answer:
        try:
            return handler(request)
        except Refusal as refusal:
            if refusal.message == HTML_OUTAGE:
                return html_answer(HTML_OUTAGE, refusal.status)
            return json_answer(refusal.as_body(), refusal.status)

    def _token(self, request: Request) -> Answer:
        """Answer a token call: an object, also where it refuses; never counted as a call."""
        if request.method != "POST":
            return json_answer({"error": "invalid_request", "error_description": "POST"}, 400)
        return self._guarded(self._issue, request)

    def _issue(self, request: Request) -> Answer:
        self._org.faults.before_login()
        authorization = request.headers.get("authorization", "")
        try:
            body = self._tokens.token_for(request.form, authorization, request.host)
        except TokenRefused as refused:
            return json_answer(refused.as_body(), 400, _NO_STORE)
        return json_answer(body, 200, _NO_STORE)

    def _who(self, request: Request) -> Answer:
        """Answer who the token's user is, as the identity service does."""
        _, _, token = request.headers.get("authorization", "").partition(" ")
        user_id = self._tokens.user_of(token.strip())
        row = self._org.table("User").get(user_id)
        if row is None:
            raise KeyError(user_id)
        return json_answer(
            {
                "user_id": user_id,
                "organization_id": self._org.org_id,
                "preferred_username": row["Username"],
                "name": row["Name"],
                "email": row["Email"],
                "user_type": "STANDARD",
                "active": row["IsActive"],
                "urls": {"rest": f"{self._org.instance_url}/services/data/v{{version}}/"},
            }
        )
