"""What is deployed into a real org: fields, permission sets, a layout, as SFDX source."""
