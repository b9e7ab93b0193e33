"""Runs Kinora's service on loopback, and a server for the photos that it fetches."""

import functools
import http.server
import json
import os
import re
import subprocess
import threading
import urllib.request
from pathlib import Path

import tools

KEY = "bench"


class Service:
    """`kinora serve` with a data directory of its own, while the `with` block lasts."""

    def __init__(self, photos, data):
        """`photos`: the folder that the photos are fetched from. `data`: the data directory."""
        self.data = Path(data)
        handler = functools.partial(Quiet, directory=str(photos))
        self.photos = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)

    def __enter__(self):
        threading.Thread(target=self.photos.serve_forever, daemon=True).start()
        environment = {**os.environ, "API_KEY": KEY, "KINORA_ALLOW_NETWORKS": "127.0.0.0/8",
                       # The same order again is to be made again.
                       "KINORA_CACHE_VIDEOS": "false"}
        self.process = subprocess.Popen(
            [tools.KINORA, "serve", "--bind", "127.0.0.1:0", "--data-dir", self.data],
            env=environment, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if listening := re.search(r"http://127\.0\.0\.1:\d+", line):
                self.address = listening[0]
                break
        else:
            raise SystemExit("kinora serve did not start")
        # Read to the end, so that the service never blocks on a full pipe.
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.photos.shutdown()

    def post(self, photo, **fields):
        """Requests a video, waits for it, and returns its path."""
        url = f"http://127.0.0.1:{self.photos.server_port}/{Path(photo).name}"
        request = urllib.request.Request(
            f"{self.address}/v1/image/convert/video", json.dumps({"image_url": url, **fields}).encode(),
            {"x-api-key": KEY, "content-type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return self.data / "videos" / f"{json.load(answer)['job_id']}.mp4"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass
