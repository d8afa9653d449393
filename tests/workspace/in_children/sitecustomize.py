"""Imported by every child process of these tests at its start: makes toys known."""

import toy_hub
import toy_tasks

toy_tasks.register()
toy_hub.register()
toy_tasks.publish_known_set()
