"""Runs the programs that the measurements need."""

import subprocess
from pathlib import Path

import imageio_ffmpeg

ROOT = Path(__file__).resolve().parents[2]
KINORA = ROOT / "target/release/kinora"
# The system's ffmpeg makes the videos, as it would for a user. The Python package's has libvmaf.
FFMPEG = "ffmpeg"
VMAF_FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()


def output(command):
    """The output of a program. An error ends the measurement."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def raw_input(frame, rate):
    """ffmpeg's arguments to read raw frames; a file name or `-` follows."""
    return ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-video_size", f"{frame[0]}x{frame[1]}",
            "-framerate", str(rate), "-i"]


def vmaf(video, reference, frame, rate):
    """VMAF of a video against raw frames.

    The video is decoded first, so that both sides have no colour tags: if the tags differed, ffmpeg
    would convert the colours of one side.
    """
    decode = [FFMPEG, "-v", "error", "-i", video, "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"]
    raw = raw_input(frame, rate)
    score = [VMAF_FFMPEG, "-v", "info", *raw, "-", *raw, reference, "-lavfi", "libvmaf=n_threads=2", "-f", "null", "-"]
    with subprocess.Popen(decode, stdout=subprocess.PIPE) as decoder:
        run = subprocess.run(score, check=True, stdin=decoder.stdout, capture_output=True, text=True)
    return float(run.stderr.split("VMAF score: ")[1].split()[0])
