"""Measures wall time, and the peak memory of all processes of a program together."""

import os
import subprocess
import threading
import time

import psutil

POLL = 0.1  # seconds between two samples of the memory; more samples would disturb the measurement


class Meter:
    """Watches a process and its descendants while the `with` block lasts."""

    def __init__(self, pid):
        self.process = psutil.Process(pid)
        self.peak = 0  # bytes, resident
        self.cpu = 0.0  # seconds; set by the code that waits for the process
        self.wall = 0.0  # seconds

    def __enter__(self):
        self.running, self.begun = True, time.monotonic()
        self.watcher = threading.Thread(target=self.watch)
        self.watcher.start()
        return self

    def __exit__(self, *_):
        self.wall = time.monotonic() - self.begun
        self.running = False
        self.watcher.join()

    def watch(self):
        while self.running:
            resident = 0
            try:
                for process in [self.process, *self.process.children(recursive=True)]:
                    resident += process.memory_info().rss
            except psutil.NoSuchProcess:
                pass  # one of them has just ended
            self.peak = max(self.peak, resident)
            time.sleep(POLL)


def run(command):
    """Runs a program to its end and measures it."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    with Meter(process.pid) as meter:
        _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{command[0]} failed: {' '.join(map(str, command))}")
    meter.cpu = usage.ru_utime + usage.ru_stime
    return meter
