"""Pictures of a trained scene for people: channels, films and files of them, and a live viewer.

`channels` turns every answer of a `semsplat.field.field.Field` into colours, `films` writes them
from many cameras, `session` and `server` show them in a browser, on this machine alone.
"""
