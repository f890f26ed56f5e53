"""A Salesforce org for one machine: the real wire, made-up people, no licence needed.

It exists for tests, the demo and trying things out, and is never deployed. Start with
``LocalOrg`` in ``org``; reach it over HTTP (``http_door``) or in-process (``door``).
"""
