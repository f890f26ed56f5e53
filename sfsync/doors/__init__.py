"""Doors that Salesforce knocks at: what comes in is a hint, and makes the next read come sooner."""
