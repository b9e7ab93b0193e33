"""Compares a listing video of 20 photos with the usual ffmpeg graph, and measures one of 100 photos.

    make bench-listing PHOTOS="a.jpg b.jpg …" RUNS=3

The photos are cut out of PHOTOS at random positions, and scaled to the sizes in the table.

- peer: one ffmpeg graph of scale, zoompan and xfade with x264's defaults, as scripts on the web do it.
- kinora: `kinora render`, with a template and its titles.
"""

import argparse
import random
import statistics
import subprocess
import tempfile
from pathlib import Path

import tools
from process import run

LENGTH, RATE, SIDE = 30, 30, 1080
FADE = 0.5  # seconds
TITLES = ["--template", "ActiveListing1", "--address", "123 Main St", "--price", "$500,000",
          "--details", "3 bed, 2 bath", "--contact-name", "John Doe"]


def cut(photos, count, width, height, folder):
    """`count` photos of this size, each a different part of one of `photos`."""
    chance = random.Random(4)
    made = []
    for i in range(count):
        part = f"{chance.uniform(0.7, 1)}"
        place = f"(iw-ow)*{chance.random()}:(ih-oh)*{chance.random()}"
        shape = f"min(iw\\,ih*{width}/{height})*{part}"
        graph = f"crop={shape}:{shape}*{height}/{width}:{place},scale={width}:{height}:flags=lanczos"
        made.append(Path(folder) / f"{width}-{i:03}.jpg")
        subprocess.run([tools.FFMPEG, "-v", "error", "-y", "-i", photos[i % len(photos)], "-vf", graph,
                        "-frames:v", "1", "-q:v", "3", made[-1]], check=True)
    return made


def peer(photos, video):
    """The peer's command: every photo zooms, in or out, and fades into the next."""
    share = (LENGTH + FADE * (len(photos) - 1)) / len(photos)
    frames = round(share * RATE)
    inputs, graph = [], []
    for i, photo in enumerate(photos):
        inputs += ["-i", photo]
        zoom = "min(zoom+0.0015,1.5)" if i % 2 == 0 else "if(eq(on,0),1.15,max(zoom-0.0015,1))"
        graph.append(f"[{i}]scale={4 * SIDE}:{4 * SIDE}:force_original_aspect_ratio=increase,"
                     f"crop={4 * SIDE}:{4 * SIDE},zoompan=z='{zoom}':d={frames}:x='iw/2-(iw/zoom/2)':"
                     f"y='ih/2-(ih/zoom/2)':s={SIDE}x{SIDE}:fps={RATE},format=yuv420p[v{i}]")
    before = "v0"
    for i in range(1, len(photos)):
        offset = i * (frames / RATE - FADE)
        graph.append(f"[{before}][v{i}]xfade=duration={FADE}:offset={offset:.3f}[x{i}]")
        before = f"x{i}"
    return [tools.FFMPEG, "-v", "error", "-y", *inputs, "-filter_complex", ";".join(graph),
            "-map", f"[{before}]", "-c:v", "libx264", video]


def kinora(photos, video):
    return [tools.KINORA, "render", *photos, "-o", video, *TITLES]


def report(name, meters, beside=None):
    median = lambda meters, what: statistics.median(getattr(meter, what) for meter in meters)
    wall, peak = median(meters, "wall"), median(meters, "peak")
    ratio = f"{median(beside, 'wall') / wall:.1f}" if beside else ""
    print(f"| {name} | {wall:.1f} | {ratio} | {median(meters, 'cpu'):.1f} | {peak / 2**20:.0f} |", flush=True)
    return peak


def compare(photos, runs, folder):
    twenty = cut(photos, 20, 2560, 1600, folder)
    hundred = cut(photos, 100, 4000, 3000, folder)
    peers, ours, many = [], [], []
    for _ in range(runs):
        peers.append(run(peer(twenty, f"{folder}/peer.mp4")))
        ours.append(run(kinora(twenty, f"{folder}/twenty.mp4")))
        many.append(run(kinora(hundred, f"{folder}/hundred.mp4")))
    print("| | wall s | times the peer's speed | CPU s | peak MiB |\n|---|---|---|---|---|")
    report("peer: 20 photos of 2560x1600, 30 s, 1:1", peers)
    less = report("kinora: the same, with titles", ours, peers)
    more = report("kinora: 100 photos of 12 MP", many)
    print(f"\n100 large photos take {more / less:.2f} times the memory of 20.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        compare(options.photos, options.runs, work)
