"""What x264 settings cost and give: CPU seconds, bytes and VMAF on exact frames of real photos.

    make bench-encoder PHOTOS="a.jpg b.jpg …"

Prints a Markdown table, one row a setting, each figure the mean over the photos.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import frames
import tools

SETTINGS = [line.strip() for line in (Path(__file__).parent / "settings.txt").read_text().splitlines()
            if line.strip() and not line.startswith("#")]


def encode(exact, frame, setting, video):
    """CPU seconds of an encoding."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    tools.output([tools.FFMPEG, "-v", "error", "-y", *tools.raw_input(frame, frames.RATE), exact,
                  "-c:v", "libx264", "-profile:v", "high", *setting.split(), video])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(photos):
    with tempfile.TemporaryDirectory() as folder:
        scenes = []
        for photo in photos:
            exact = f"{folder}/{Path(photo).stem}.yuv"
            frames.write(photo, exact)
            scenes.append((exact, frames.size(photo)))
        print("| x264 | CPU s | kB | VMAF | lowest |\n|---|---|---|---|---|")
        for setting in SETTINGS:
            rows = [row(exact, frame, setting, f"{folder}/video.mp4") for exact, frame in scenes]
            cpu, size, vmaf = (statistics.mean(column) for column in zip(*rows))
            lowest = min(row[2] for row in rows)
            print(f"| `{setting}` | {cpu:.2f} | {size / 1000:.0f} | {vmaf:.1f} | {lowest:.1f} |", flush=True)


def row(exact, frame, setting, video):
    cpu = encode(exact, frame, setting, video)
    return cpu, Path(video).stat().st_size, tools.vmaf(video, exact, frame, frames.RATE)


if __name__ == "__main__":
    main(sys.argv[1:])
