"""Has a service of its own make videos for some minutes while Prometheus watches, and draws the dashboard."""

import functools
import http.server
import json
import os
import pathlib
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

KEY = "dashboard"
STEP = 4
RATE_INTERVAL = "24s"


class Photos(http.server.SimpleHTTPRequestHandler):
    """The sample photos, and a receiver of webhooks of which one in five fails."""

    def log_message(self, *_):
        pass

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(204 if random.random() < 0.8 else 503)
        self.end_headers()


def free_port():
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


def serve_photos():
    handler = functools.partial(Photos, directory="samples/listing")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def get_json(url):
    return json.load(urllib.request.urlopen(url, timeout=30))


def until(is_so):
    end = time.monotonic() + 60
    while not is_so():
        if time.monotonic() > end:
            sys.exit("a server does not start")
        time.sleep(0.1)


def answers(url):
    try:
        return urllib.request.urlopen(url, timeout=5).status == 200
    except OSError:
        return False


def post(url, body):
    headers = {"x-api-key": KEY, "content-type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        urllib.request.urlopen(request, timeout=60).read()
    except urllib.error.HTTPError:
        pass  # It is counted, which is what is wanted.


def work(service, photos, minutes):
    """Orders of all three dialects, of which a few fail, and previews."""
    names = sorted(path.name for path in pathlib.Path("samples/listing").glob("*.jpg"))
    end = time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        urls = [f"{photos}/{name}" for name in random.sample(names, 3)]
        wave = 1 + int((end - time.monotonic()) / 45) % 3
        for _ in range(wave):
            kind = random.random()
            if kind < 0.15:
                urls[0] = f"{photos}/none.jpg"
            order = {"photos": urls, "duration": random.uniform(4, 9), "webhook_url": f"{photos}/hook"}
            if kind < 0.5:
                post(f"{service}/api/videos", order)
            elif kind < 0.8:
                zoom = {"image_url": urls[0], "length": 3, "webhook_url": f"{photos}/hook",
                        "bypass_queue": kind > 0.7}
                post(f"{service}/paid/image/convert/video", zoom)
            else:
                files = [{"url": url} for url in urls]
                post(f"{service}/v1-beta/generate-video",
                     {"files": files, "template_params": {"template_id": "JustListed1"}})
            post(f"{service}/api/videos/preview?time=1", {"photos": urls[1:]})
        time.sleep(random.uniform(1, 4))


def series(prometheus, target, start, end):
    expression = target["expr"].replace("$__rate_interval", RATE_INTERVAL)
    query = urllib.parse.urlencode({"query": expression, "start": start, "end": end, "step": STEP})
    answer = get_json(f"{prometheus}/api/v1/query_range?{query}")
    for one in answer["data"]["result"]:
        name = re.sub(r"\{\{(\w+)\}\}", lambda it: one["metric"].get(it[1], ""), target.get("legendFormat", ""))
        points = [(float(at) - start, float(value)) for at, value in one["values"] if value != "NaN"]
        if points:
            yield name, points


def draw_stat(axes, panel, found):
    axes.axis("off")
    text = "  ".join(f"{name} {points[-1][1]:.0f}" if len(found) > 1 else f"{points[-1][1]:.0f}" for name, points in found)
    axes.text(0.5, 0.4, text or "0", ha="center", va="center", fontsize=17 if len(found) > 1 else 26, color="#4fd1c1")


def draw_lines(axes, panel, found):
    for name, points in found:
        axes.plot(*zip(*points), label=name, linewidth=1.3)
    axes.grid(color="#35322e", linewidth=0.6)
    axes.tick_params(labelsize=7, colors="#aca69c")
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_formatter(lambda at, _: f"{int(at // 60)}:{int(at % 60):02}")
    unit = panel["fieldConfig"]["defaults"].get("unit")
    if unit in ("s", "Bps"):
        axes.set_ylabel({"s": "seconds", "Bps": "bytes a second"}[unit], fontsize=7, color="#aca69c")
    for spine in axes.spines.values():
        spine.set_color("#35322e")
    if found:
        axes.legend(fontsize=7, frameon=False, labelcolor="#f1eee8", loc="upper left", ncols=2)


def draw(prometheus, start, end):
    panels = json.loads(pathlib.Path("deploy/grafana.json").read_text())["panels"]
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    figure = plt.figure(figsize=(15, rows * 0.36), facecolor="#131211")
    for panel in panels:
        place = panel["gridPos"]
        margin = (0.032, 0.028)
        box = [place["x"] / 24 + margin[0], 1 - (place["y"] + place["h"]) / rows + margin[1] * 0.8,
               place["w"] / 24 - margin[0] * 1.25, place["h"] / rows - margin[1] * 1.75]
        axes = figure.add_axes(box, facecolor="#1d1c1a")
        axes.set_title(panel["title"], loc="left", fontsize=9, color="#f1eee8", weight="bold")
        found = [one for target in panel["targets"] for one in series(prometheus, target, start, end)]
        (draw_stat if panel["type"] == "stat" else draw_lines)(axes, panel, found)
        print(f"{panel['title']}: {len(found)} series")
    figure.savefig("docs/dashboard.png", dpi=100)


def main():
    minutes = float(sys.argv[1])
    photos = serve_photos()
    with tempfile.TemporaryDirectory() as home:
        ports = free_port(), free_port()
        service, prometheus = (f"http://127.0.0.1:{port}" for port in ports)
        environment = os.environ | {
            "KINORA_BIND": f"127.0.0.1:{ports[0]}", "API_KEY": KEY, "KINORA_DATA_DIR": f"{home}/data",
            "KINORA_ALLOW_NETWORKS": "127.0.0.0/8", "KINORA_CACHE_VIDEOS": "false",
        }
        scrape = {"job_name": "kinora", "static_configs": [{"targets": [f"127.0.0.1:{ports[0]}"]}]}
        settings = {"global": {"scrape_interval": "2s"}, "scrape_configs": [scrape]}
        pathlib.Path(home, "prometheus.yml").write_text(json.dumps(settings))
        started = [
            subprocess.Popen(["target/release/kinora", "serve"], env=environment, stderr=subprocess.DEVNULL),
            subprocess.Popen(["prometheus", f"--config.file={home}/prometheus.yml", f"--storage.tsdb.path={home}/tsdb",
                              f"--web.listen-address=127.0.0.1:{ports[1]}"], stderr=subprocess.DEVNULL),
        ]
        try:
            until(lambda: answers(f"{service}/healthz") and answers(f"{prometheus}/-/ready"))
            start = time.time() + STEP
            work(service, photos, minutes)
            draw(prometheus, start, time.time())
        finally:
            for process in started:
                process.terminate()
            for process in started:
                process.wait()


main()
