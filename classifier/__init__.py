"""Contact reasons: knows texts, categories and people; has never heard of Salesforce."""
