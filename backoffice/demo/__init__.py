"""A demo company of our own invention: a furniture workshop in Bamberg, with people for every desk."""
