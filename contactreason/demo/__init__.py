"""The demo: a Salesforce org, the web app and the workers on one machine, begun anew each time."""
