"""Errors that a person can mend.

Belongs here: the base class of every error caused by input, settings or use. Its message says what is
wrong, where, and what to do; the command line prints it alone, without a traceback, and exits non-zero.
Not here: programming errors, which keep their traceback.
"""

from __future__ import annotations


class UserError(Exception):
    """Something a user, an operator or a file got wrong; `str()` of it is fit to be shown as it stands."""
