"""Imported by every child process of these tests at its start: makes the toy method known."""

import toy_tasks

toy_tasks.register()
