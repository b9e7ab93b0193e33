"""Measures encoder settings on real photos: CPU time, bytes and VMAF, as a table in Markdown.

    make bench-encoder PHOTOS="a.jpg b.jpg …" RUNS=3

Every setting encodes the frames that Kinora draws of each photo (5 s, 30 fps, zoom 3). CPU and bytes
are ratios to x264's own defaults, as geometric means over the photos. CPU is the minimum of RUNS
interleaved rounds. VMAF compares the video with the same frames: the mean over the photos, and the
difference from the defaults for the photo where it is worst.
"""

import argparse
import statistics
import subprocess
import tempfile
from pathlib import Path

import frames
import tools
from process import run

QUICK = "bframes=3:b-adapt=0:pbratio=2:ipratio=1.12:qcomp=0.8:subme=2:8x8dct=1:no-deblock=1:cabac=1"
DEFAULTS = "x264's defaults: medium, CRF 23"


def x264(preset, crf, parameters=None):
    return ["-preset", preset, "-crf", str(crf), *(["-x264-params", parameters] if parameters else [])]


# Kinora's own presets are read from its ffmpeg commands. These were measured and not chosen.
OTHERS = {
    DEFAULTS: x264("medium", 23),
    "veryfast, CRF 20": x264("veryfast", 20),
    "superfast, CRF 21": x264("superfast", 21),
    "ultrafast, CRF 20": x264("ultrafast", 20),
    "balanced, but pbratio=1.3 at CRF 21.5": x264("ultrafast", 21.5, QUICK.replace("pbratio=2", "pbratio=1.3")),
    "balanced, but bframes=7 at CRF 19.5": x264("ultrafast", 19.5, QUICK.replace("bframes=3", "bframes=7")),
    "balanced, but qcomp=0.6": x264("ultrafast", 20.5, QUICK.replace("qcomp=0.8", "qcomp=0.6")),
    "balanced, but with deblocking": x264("ultrafast", 20.5, QUICK.replace("no-deblock=1", "no-deblock=0")),
}


def spied(photo, preset, folder):
    """Runs Kinora with a script in front of ffmpeg: the file of its frames, and a preset's arguments."""
    spy, video = Path(folder) / "spy", Path(folder) / "spied.mp4"
    spy.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$0.args"\n'
                   f'tee "$0.y4m" | {tools.FFMPEG} "$@"\n')
    spy.chmod(0o755)
    run([tools.KINORA, "render", photo, "-o", video, "--preset", preset, "--ffmpeg", spy])
    words = Path(f"{spy}.args").read_text().splitlines()
    first = words.index("-preset")
    return Path(f"{spy}.y4m"), words[first:first + 6]


def measure(photo, runs, folder):
    """CPU seconds, bytes and VMAF of each setting."""
    frame = frames.size(photo)
    settings = {preset: spied(photo, preset, folder)[1] for preset in ["fast", "balanced", "small"]} | OTHERS
    drawn, _ = spied(photo, "balanced", folder)
    raw, video = f"{folder}/frames.yuv", f"{folder}/video.mp4"
    subprocess.run([tools.FFMPEG, "-v", "error", "-y", "-i", drawn, "-f", "rawvideo", raw], check=True)
    cost, result = {name: [] for name in settings}, {}
    for turn in range(runs):
        for name, words in settings.items():
            meter = run([tools.FFMPEG, "-v", "error", "-y", "-i", drawn, "-c:v", "libx264", *words, video])
            cost[name].append(meter.cpu)
            if turn == 0:
                result[name] = Path(video).stat().st_size, tools.vmaf(video, raw, frame, frames.RATE)
    return {name: (min(cost[name]), *result[name]) for name in settings}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    rows = []
    for each in options.photos:
        with tempfile.TemporaryDirectory() as work:
            rows.append(measure(each, options.runs, work))
    print("| setting | CPU | bytes | VMAF | worst photo against the defaults |")
    print("|---|---|---|---|---|")
    for name in rows[0]:
        ratio = lambda what: statistics.geometric_mean(row[name][what] / row[DEFAULTS][what] for row in rows)
        mean = statistics.mean(row[name][2] for row in rows)
        worst = min(row[name][2] - row[DEFAULTS][2] for row in rows)
        print(f"| {name} | {ratio(0):.2f} | {ratio(1):.2f} | {mean:.1f} | {worst:+.1f} |")
    print("\nPhotos: " + ", ".join(Path(photo).name for photo in options.photos))
