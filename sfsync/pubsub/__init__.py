"""Salesforce's Pub/Sub API as a subscriber needs it. Imported only where its packages are there."""
