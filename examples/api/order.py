#!/usr/bin/env python3
"""Orders two videos of photos, follows their progress, and downloads them to feed.mp4 and reel.mp4.

    KINORA_URL=http://127.0.0.1:8080 API_KEY=... python3 order.py PHOTO...

A photo is a file, or an http(s) URL. Needs Python 3.9 or later.
"""

import hashlib
import http.client
import json
import os
import shutil
import sys
import time
import urllib.error
import urllib.request

SERVICE = os.environ.get("KINORA_URL", "http://127.0.0.1:8080").rstrip("/")
TRIES = 6


def call(path, body=None, headers={}, timeout=90):
    """Sends a request, again while the service is busy, and returns the open response."""
    headers = {"x-api-key": os.environ["API_KEY"], **headers}
    for tries_left in reversed(range(TRIES)):
        try:
            return urllib.request.urlopen(urllib.request.Request(SERVICE + path, body, headers), timeout=timeout)
        except urllib.error.HTTPError as error:
            wait = error.headers.get("Retry-After", "")
            if error.code not in (429, 503) or not wait.isdigit() or not tries_left:
                is_problem = error.headers.get_content_type() == "application/problem+json"
                detail = json.load(error)["detail"] if is_problem else f"{path} answered {error.code}"
                sys.exit(f"order.py: {detail}")
            time.sleep(min(int(wait), 60))


def address(photo):
    """What the order calls a photo."""
    if photo.startswith(("http://", "https://")):
        return photo
    with open(photo, "rb") as file:
        return json.load(call("/api/photos", file.read()))["url"]


def events(path):
    """The video objects that the events carry. Connects again when the stream is cut."""
    last_id, tries_left = None, TRIES
    while tries_left:
        try:
            # Events come every half second: one that is late by half a minute does not come.
            with call(path, headers={"Last-Event-ID": last_id} if last_id else {}, timeout=30) as stream:
                event = {}
                for line in stream:
                    line = line.decode().rstrip("\r\n")
                    if line:
                        name, _, value = line.partition(":")
                        event[name] = value.removeprefix(" ")
                    elif "data" in event:  # An empty line ends the event.
                        last_id, tries_left = event.get("id", last_id), TRIES
                        yield json.loads(event["data"])
                        event = {}
        except (OSError, http.client.HTTPException) as error:
            print(f"connecting again: {error}", file=sys.stderr)
        tries_left -= 1
        time.sleep(5)
    sys.exit("order.py: the events of the video cannot be read")


def main(photos):
    order = {
        "photos": [address(photo) for photo in photos],
        "duration": 6,  # A short video, for a quick first try. Without it: 30 seconds.
        "outputs": [{"name": "feed", "aspect_ratio": "1:1"}, {"name": "reel", "aspect_ratio": "9:16"}],
    }
    body = json.dumps(order).encode()
    # The same order has the same key, so that sending it again makes no second video.
    key = hashlib.sha256(body).hexdigest()
    video = json.load(call("/api/videos", body, {"Content-Type": "application/json", "Idempotency-Key": key}))
    told = None
    for video in events(f"/api/videos/{video['id']}/events"):
        progress = f"{video['state']}, {video['progress']:.0%}"
        if progress != told:
            print(progress, file=sys.stderr)
        told = progress
        if video["state"] not in ("queued", "running"):
            break
    if video["state"] != "done":
        sys.exit(f"order.py: {video['error']['message']}")
    for output in video["outputs"]:
        file = f"{output['name']}.mp4"
        # Needs no key, and may be on another host. A file that is not complete keeps another name.
        with urllib.request.urlopen(output["url"], timeout=90) as response, open(f"{file}.part", "wb") as part:
            shutil.copyfileobj(response, part)
        os.replace(f"{file}.part", file)
        print(file)


if __name__ == "__main__":
    if len(sys.argv) < 2 or not os.environ.get("API_KEY"):
        sys.exit(__doc__)
    try:
        main(sys.argv[1:])
    except (OSError, http.client.HTTPException) as error:
        sys.exit(f"order.py: {error}")
