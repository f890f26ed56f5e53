#!/usr/bin/env python
"""The commands of Contact Reason."""

import os
import sys
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from contactreason.demo import world

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contactreason.settings")
    try:
        if sys.argv[1:2] == ["demo"]:
            world.enter(Path(__file__).parent)
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))
