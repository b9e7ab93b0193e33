//! Several videos of the same photos, by one command.

use image::{Rgb, RgbImage};

use crate::support::frames::{self, Frame};
use crate::support::photos::{Photo, PhotoServer};
use crate::support::picture::{detailed, jpeg, png};
use crate::support::probe::Probe;
use crate::support::render::{kinora, stderr};
use crate::support::scratch::Scratch;

const QUICK: [&str; 4] = ["--length", "3", "--frame-rate", "15"];

const COLOURS: [[u8; 3]; 3] = [[200, 40, 40], [40, 160, 60], [50, 60, 190]];

/// Three photos of one colour each.
fn photos(home: &Scratch) -> [&'static str; 3] {
    let names = ["red.png", "green.png", "blue.png"];
    for (name, colour) in names.into_iter().zip(COLOURS) {
        home.write(name, png(&RgbImage::from_pixel(120, 80, Rgb(colour))));
    }
    names
}

fn renders(home: &Scratch, flags: &[&str]) {
    let photos = photos(home);
    let output = kinora(
        home,
        ["render"].iter().chain(&photos).chain(&QUICK).chain(flags),
    );
    assert!(output.status.success(), "{}", stderr(&output));
}

/// Which of the photos is in the middle of a frame.
fn shown(frame: &Frame) -> Option<usize> {
    let middle = frame.rgb(frame.width / 2, frame.height / 2);
    COLOURS.iter().position(|colour| {
        let pairs = colour.iter().zip(middle);
        pairs
            .map(|(is, got)| (f64::from(*is) - got).abs())
            .sum::<f64>()
            < 12.0
    })
}

/// Where the letters are: frames of plain photos have a few colours only.
fn has_letters(frame: &Frame) -> bool {
    let white = |x: usize, y: usize| frame.y(x, y) > 200.0;
    let places = (0..frame.height).flat_map(|y| (0..frame.width).map(move |x| (x, y)));
    places.filter(|(x, y)| white(*x, *y)).count() > 200
}

#[test]
fn each_variant_shows_all_photos_in_its_own_shape() {
    let home = Scratch::new();
    renders(
        &home,
        &[
            "-o",
            "feed.mp4",
            "--thumbnail",
            "feed.jpg",
            "--variant",
            "reel=9:16",
            "--variant",
            "mls=16:9",
        ],
    );
    for (name, size) in [
        ("feed", (1080, 1080)),
        ("feed-reel", (1080, 1920)),
        ("feed-mls", (1920, 1080)),
    ] {
        let video = home.join(&format!("{name}.mp4"));
        assert_eq!(Probe::of(&video).size(), size);
        let frames = frames::all(&video);
        assert_eq!(frames.len(), 45);
        assert_eq!([7, 22, 37].map(|k| shown(&frames[k])), [0, 1, 2].map(Some));
        let still = image::open(home.join(&format!("{name}.jpg"))).expect("a thumbnail");
        assert_eq!((still.width().into(), still.height().into()), size);
    }
    let left = std::fs::read_dir(home.path()).expect("a directory").count();
    assert_eq!(left, 3 + 6, "something else is left in the directory");
}

#[test]
fn a_variant_is_the_video_that_an_order_of_its_own_gives() {
    let home = Scratch::new();
    home.write("photo.png", png(&detailed(900, 700)));
    let render = |flags: &[&str]| {
        let photo = ["render", "photo.png", "photo.png"];
        let output = kinora(&home, photo.iter().chain(&QUICK).chain(flags));
        assert!(output.status.success(), "{}", stderr(&output));
    };
    render(&["-o", "both.mp4", "--variant", "wide=16:9"]);
    render(&["-o", "alone.mp4", "--aspect-ratio", "16:9"]);
    let [variant, alone] = ["both-wide.mp4", "alone.mp4"].map(|name| frames::all(&home.join(name)));
    assert_eq!(variant.len(), alone.len());
    for (k, (one, other)) in variant.iter().zip(&alone).enumerate() {
        let places = (0..one.height)
            .step_by(7)
            .flat_map(|y| (0..one.width).step_by(7).map(move |x| (x, y)));
        let off: Vec<f64> = places
            .map(|(x, y)| (one.y(x, y) - other.y(x, y)).abs())
            .collect();
        let mean = off.iter().sum::<f64>() / off.len() as f64;
        assert!(mean < 1.5, "frame {k} is {mean} off");
    }
}

#[test]
fn variants_can_do_without_titles_and_without_the_agent() {
    let home = Scratch::new();
    let photos = photos(&home);
    let video = ["-o", "a.mp4", "--length", "9", "--frame-rate", "15"];
    let titles = ["--template", "ActiveListing1", "--address", "1 Main St"];
    let agent = ["--contact-name", "John Doe", "--contact-phone", "555 1234"];
    let variants = ["plain=1:1,plain", "mls=1:1,unbranded"];
    let variants = variants.map(|variant| ["--variant", variant]).concat();
    let args = [&["render"], &photos[..], &video, &titles, &agent, &variants].concat();
    let output = kinora(&home, args);
    assert!(output.status.success(), "{}", stderr(&output));
    let [all, plain, mls] =
        ["a.mp4", "a-plain.mp4", "a-mls.mp4"].map(|name| frames::all(&home.join(name)));
    let letters = |second: usize| [&all, &plain, &mls].map(|it| has_letters(&it[second * 15]));
    assert_eq!(letters(1), [true, false, true], "the address opens");
    assert_eq!(letters(8), [true, false, false], "the agent closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn photos_are_fetched_once() {
    let home = Scratch::new();
    let server = PhotoServer::start();
    let photo = jpeg(&detailed(320, 240));
    let paths = ["/1.jpg", "/2.jpg", "/3.jpg"];
    let urls = paths.map(|path| server.put(path, Photo::Bytes("image/jpeg", photo.clone())));
    home.write("kinora.toml", "[net]\nallow_networks = [\"127.0.0.0/8\"]\n");
    let flags = [
        "-o",
        "a.mp4",
        "--config",
        "kinora.toml",
        "--variant",
        "b=9:16",
        "--variant",
        "c=16:9",
    ];
    let output = tokio::task::spawn_blocking(move || {
        let args = ["render".to_owned()].into_iter().chain(urls);
        let args = args.chain(QUICK.iter().chain(&flags).map(|flag| (*flag).to_owned()));
        kinora(&home, args)
    });
    let output = output.await.expect("an end");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(paths.map(|path| server.asked(path)), [1, 1, 1]);
}

#[test]
fn a_file_is_as_small_as_it_has_to_be() {
    let home = Scratch::new();
    let mut state = 1u32;
    let noise = RgbImage::from_fn(640, 640, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Rgb([(state >> 24) as u8; 3])
    });
    home.write("noise.png", png(&noise));
    let args = [
        "render",
        "noise.png",
        "noise.png",
        "-o",
        "a.mp4",
        "--length",
        "4",
        "--max-mb",
        "2",
    ];
    let output = kinora(&home, args.iter().chain(&["--variant", "free=1:1"]));
    assert!(output.status.success(), "{}", stderr(&output));
    let bytes = |name: &str| std::fs::metadata(home.join(name)).expect("a file").len();
    let (limited, free) = (bytes("a.mp4"), bytes("a-free.mp4"));
    assert!(free > 4_000_000, "{free} bytes are no test");
    assert!(
        (1_000_000..=2_000_000).contains(&limited),
        "{limited} bytes"
    );
}

#[test]
fn what_cannot_be_met_is_said_and_nothing_is_left() {
    for (flags, said) in [
        (&["--variant", "reel"][..], "NAME=RATIO"),
        (&["--variant", "../reel=9:16"], "letters, digits, - and _"),
        (&["--variant", "=9:16"], "letters, digits, - and _"),
        (&["--variant", "reel=3:2"], "16:9, 1:1, 4:5 and 9:16"),
        (
            &["--variant", "reel=9:16,shiny"],
            "plain, unbranded and max-mb=NUMBER",
        ),
        (&["--variant", "reel=9:16,max-mb=0"], "megabytes"),
        (
            &["--variant", "a=9:16", "--variant", "a=1:1"],
            "two variants of the name \"a\"",
        ),
        (
            &["--max-mb", "0.01", "--length", "20"],
            "cannot be made in 10000 bytes",
        ),
    ] {
        let home = Scratch::new();
        let photos = photos(&home);
        let output = kinora(
            &home,
            ["render", "-o", "a.mp4"].iter().chain(&photos).chain(flags),
        );
        assert!(!output.status.success(), "{flags:?}");
        let text = stderr(&output);
        assert!(text.contains(said), "{flags:?}: {text}");
        let left = std::fs::read_dir(home.path()).expect("a directory").count();
        assert_eq!(left, photos.len(), "{flags:?} leave files");
    }
}
