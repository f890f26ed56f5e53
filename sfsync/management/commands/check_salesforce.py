"""``manage.py check_salesforce``: what works, what is missing, and how to mend it."""

import sys
from dataclasses import asdict
from typing import Any

from classifier import leases
from classifier.commands import ReportingCommand
from sfsync import breaker, checking
from sfsync.checking import Finding, Grade

MARKS = {Grade.GOOD: "ok      ", Grade.NOTE: "note    ", Grade.MISSING: "MISSING "}


class Command(ReportingCommand):
    help = (
        "Tell what works between us and Salesforce, what is missing, and how to mend it. Writes"
        " nothing. Ends with status 1 if something is missing."
    )

    def handle(self, **options: Any) -> None:
        breaker.try_again(leases.now())  # whoever asks has perhaps just mended it
        findings = checking.check()
        for finding in findings:
            self.tell(finding)
        is_ready = checking.is_ready(findings)
        lacking = [finding for finding in findings if finding.grade is Grade.MISSING]
        self.report(
            {"ready": is_ready, "findings": [asdict(finding) for finding in findings]},
            "Salesforce is ready."
            if is_ready
            else f"{len(lacking)} {'thing is' if len(lacking) == 1 else 'things are'} missing.",
        )
        if not is_ready:
            sys.exit(1)

    def tell(self, finding: Finding) -> None:
        style = self.style.ERROR if finding.grade is Grade.MISSING else str
        self.say(style(f"{MARKS[finding.grade]}{finding.sentence}"))
        if finding.remedy:
            self.say(f"          → {finding.remedy}")
