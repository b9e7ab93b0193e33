"""Measures how smooth and how exact a centred zoom is, by registering every frame on the middle one.

A zoom moves the picture's edge by the same amount from frame to frame. So the second difference of the
edge's position is the jitter (RMS, pixels per frame²). The largest distance of the edge from its exact
position is the error (pixels of a frame that is 1920 px wide).
"""

import cv2
import numpy as np

WIDTH = 960  # width of the frames for the registration


def luma(ffmpeg, video, frame, run):
    """All frames in grey, scaled to WIDTH."""
    width, height = WIDTH, round(WIDTH * frame[1] / frame[0])
    raw = run([ffmpeg, "-v", "error", "-i", video, "-vf", f"scale={width}:{height}:flags=area",
               "-pix_fmt", "gray", "-f", "rawvideo", "-"])
    return np.frombuffer(raw, np.uint8).reshape(-1, height, width)


def measure(frames, zoom):
    """Jitter, error and the number of repeated frames. `zoom` gives the zoom of a frame number."""
    count, height, width = frames.shape
    middle = count // 2
    reference = frames[middle].astype(np.float32)
    mask = np.zeros((height, width), np.uint8)
    mask[int(height * 0.12):int(height * 0.88), int(width * 0.12):int(width * 0.88)] = 255
    ideal = np.array([zoom(k) / zoom(middle) for k in range(count)])
    edges = np.array([edge(frames[k], reference, ideal[k], mask) for k in range(count)])
    jitter = float(np.sqrt(np.nanmean(np.diff(edges, 2) ** 2)))
    error = float(np.nanmax(np.abs(edges - ideal * WIDTH)))
    moved = [np.abs(frames[k].astype(int) - frames[k - 1]).mean() for k in range(1, count)]
    return jitter, error, sum(mean < 0.05 for mean in moved)


def edge(frame, reference, scale, mask):
    """Position of the frame's edge, by ECC registration that starts from the ideal scale."""
    height, width = reference.shape
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    warp = np.array([[scale, 0, centre[0] * (1 - scale)], [0, scale, centre[1] * (1 - scale)]],
                    np.float32)
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 60, 1e-6)
    try:
        _, warp = cv2.findTransformECC(reference, frame.astype(np.float32), warp,
                                       cv2.MOTION_AFFINE, stop, mask, 1)
    except cv2.error:
        return np.nan
    return (warp[0, 0] + warp[1, 1]) / 2 * WIDTH
