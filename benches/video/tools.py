"""The programs that the measurements run."""

import subprocess
from pathlib import Path

import imageio_ffmpeg

ROOT = Path(__file__).resolve().parents[2]
KINORA = ROOT / "target/release/kinora"
# The system's ffmpeg makes the videos, as it would for a user; the package's has libvmaf.
FFMPEG = "ffmpeg"
VMAF_FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()


def output(command):
    """What a program prints; errors end the measurement."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def raw_input(frame, rate):
    """ffmpeg's arguments to read raw frames; a file name or `-` follows."""
    return ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-video_size", f"{frame[0]}x{frame[1]}",
            "-framerate", str(rate), "-i"]


def vmaf(video, exact, frame, rate, every=1):
    """VMAF of a video against exact frames."""
    graph = (f"[0:v]fps={rate},settb=AVTB,setpts=PTS-STARTPTS[a];[1:v]settb=AVTB,setpts=PTS-STARTPTS[b];"
             f"[a][b]libvmaf=n_threads=2:n_subsample={every}")
    run = subprocess.run([VMAF_FFMPEG, "-v", "info", "-i", video, *raw_input(frame, rate), exact,
                          "-lavfi", graph, "-f", "null", "-"], check=True, capture_output=True, text=True)
    return float(run.stderr.split("VMAF score: ")[1].split()[0])
