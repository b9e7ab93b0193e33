use super::*;
use crate::spec::Point;
use crate::subject::Face;

const fn size(width: u32, height: u32) -> Size {
    Size { width, height }
}

const FULL_HD: Size = size(1920, 1080);

fn path(motion: Motion, photo: Size, frame: Size, seconds: f64) -> Path {
    path_to(motion, photo, frame, seconds, &Subject::default())
}

fn path_to(motion: Motion, photo: Size, frame: Size, seconds: f64, subject: &Subject) -> Path {
    Shot {
        motion,
        focus: Focus::Auto,
        fit: Fit::Auto,
        photo,
        frame,
        subject,
        covered_below: 0.0,
        seconds,
        index: 0,
    }
    .path()
}

fn zoom(speed: f64, seconds: f64, share: f64) -> f64 {
    let crop = path(Motion::CentreZoom { speed }, FULL_HD, FULL_HD, seconds).crop(share);
    1920.0 / crop.width
}

#[test]
fn the_zoom_is_linear_and_ends_at_ten() {
    assert_eq!(zoom(3.0, 5.0, 0.0), 1.0);
    assert!((zoom(3.0, 5.0, 0.5) - 1.075).abs() < 1e-12);
    assert!((zoom(100.0, 60.0, 0.99) - 10.0).abs() < 1e-12);
}

const MOVES: [Move; 8] = [
    Move::Auto,
    Move::Still,
    Move::ZoomIn,
    Move::ZoomOut,
    Move::PanLeft,
    Move::PanRight,
    Move::PanUp,
    Move::PanDown,
];
const FRAMES: [Size; 4] = [
    FULL_HD,
    size(1080, 1080),
    size(1080, 1350),
    size(1080, 1920),
];
const PHOTOS: [Size; 7] = [
    size(2560, 1600),
    size(772, 1366),
    size(1600, 2560),
    size(900, 900),
    size(7000, 1200),
    size(64, 4000),
    size(1, 1),
];

/// Calls `check` for every move over every photo in every frame, with a face in one of some places.
fn every_path(check: impl Fn(&Shot, &Path)) {
    let faces = [(0.1, 0.2), (0.5, 0.5), (0.9, 0.3), (0.4, 1.0)].map(|(x, y)| Face {
        left: x - 0.05,
        top: y - 0.08,
        right: x + 0.05,
        bottom: y + 0.08,
    });
    let cases = FRAMES.iter().flat_map(|frame| {
        let photos = PHOTOS.iter().map(move |photo| (*frame, *photo));
        photos.flat_map(|case| MOVES.map(|what| (case, what)))
    });
    for (i, ((frame, photo), what)) in cases.enumerate() {
        for (seconds, fit) in [(0.3, Fit::Auto), (2.0, Fit::Cover), (30.0, Fit::Contain)] {
            let face = faces[i % faces.len()];
            let subject = Subject {
                faces: vec![face],
                point: face.centre(),
            };
            let shot = Shot {
                motion: Motion::Eased(what),
                focus: Focus::Auto,
                fit,
                photo,
                frame,
                subject: &subject,
                covered_below: [0.0, 0.3][i % 2],
                seconds,
                index: i,
            };
            check(&shot, &shot.path());
        }
    }
}

#[test]
fn eased_moves_stay_on_the_photo_or_show_all_of_it_along_an_axis() {
    every_path(|shot, path| {
        for share in [0.0, 0.31, 0.5, 1.0] {
            let crop = path.crop(share);
            let (width, height) = (f64::from(shot.photo.width), f64::from(shot.photo.height));
            let edges = [
                crop.x,
                crop.y,
                width - crop.x - crop.width,
                height - crop.y - crop.height,
            ];
            let is_on = edges.map(|edge| edge >= -1e-9);
            let good = match (path.is_contained(), shot.fit) {
                (false, _) => is_on == [true; 4],
                (true, Fit::Contain) => is_on == [false; 4],
                // Where faces are kept, it may reach beyond the frame on two sides.
                (true, _) => {
                    let [left, top, right, bottom] = is_on;
                    left == right && top == bottom && !(left && top)
                }
            };
            assert!(good, "{:?} at {share}: {edges:?}", shot.motion);
        }
    });
}

#[test]
fn crops_have_the_shape_of_the_frame() {
    every_path(|shot, path| {
        let crop = path.crop(0.4);
        let shape = f64::from(shot.frame.width) / f64::from(shot.frame.height);
        assert!((crop.width / crop.height / shape - 1.0).abs() < 1e-9);
    });
}

#[test]
fn no_pan_is_faster_than_a_seventh_of_the_frame_a_second() {
    every_path(|shot, path| {
        let step = 0.01 / shot.seconds;
        let speed = |share: f64| {
            let (a, b) = (path.crop(share), path.crop(share + step));
            let across = (b.x + b.width / 2.0 - a.x - a.width / 2.0) / a.width;
            let down = (b.y + b.height / 2.0 - a.y - a.height / 2.0) / a.height;
            across.abs().max(down.abs()) / 0.01
        };
        let fastest = speed(0.5 - step / 2.0);
        assert!(fastest < 0.1401, "{:?}: {fastest}", shot.motion);
    });
}

#[test]
fn a_face_that_fits_is_whole_all_the_time() {
    every_path(|shot, path| {
        let face = shot.subject.faces[0];
        let (width, height) = (f64::from(shot.photo.width), f64::from(shot.photo.height));
        for share in [0.0, 0.2, 0.5, 0.9, 1.0] {
            let crop = path.crop(share);
            if (face.right - face.left) * width > 0.8 * crop.width
                || (face.bottom - face.top) * height > 0.7 * crop.height
            {
                return;
            }
            let room = [
                face.left * width - crop.x,
                face.top * height - crop.y,
                crop.x + crop.width - face.right * width,
                // A face may go on below the photo.
                crop.y + crop.height - face.bottom.min(1.0) * height,
            ];
            let whole = room.iter().all(|room| *room >= -1e-6);
            assert!(whole, "{shot:?} at {share}: {room:?}");
        }
    });
}

/// The lowest place of a chin at any time of a move, as a fraction of the frame's height, where titles cover a quarter.
fn lowest_chin(what: Move, photo: Size, frame: Size, subject: &Subject) -> f64 {
    let path = Shot {
        motion: Motion::Eased(what),
        focus: Focus::Auto,
        fit: Fit::Cover,
        photo,
        frame,
        subject,
        covered_below: 0.25,
        seconds: 4.0,
        index: 0,
    }
    .path();
    let chins = subject.faces.iter().flat_map(|face| {
        [0.0, 0.5, 1.0].map(|share| {
            let crop = path.crop(share);
            (face.bottom * f64::from(photo.height) - crop.y) / crop.height
        })
    });
    chins.fold(0.0, f64::max)
}

#[test]
fn faces_that_are_above_titles_stay_there() {
    let face = |x: f64, y: f64, height: f64| Face {
        left: x - 0.06,
        top: y - height / 2.0,
        right: x + 0.06,
        bottom: y + height / 2.0,
    };
    let subjects = [
        vec![face(0.5, 0.52, 0.37)],
        vec![face(0.1, 0.45, 0.45)],
        vec![face(0.3, 0.7, 0.2)],
        vec![face(0.8, 0.2, 0.1)],
        vec![face(0.45, 0.22, 0.26), face(0.55, 0.58, 0.26)],
    ];
    let photos = [
        size(4000, 3000),
        size(3000, 1000),
        size(3000, 4000),
        size(1600, 1600),
    ];
    for (photo, frame) in photos.iter().flat_map(|p| FRAMES.map(|f| (*p, f))) {
        for faces in &subjects {
            let subject = Subject {
                point: faces[0].centre(),
                faces: faces.clone(),
            };
            let lowest = |what| lowest_chin(what, photo, frame, &subject);
            // With the margin below a chin.
            if lowest(Move::Still) > 0.75 - 0.08 * (faces[0].bottom - faces[0].top) {
                continue;
            }
            for what in MOVES {
                let chin = lowest(what);
                assert!(
                    chin < 0.75,
                    "{photo:?} in {frame:?}, {faces:?}, {what:?}: {chin}"
                );
            }
        }
    }
}

/// How far a crop goes: by its size, or by its place in sides of it.
fn way(path: &Path) -> f64 {
    let (from, to) = (path.crop(0.0), path.crop(1.0));
    let off = |from: f64, to: f64, side: f64| ((to - from) / side).abs();
    (from.width / to.width - 1.0)
        .abs()
        .max(off(from.x, to.x, from.width))
        .max(off(from.y, to.y, from.height))
}

#[test]
fn nothing_stands_still_for_the_sake_of_faces() {
    let face = |left: f64, top: f64, width: f64, height: f64| Face {
        left,
        top,
        right: left + width,
        bottom: top + height,
    };
    let groups = [
        vec![face(0.3, 0.1, 0.4, 0.75)],
        vec![face(0.3, 0.2, 0.25, 0.45)],
        // From edge to edge.
        vec![face(0.0, 0.45, 0.1, 0.15), face(0.9, 0.45, 0.1, 0.15)],
    ];
    for (i, faces) in groups.into_iter().enumerate() {
        let subject = Subject {
            point: faces[0].centre(),
            faces,
        };
        for what in MOVES.into_iter().filter(|what| *what != Move::Still) {
            for frame in FRAMES {
                for index in 0..6 {
                    let shot = Shot {
                        motion: Motion::Eased(what),
                        focus: Focus::Auto,
                        fit: Fit::Auto,
                        photo: size(3000, 2000),
                        frame,
                        subject: &subject,
                        covered_below: [0.0, 0.35][index % 2],
                        seconds: 5.0,
                        index,
                    };
                    let way = way(&shot.path());
                    assert!(way > 0.009, "{what:?} over group {i} in {frame:?}: {way}");
                }
            }
        }
    }
}

#[test]
fn faces_keep_what_air_titles_leave_them() {
    // With air around it, it is higher than what titles leave; as it is, it is not.
    let subject = Subject {
        faces: vec![Face {
            left: 0.4,
            top: 0.3,
            right: 0.6,
            bottom: 0.6,
        }],
        point: Point { x: 0.5, y: 0.45 },
    };
    let shot = Shot {
        motion: Motion::Eased(Move::PanUp),
        focus: Focus::Auto,
        fit: Fit::Cover,
        photo: size(1920, 1440),
        frame: FULL_HD,
        subject: &subject,
        covered_below: 0.35,
        seconds: 5.0,
        index: 0,
    };
    for share in [0.0, 1.0] {
        let crop = shot.path().crop(share);
        let (top, bottom) = (0.3 * 1440.0 - crop.y, 0.6 * 1440.0 - crop.y);
        assert!(bottom < 0.66 * crop.height, "{share}: {bottom} {crop:?}");
        let room = 0.65 * crop.height - 1.08 * (bottom - top);
        assert!(top > 0.99 * room, "{share}: {top}, not {room}");
    }
}

#[test]
fn neighbours_move_differently_whatever_their_shapes() {
    let subject = Subject::default();
    // Whether it grows, and where it goes, each as -1, 0 or 1.
    let kind = |photo, frame, fit, index| {
        let path = Shot {
            motion: Motion::Eased(Move::Auto),
            focus: Focus::Auto,
            fit,
            photo,
            frame,
            subject: &subject,
            covered_below: 0.0,
            seconds: 3.0,
            index,
        }
        .path();
        let (from, to) = (path.crop(0.0), path.crop(1.0));
        let middle = |crop: &Crop| (crop.x + crop.width / 2.0, crop.y + crop.height / 2.0);
        let ((x0, y0), (x1, y1)) = (middle(&from), middle(&to));
        let sign = |change: f64| match change / from.width {
            small if small.abs() < 0.005 => 0,
            large => large.signum() as i32,
        };
        [sign(to.width - from.width), sign(x1 - x0), sign(y1 - y0)]
    };
    let photos = [
        size(2560, 1600),
        size(900, 900),
        size(7000, 1200),
        size(1600, 2560),
    ];
    let shapes = || {
        photos
            .iter()
            .flat_map(|p| [Fit::Auto, Fit::Contain].map(|f| (*p, f)))
    };
    for frame in FRAMES {
        for ((photo, fit), (other, other_fit)) in
            shapes().flat_map(|a| shapes().map(move |b| (a, b)))
        {
            for index in 0..6 {
                let one = kind(photo, frame, fit, index);
                let two = kind(other, frame, other_fit, index + 1);
                assert_ne!(
                    one, two,
                    "{photo:?} {fit:?}, {other:?} {other_fit:?} in {frame:?}, {index}"
                );
            }
        }
    }
}

#[test]
fn consecutive_scenes_move_differently() {
    let subject = Subject::default();
    for (photo, frame) in PHOTOS.iter().flat_map(|p| FRAMES.map(|f| (*p, f))) {
        let ends = |index| {
            let path = Shot {
                motion: Motion::Eased(Move::Auto),
                focus: Focus::Auto,
                fit: Fit::Auto,
                photo,
                frame,
                subject: &subject,
                covered_below: 0.2,
                seconds: 3.0,
                index,
            }
            .path();
            (path.crop(0.0), path.crop(1.0))
        };
        for index in 0..12 {
            assert_ne!(
                ends(index),
                ends(index + 1),
                "{photo:?} in {frame:?}, {index}"
            );
        }
    }
}
