"""Webhooks to a live receiver, beside ten thousand that are pending to receivers that hang or are down.

make bench-webhooks; with --database, on PostgreSQL: an empty database that is this script's to fill.

Every other job is announced to a path that was never sent anything, and the others to one that answers. What is told is
the time from when a job is told as done until its webhook arrives, and what the service takes of a processor.
"""

import argparse
import http.server
import json
import os
import pathlib
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
import urllib.request
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent
KINORA = ROOT / "target/release/kinora"
PHOTO = (ROOT / "samples/dandelion.jpg").read_bytes()
KEY = "key-of-the-bench"
BODY = json.dumps({"job_id": "earlier", "message": "x" * 600}).encode()
HANGING_HOSTS = 200
EACH = 2500


class Receiver(http.server.BaseHTTPRequestHandler):
    """Serves the photo, remembers webhooks, and hangs below /hang."""

    protocol_version = "HTTP/1.1"
    arrived: dict[str, float] = {}

    def log_message(self, *_):
        pass

    def answer(self, body):
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(PHOTO)

    def do_POST(self):
        told = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path.startswith("/hang"):
            time.sleep(60)
        else:
            self.arrived.setdefault(told["job_id"], time.monotonic())
            self.answer(b"")


def serve():
    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 1024

    server = Server(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"127.0.0.1:{server.server_address[1]}"


def silent_hosts():
    """Ports that take connections and say nothing. Their backlogs hold what comes."""
    sockets = []
    for _ in range(HANGING_HOSTS):
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(256)
        sockets.append(listener)
    return sockets


def closed_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Service:
    def __init__(self, home, database):
        self.home = pathlib.Path(home)
        self.database = database
        self.process = None
        self.base = ""

    def start(self):
        variables = dict(
            os.environ,
            API_KEY=KEY,
            KINORA_BIND="127.0.0.1:0",
            KINORA_ALLOW_NETWORKS="127.0.0.0/8",
            KINORA_CACHE_VIDEOS="false",
            KINORA_WORKERS="1",
            KINORA_WEBHOOK_SECRET="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        )
        if self.database:
            variables["DATABASE_URL"] = self.database
            variables["KINORA_STORAGE_URL"] = f"file://{self.home}/videos"
        with open(self.home / "log", "w") as log:
            self.process = subprocess.Popen(
                [KINORA, "serve"], cwd=self.home, env=variables, stderr=log, stdout=log
            )
        deadline = time.monotonic() + 30
        while "listening on " not in (self.home / "log").read_text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit((self.home / "log").read_text())
            time.sleep(0.05)
        log = (self.home / "log").read_text()
        self.base = log.split("listening on ")[1].split()[0]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def post(self, path, body):
        headers = {"x-api-key": KEY, "content-type": "application/json"}
        request = urllib.request.Request(self.base + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def seconds(self):
        """Of the processor, its children not included."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def write_pending(self, receivers):
        """What the service would have written over time."""
        due = int(time.time() * 1000) - 60_000
        rows = [(f"msg_{uuid.uuid4()}", f"http://{name}", name, BODY, due) for name in receivers]
        if self.database:
            holder = (self.home / "data/id").read_text().strip()
            statements = [
                "INSERT INTO kinora.webhooks (id, url, host, body, next_at, sender) VALUES "
                f"('{id}', '{url}', '{name}', '\\x{body.hex()}', {at}, '{holder}');"
                for id, url, name, body, at in rows
            ]
            text = "\n".join(["BEGIN;", *statements, "COMMIT;"])
            subprocess.run(["psql", "-q", self.database], input=text, text=True, check=True)
        else:
            store = sqlite3.connect(self.home / "data/kinora.sqlite3")
            store.executemany(
                "INSERT INTO webhooks (id, url, host, body, next_at, state) VALUES (?, ?, ?, ?, ?, 'pending')",
                rows,
            )
            store.commit()
            store.close()


def announce(service, receiver, count):
    """The seconds from the end of each job until its webhook arrived."""
    waits = []
    for n in range(count):
        path = "live" if n % 2 else f"new/{n}"
        order = {
            "image_url": f"http://{receiver}/photo.jpg",
            "length": 1,
            "frame_rate": 15,
            "webhook_url": f"http://{receiver}/{path}",
        }
        job = service.post("/v1/image/convert/video", order)["job_id"]
        while service.post("/v1/toolkit/job/status", {"job_id": job})["job_status"] != "done":
            time.sleep(0.01)
        ended = time.monotonic()
        while job not in Receiver.arrived and time.monotonic() < ended + 60:
            time.sleep(0.005)
        waits.append(max(0.0, Receiver.arrived.get(job, ended + 60) - ended))
        time.sleep(0.2)
    return sorted(waits)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--database", help="its URL, if not SQLite")
    arguments.add_argument("--jobs", type=int, default=60)
    given = arguments.parse_args()
    receiver, silent, closed = serve(), silent_hosts(), closed_port()
    pending = []
    for n in range(EACH):
        port = silent[n % HANGING_HOSTS].getsockname()[1]
        pending += [
            f"{receiver}/hang",
            f"{receiver}/hang/{n % 250}",
            f"127.0.0.1:{closed}/down",
            f"127.0.0.1:{port}/silent",
        ]
    with tempfile.TemporaryDirectory() as home:
        service = Service(home, given.database)
        service.start()
        service.stop()
        service.write_pending(pending)
        service.start()
        try:
            waits = announce(service, receiver, given.jobs)
            before, began = service.seconds(), time.monotonic()
            time.sleep(20)
            share = (service.seconds() - before) / (time.monotonic() - began)
        finally:
            service.stop()
    at = lambda part: waits[min(len(waits) - 1, int(len(waits) * part))]
    print(f"{len(pending)} pending; {len(waits)} jobs: p50 {at(0.5):.3f} s, p90 {at(0.9):.3f} s, longest {waits[-1]:.3f} s")
    print(f"without jobs, the service takes {100 * share:.1f} % of a core")


main()
