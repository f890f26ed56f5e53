"""Salesforce: the only package that knows a Case exists."""
