"""Who may do what: Django's model permissions, for reading too."""

from rest_framework.permissions import DjangoModelPermissions


class ModelPermissions(DjangoModelPermissions):
    """``view`` to read, ``add`` to post: the same permissions that count in the admin."""

    perms_map = {
        "GET": ["%(app_label)s.view_%(model_name)s"],
        "HEAD": ["%(app_label)s.view_%(model_name)s"],
        "OPTIONS": [],
        "POST": ["%(app_label)s.add_%(model_name)s"],
    }


class MayClassify(DjangoModelPermissions):
    """Classifying stores nothing; whoever may see the categories may ask for them."""

    perms_map = {
        "POST": ["%(app_label)s.view_%(model_name)s"],
        "OPTIONS": [],
    }
