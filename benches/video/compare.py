"""Compares Kinora with the usual ffmpeg pipeline and with x264 alone, on real photos.

    make bench PHOTOS="a.jpg b.jpg …" RUNS=5

- peer: the usual ffmpeg pipeline, as other services run it: the photo scaled up to four times the
  frame, zoompan, fps, x264's defaults. Without any HTTP.
- kinora: `kinora serve`, from the POST to the answer.
- floor: x264 with Kinora's own arguments, on frames that are ready.

They are run in turn, RUNS times. The table has the medians, and the speed as a ratio to the peer's.
Then follow two jobs at the same time, and a long deep zoom, which shows whether memory grows.
"""

import argparse
import statistics
import shutil
import tempfile
import threading
import time
from pathlib import Path

import psutil

import frames
import ruler
import tools
from process import Meter, run
from service import Service


def peer(photo, frame):
    """The peer's ffmpeg command, without the encoder."""
    scaled = f"{frame[0] * 4}:{frame[1] * 4}"
    speed, last = frames.SPEED / 100, frames.LAST_ZOOM
    zoom = f"min(1+({speed}*{frames.LENGTH})*on/{frames.COUNT},{last})"
    graph = (f"scale={scaled},zoompan=z='{zoom}':d={frames.COUNT}:x='iw/2-(iw/zoom/2)':"
             f"y='ih/2-(ih/zoom/2)':s={frame[0]}x{frame[1]},fps={frames.RATE}")
    return [tools.FFMPEG, "-v", "error", "-y", "-framerate", str(frames.RATE), "-loop", "1", "-i", photo,
            "-vf", graph, "-r", str(frames.RATE), "-t", str(frames.LENGTH), "-pix_fmt", "yuv420p"]


def floor(photo, exact, video, folder):
    """Kinora's own ffmpeg command, with the frames from a file and another output file."""
    spy = Path(folder) / "spy"
    spy.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$0.args"\nexec ffmpeg "$@"\n')
    spy.chmod(0o755)
    run([str(tools.KINORA), "render", photo, "-o", video, "--ffmpeg", str(spy)])
    arguments = Path(f"{spy}.args").read_text().splitlines()
    first = arguments.index("yuv4mpegpipe") - 1
    raw = tools.raw_input(frames.size(photo), frames.RATE)
    return [tools.FFMPEG, *arguments[:first], *raw, exact, *arguments[first + 4:-1], video]


def measure(service, work):
    """Measures what the service needs for some work."""
    used = lambda: sum(psutil.Process(service.process.pid).cpu_times()[:4])
    before = used()
    with Meter(service.process.pid) as meter:
        result = work()
    meter.cpu = used() - before
    return meter, result


def compare(photo, runs, folder):
    frame = frames.size(photo)
    exact = f"{folder}/exact.yuv"
    frames.write(photo, exact)
    videos = {name: f"{folder}/{name}.mp4" for name in ["peer", "kinora", "floor"]}
    commands = {"peer": [*peer(photo, frame), "-c:v", "libx264", videos["peer"]],
                "floor": floor(photo, exact, videos["floor"], folder)}
    # The peer's zoom differs from the exact one, so its encoder is compared with the peer's own frames.
    own = f"{folder}/peer.yuv"
    run([*peer(photo, frame), "-f", "rawvideo", own])
    reference = {"peer": own, "kinora": exact, "floor": exact}
    meters = {name: [] for name in videos}
    with Service(Path(photo).resolve().parent, f"{folder}/data") as service:
        service.post(photo)  # not measured: it fills the file cache
        for _ in range(runs):
            meters["peer"].append(run(commands["peer"]))
            meter, video = measure(service, lambda: service.post(photo))
            meters["kinora"].append(meter)
            shutil.move(video, videos["kinora"])
            meters["floor"].append(run(commands["floor"]))
        print(f"\n{Path(photo).name}, {frame[0]}x{frame[1]}\n")
        print("| | wall s | times the peer's speed | CPU s | peak MiB | kB | VMAF | jitter | edge error px | repeated |")
        print("|---|---|---|---|---|---|---|---|---|---|")
        median = lambda name, what: statistics.median(getattr(meter, what) for meter in meters[name])
        for name in videos:
            gray = ruler.luma(tools.FFMPEG, videos[name], frame, tools.output)
            jitter, error, repeated = ruler.measure(gray, frames.zoom)
            quality = tools.vmaf(videos[name], reference[name], frame, frames.RATE)
            print(f"| {name} | {median(name, 'wall'):.2f} | {median('peer', 'wall') / median(name, 'wall'):.1f} "
                  f"| {median(name, 'cpu'):.2f} | {median(name, 'peak') / 2**20:.0f} "
                  f"| {Path(videos[name]).stat().st_size / 1000:.0f} | {quality:.1f} | {jitter:.3f} | {error:.2f} "
                  f"| {repeated} |", flush=True)
        two_at_once(photo, service, commands["peer"], runs)
        deep_zoom(photo, service)


def two_at_once(photo, service, command, runs):
    """Prints jobs per minute when two run at the same time."""
    peers, ours = [], []
    for _ in range(runs):
        peers.append(together(lambda: run(command)))
        ours.append(together(lambda: service.post(photo)))
    peer, kinora = (120 / statistics.median(walls) for walls in (peers, ours))
    print(f"\nTwo jobs at once: peer {peer:.1f} a minute, kinora {kinora:.1f}, {kinora / peer:.1f} times as many",
          flush=True)


def together(work):
    """Seconds for doing something twice at the same time."""
    begun = time.monotonic()
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - begun


def deep_zoom(photo, service):
    """Prints time and memory of a minute at 60 fps with a zoom to 10, beside the five seconds."""
    short, _ = measure(service, lambda: service.post(photo))
    long, _ = measure(service, lambda: service.post(photo, length=60, frame_rate=60, zoom_speed=15))
    print(f"60 s, 60 fps, zoom to 10: {long.wall:.1f} s, {long.peak / 2**20:.0f} MiB, "
          f"{long.peak / short.peak:.2f} times the memory of the 5 s job", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    for each in options.photos:
        with tempfile.TemporaryDirectory() as work:
            compare(each, options.runs, work)
