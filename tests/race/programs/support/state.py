"""State that programs share through a module."""

import threading

lock = threading.Lock()
requests = 0
