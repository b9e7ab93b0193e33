"""Kinora beside what it replaces and beside the encoder alone, on real photos, in one run.

    make bench-video PHOTOS="a.jpg b.jpg …" RUNS=5

- peer: the usual ffmpeg pipeline, as such services run it: the still scaled up fourfold, zoompan,
  fps, x264 as it comes.
- kinora: `kinora render`, from the file to the file.
- floor: x264 with Kinora's own arguments, on frames that are ready.

Each is run in turn, RUNS times; the medians are printed, and the wall time as a ratio to the peer's.
"""

import argparse
import os
import statistics
import subprocess
import tempfile
from pathlib import Path

import frames
import ruler
import tools
from process import Meter


def peer(photo, frame, video):
    scaled = f"{frame[0] * 4}:{frame[1] * 4}"
    speed, last = frames.SPEED / 100, frames.LAST_ZOOM
    zoom = f"min(1+({speed}*{frames.LENGTH})*on/{frames.COUNT},{last})"
    graph = (f"scale={scaled},zoompan=z='{zoom}':d={frames.COUNT}:x='iw/2-(iw/zoom/2)':"
             f"y='ih/2-(ih/zoom/2)':s={frame[0]}x{frame[1]},fps={frames.RATE}")
    return [tools.FFMPEG, "-v", "error", "-y", "-framerate", str(frames.RATE), "-loop", "1", "-i", photo,
            "-vf", graph, "-c:v", "libx264", "-r", str(frames.RATE), "-t", str(frames.LENGTH),
            "-pix_fmt", "yuv420p", video]


def kinora(photo, video):
    return [str(tools.KINORA), "render", photo, "-o", video, "--length", str(frames.LENGTH),
            "--frame-rate", str(frames.RATE), "--zoom-speed", str(frames.SPEED)]


def floor(photo, exact, video, folder):
    """Kinora's own call of ffmpeg, with the frames from a file and the video in another place."""
    spy = Path(folder) / "spy"
    spy.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$0.args"\nexec ffmpeg "$@"\n')
    spy.chmod(0o755)
    run([*kinora(photo, video), "--ffmpeg", str(spy)])
    arguments = Path(f"{spy}.args").read_text().splitlines()
    arguments[arguments.index("pipe:0")] = exact
    return [tools.FFMPEG, *arguments[:-1], video]


def run(command):
    """Runs a program to its end, measured."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    with Meter(process.pid) as meter:
        _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{command[0]} failed: {' '.join(command)}")
    meter.cpu = usage.ru_utime + usage.ru_stime
    return meter


def compare(photo, runs, folder):
    frame = frames.size(photo)
    exact = f"{folder}/exact.yuv"
    frames.write(photo, exact)
    videos = {name: f"{folder}/{name}.mp4" for name in ["peer", "kinora", "floor"]}
    commands = {"peer": peer(photo, frame, videos["peer"]), "kinora": kinora(photo, videos["kinora"]),
                "floor": floor(photo, exact, videos["floor"], folder)}
    meters = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            meters[name].append(run(command))
    print(f"\n{Path(photo).name}, {frame[0]}x{frame[1]}\n")
    print("| | wall s | times the peer's speed | CPU s | peak MiB | kB | VMAF | jitter | edge error px | repeated |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    median = lambda name, what: statistics.median(getattr(meter, what) for meter in meters[name])
    for name in commands:
        gray = ruler.luma(tools.FFMPEG, videos[name], frame, tools.output)
        jitter, error, repeated = ruler.measure(gray, frames.zoom)
        quality = tools.vmaf(videos[name], exact, frame, frames.RATE)
        print(f"| {name} | {median(name, 'wall'):.2f} | {median('peer', 'wall') / median(name, 'wall'):.1f} "
              f"| {median(name, 'cpu'):.2f} | {median(name, 'peak') / 2**20:.0f} "
              f"| {Path(videos[name]).stat().st_size / 1000:.0f} | {quality:.1f} | {jitter:.3f} | {error:.2f} "
              f"| {repeated} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    for each in options.photos:
        with tempfile.TemporaryDirectory() as work:
            compare(each, options.runs, work)
