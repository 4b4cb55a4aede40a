"""Imported for what it does: a signal that whoever started the tests ignores (nohup, a shell's background job) is not
ignored by what they start."""

import signal

signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
