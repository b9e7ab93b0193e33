//! The titles from outside: templates, facts, fonts and logos in, blended frames out.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use kinora::listing::template::{Field, Fields, Templates};
use kinora::picture::{Limits, Logo, PictureError, logo};
use kinora::spec::Size;
use kinora::spec::overlay::{Content, Overlay};
use kinora::titles::{Fonts, Titles, bounds};

const FRAMES: [(u32, u32); 4] = [(1920, 1080), (1080, 1080), (1080, 1350), (1080, 1920)];

const BUNDLED: [&str; 5] = [
    "ActiveListing1",
    "JustListed1",
    "JustSold1",
    "OpenHouse1",
    "PriceReduced1",
];

fn bundled() -> Templates {
    Templates::load(None).unwrap()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn typical() -> Fields {
    Fields {
        address: some("123 Main St"),
        price: some("$500,000"),
        details: some("3 bed, 2 bath"),
        name: some("John Doe"),
        phone: some("(555) 123-4567"),
        website: some("www.example.com"),
        logo: true,
    }
}

fn all(text: &str) -> Fields {
    Fields {
        address: some(text),
        price: some(text),
        details: some(text),
        name: some(text),
        phone: some(text),
        website: some(text),
        logo: true,
    }
}

/// Facts short and long, usual and hostile.
fn facts() -> Vec<Fields> {
    let long = Fields {
        address: some(
            "1847 Old Mill Creek Road, Apartment 12B, San Bernardino, California 92407-1234",
        ),
        price: some("From $12,500,000 to $14,750,000"),
        details: some("6 bedrooms, 5.5 bathrooms, 8,450 sq ft, heated pool, three-car garage"),
        name: some("Maximiliana Featherstonehaugh-Cholmondeley & Partners"),
        phone: some("+1 (555) 123-4567 ext. 89012"),
        website: some("www.featherstonehaugh-luxury-real-estate.example.com/listings/1847"),
        logo: true,
    };
    let mut sets = vec![typical(), long];
    sets.extend(
        [
            &"word ".repeat(2_000),
            &"W".repeat(300),
            &"1,000,000 ".repeat(40),
            &"e\u{301}\u{302}\u{303}\u{304}\u{305}".repeat(100),
            &"\u{202e}abc\u{2066}\u{0}\u{1b}[31m\n\r\t\u{feff}".repeat(50),
            "ул. Большая Никитская, 22/2, Москва",
            "Λεωφόρος Βασιλίσσης Σοφίας 12, Αθήνα",
            "東京都港区南青山五丁目６番地２号 エクセレント南青山 1203号室",
            "شارع الملك فهد، حي العليا، الرياض 12211",
            "רחוב דיזנגוף 99, תל אביב-יפו",
            "48 Rue de l’Église, Çeşme, Žilina, Đà Nẵng",
            "🏡 👩\u{200d}🚒 🇫🇷 ⭐\u{fe0f}",
            "ก็็็็็ ༼ つ ◕_◕ ༽つ ﷽ 𝔘𝔫𝔦𝔠𝔬𝔡𝔢",
        ]
        .map(all),
    );
    sets
}

fn some_logo() -> Logo {
    let svg = br##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 90"><path fill="#123" d="M0 0h80v90h-80zM120 20h180v50h-180z"/></svg>"##;
    let max = Size {
        width: 600,
        height: 300,
    };
    logo(svg, &Limits::default(), max, false).unwrap()
}

fn overlapping(a: &[f32; 4], b: &[f32; 4]) -> bool {
    let along = |i: usize| a[i] + a[i + 2] - 0.5 > b[i] && b[i] + b[i + 2] - 0.5 > a[i];
    along(0) && along(1)
}

fn together(a: &Overlay, b: &Overlay) -> bool {
    a.start < b.end && b.start < a.end
}

#[test]
fn titles_stay_in_the_frame_and_apart() {
    let (templates, fonts, logo) = (bundled(), Fonts::new(None), some_logo());
    for template in templates.iter() {
        for (width, height) in FRAMES {
            for facts in facts() {
                let frame = Size { width, height };
                let overlays = template.fill(&facts, 30.0).overlays;
                let boxes: Vec<Vec<[f32; 4]>> = overlays
                    .iter()
                    .map(|overlay| bounds(overlay, Some(&logo), &fonts, frame))
                    .collect();
                let what = format!("{} {width}x{height} {:?}", template.name, facts.address);
                for [x, y, w, h] in boxes.iter().flatten() {
                    assert!(*x >= 0.0 && x + w <= width as f32, "{what}: {x} + {w}");
                    assert!(*y >= 0.0 && y + h <= height as f32, "{what}: {y} + {h}");
                }
                for (i, one) in overlays.iter().enumerate() {
                    for (k, other) in overlays.iter().enumerate().skip(i + 1) {
                        let meet = boxes[i]
                            .iter()
                            .any(|a| boxes[k].iter().any(|b| overlapping(a, b)));
                        assert!(
                            !(together(one, other) && meet),
                            "{what}: panels {i} and {k}"
                        );
                    }
                    // The first box is the panel's own, around the others.
                    let items = boxes[i].get(1..).unwrap_or_default();
                    for (n, a) in items.iter().enumerate() {
                        assert!(
                            items[n + 1..].iter().all(|b| !overlapping(a, b)),
                            "{what}: {items:?}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn titles_keep_clear_of_the_controls_of_phone_apps() {
    let (templates, fonts, logo) = (bundled(), Fonts::new(None), some_logo());
    let frame = Size {
        width: 1080,
        height: 1920,
    };
    for overlay in templates
        .iter()
        .flat_map(|template| template.fill(&typical(), 30.0).overlays)
    {
        for [_, y, _, h] in bounds(&overlay, Some(&logo), &fonts, frame) {
            assert!(y >= 0.1 * 1920.0 && y + h <= 0.82 * 1920.0, "{y} {h}");
        }
    }
}

#[test]
fn any_frame_and_length_will_do() {
    let (templates, fonts, logo) = (bundled(), Fonts::new(None), some_logo());
    let sizes = [
        (2, 2),
        (16, 16),
        (64, 1920),
        (1920, 64),
        (640, 360),
        (3840, 2160),
    ];
    for template in templates.iter() {
        for (width, height) in sizes {
            let frame = Size { width, height };
            let titles = Titles::new(
                &template.fill(&typical(), 10.0).overlays,
                Some(&logo),
                &fonts,
                frame,
            );
            let mut buffer = vec![128; (width * height * 3 / 2) as usize];
            titles.draw(1.0, &mut buffer);
            titles.draw(9.9, &mut buffer);
        }
        for tenths in 0..4010 {
            let length = f64::from(tenths) / 10.0;
            for overlay in template.fill(&typical(), length).overlays {
                assert!(
                    overlay.start >= 0.0 && overlay.end <= length && overlay.start < overlay.end
                );
                assert!(overlay.fade_in + overlay.fade_out <= overlay.end - overlay.start + 1e-9);
            }
        }
        for length in [f64::NAN, f64::INFINITY, -1.0] {
            assert!(template.fill(&typical(), length).overlays.is_empty());
        }
        assert!(!template.fill(&typical(), 1.0).overlays.is_empty());
    }
}

fn words(overlays: &[Overlay]) -> Vec<String> {
    fn collect(items: &[kinora::spec::overlay::Item], words: &mut Vec<String>) {
        for item in items {
            match &item.content {
                Content::Text(text) => words.push(text.words.clone()),
                Content::Row { items, .. } => collect(items, words),
                Content::Logo(_) => words.push("LOGO".into()),
                Content::Rule(_) => {}
            }
        }
    }
    let mut words = Vec::new();
    overlays
        .iter()
        .for_each(|overlay| collect(&overlay.panel.items, &mut words));
    words
}

#[test]
fn all_combinations_of_missing_facts_close_their_gaps() {
    let (templates, fonts, logo) = (bundled(), Fonts::new(None), some_logo());
    let frame = Size {
        width: 1080,
        height: 1080,
    };
    for template in templates.iter() {
        for mask in 0..128u32 {
            let full = typical();
            let keep = |bit: u32, text: Option<String>| text.filter(|_| mask & (1 << bit) != 0);
            let facts = Fields {
                address: keep(0, full.address),
                price: keep(1, full.price),
                details: keep(2, full.details),
                name: keep(3, full.name),
                phone: keep(4, full.phone),
                website: keep(5, full.website),
                logo: mask & 64 != 0,
            };
            let overlays = template.fill(&facts, 30.0).overlays;
            let said = words(&overlays).join("\n");
            for (there, text) in [
                (facts.address.is_some(), "123 Main St"),
                (facts.price.is_some(), "$500,000"),
                (facts.details.is_some(), "3 bed, 2 bath"),
                (facts.name.is_some(), "John Doe"),
                (facts.phone.is_some(), "(555) 123-4567"),
                (facts.website.is_some(), "www.example.com"),
                (facts.logo, "LOGO"),
            ] {
                assert_eq!(
                    said.contains(text),
                    there,
                    "{} {mask:07b} {text}",
                    template.name
                );
            }
            assert!(!said.contains(['{', '}']));
            for overlay in &overlays {
                let boxes = bounds(overlay, Some(&logo), &fonts, frame);
                let mut rows: Vec<_> = boxes[1..].iter().map(|b| (b[1], b[1] + b[3])).collect();
                rows.sort_by(|a, b| a.0.total_cmp(&b.0));
                let mut below = rows[0].1;
                for (top, bottom) in rows {
                    // A missing item leaves no hole: 8 u is the widest gap of all templates.
                    assert!(
                        top - below <= 86.4,
                        "{} {mask:07b}: {}",
                        template.name,
                        top - below
                    );
                    below = below.max(bottom);
                }
            }
        }
    }
}

#[test]
fn bundled_templates_are_known_and_use_every_fact() {
    let templates = bundled();
    let fonts = Fonts::new(None);
    assert_eq!(templates.names().collect::<Vec<_>>(), BUNDLED);
    for template in templates.iter() {
        assert_eq!(template.uses().len(), 7, "{}", template.name);
        assert!(template.uses().contains(&Field::Logo));
        assert_eq!(fonts.missing_warning("", template.fonts()), None);
        assert!((0.2..=2.0).contains(&template.transition.seconds));
    }
}

#[test]
fn fonts_that_do_not_exist_are_named() {
    let warning = Fonts::new(None).missing_warning("Mine", ["manrope", "Papyrus", "Nunito"]);
    let warning = warning.unwrap();
    assert!(
        warning.contains("Mine") && warning.contains(": Papyrus;"),
        "{warning}"
    );
}

#[test]
fn overlays_survive_serialization() {
    for template in bundled().iter() {
        let overlays = template.fill(&typical(), 30.0).overlays;
        let json = serde_json::to_string(&overlays).unwrap();
        assert_eq!(
            serde_json::from_str::<Vec<Overlay>>(&json).unwrap(),
            overlays
        );
    }
}

#[test]
fn fades_are_linear_and_leave_the_rest_alone() {
    let templates = bundled();
    let fonts = Fonts::new(None);
    let frame = Size {
        width: 320,
        height: 320,
    };
    let overlays = templates
        .get("JustListed1")
        .unwrap()
        .fill(&typical(), 30.0)
        .overlays;
    let closing = overlays.last().unwrap().clone();
    let titles = Titles::new(std::slice::from_ref(&closing), None, &fonts, frame);
    let base: Vec<u8> = (0..320 * 320 * 3 / 2)
        .map(|i| (16 + i * 7 % 220) as u8)
        .collect();
    let drawn = |seconds: f64| {
        let mut buffer = base.clone();
        titles.draw(seconds, &mut buffer);
        buffer
    };
    assert_eq!(drawn(closing.start - 0.001), base);
    assert_ne!(drawn(closing.start + 0.1), base);
    let full = drawn(29.0);
    for share in [0.1, 0.25, 0.5, 0.75, 0.9] {
        let half = drawn(closing.start + closing.fade_in * share);
        for ((&base, &full), &half) in base.iter().zip(&full).zip(&half) {
            let want = f64::from(base) * (1.0 - share) + f64::from(full) * share;
            assert!(
                (f64::from(half) - want).abs() <= 1.02,
                "{base} {full} {half}"
            );
        }
    }
    let mut wrong = vec![7; 10];
    titles.draw(29.0, &mut wrong);
    assert_eq!(wrong, vec![7; 10]);
}

#[test]
fn hostile_texts_are_quick() {
    let (templates, fonts) = (bundled(), Fonts::new(None));
    let frame = Size {
        width: 1080,
        height: 1920,
    };
    let warm = templates
        .get("ActiveListing1")
        .unwrap()
        .fill(&typical(), 30.0)
        .overlays;
    Titles::new(&warm, None, &fonts, frame);
    for text in [
        "a".repeat(10_000),
        "word ".repeat(2_000),
        "\u{301}".repeat(10_000),
        "\u{10ffff}\u{e000}".repeat(5_000),
        (0x3400..0x5a00).filter_map(char::from_u32).collect(),
        "אa".repeat(5_000),
    ] {
        let started = Instant::now();
        let overlays = templates
            .get("PriceReduced1")
            .unwrap()
            .fill(&all(&text), 30.0)
            .overlays;
        Titles::new(&overlays, None, &fonts, frame);
        // Twenty times what it takes when optimised.
        assert!(
            started.elapsed() < Duration::from_secs(4),
            "{:?}",
            started.elapsed()
        );
    }
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Folder {
        let path =
            std::env::temp_dir().join(format!("kinora-titles-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        for (file, text) in files {
            fs::write(path.join(file), text).unwrap();
        }
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_users_template_replaces_the_bundled_one_of_its_name() {
    let mine = "title = \"Mine\"\n[style.a]\nfont = \"Manrope\"\nsize = 5\n[[panel]]\nstart = 0\nanchor = \"top\"\nitems = [{ text = \"{price}\", style = \"a\" }]\n";
    let folder = Folder::new(
        "wins",
        &[
            ("JustSold1.toml", mine),
            ("Other.toml", mine),
            ("notes.txt", ""),
        ],
    );
    let templates = Templates::load(Some(&folder.0)).unwrap();
    assert_eq!(templates.names().count(), 6);
    assert_eq!(templates.get("JustSold1").unwrap().title, "Mine");
    assert!(Templates::load(Some(&folder.0.join("missing"))).is_err());
}

#[test]
fn templates_with_the_keys_of_earlier_versions_are_read() {
    let template = |tint: &str, backdrop: &str| {
        let text = format!(
            "title = \"T\"\n[[panel]]\nstart = 0\nanchor = \"top\"\nbackdrops = [{{ {tint} = \"#123\" }}]\nitems = [{{ logo = [20, 9], {backdrop} = false }}]\n"
        );
        let folder = Folder::new(tint, &[("Mine.toml", &text)]);
        let templates = Templates::load(Some(&folder.0)).unwrap();
        templates
            .get("Mine")
            .unwrap()
            .fill(&typical(), 30.0)
            .overlays
    };
    let overlays = template("tint", "backdrop");
    assert_eq!(overlays.len(), 1);
    assert_eq!(template("veil", "plate"), overlays);
}

#[test]
fn mistakes_in_templates_are_reported_with_line_and_column() {
    let start = "title = \"T\"\n[style.a]\nfont = \"Manrope\"\nsize = 5\n";
    let panel = "[[panel]]\nstart = 0\nanchor = \"top\"\n";
    let cases = [
        ("title = 3", "line 1, column 9", "expected a string"),
        (
            "titel = \"x\"",
            "line 1",
            "unknown field `titel`, expected one of `title`",
        ),
        (
            &format!("{start}sise = 3\n"),
            "line 5",
            "unknown field `sise`",
        ),
        (
            &format!("{start}opacity = 1.5\n"),
            "line 5, column 11",
            "opacity is 1.5; give a number from 0 to 1",
        ),
        (&format!("{start}size = \n"), "line 5", ""),
        (
            &format!("{start}colour = \"pink\"\n"),
            "line 5, column 10",
            "unknown colour \"pink\"; give #rrggbb or a name from [colours]: (none)",
        ),
        (
            &format!("{start}{panel}items = [{{ text = \"{{adress}}\", style = \"a\" }}]\n"),
            "line 8, column 19",
            "unknown placeholder {adress}; the placeholders are: address, price",
        ),
        (
            &format!("{start}{panel}items = [{{ text = \"{{price\", style = \"a\" }}]\n"),
            "line 8",
            "no partner",
        ),
        (
            &format!("{start}{panel}items = [{{ text = \"x\", style = \"b\" }}]\n"),
            "line 8",
            "unknown style \"b\"; give one of: a",
        ),
        (
            &format!("{start}{panel}items = [{{ text = \"x\" }}]\n"),
            "line 8, column 10",
            "no style",
        ),
        (
            &format!("{start}{panel}items = [{{ style = \"a\" }}]\n"),
            "line 8",
            "give one of: text, rule, logo, row",
        ),
        (
            &format!("{start}{panel}items = [{{ logo = [9, 9], length = 3 }}]\n"),
            "line 8",
            "a logo has no `length`; it may have: backdrop",
        ),
        (
            &format!(
                "{start}{panel}backdrops = [{{ tint = \"#000\", bar = \"#fff\" }}]\nitems = []\n"
            ),
            "line 8",
            "cannot be both a tint and a bar",
        ),
        (
            &format!("{start}{}items = []\n", panel.replace("top", "middle")),
            "line 7",
            "unknown variant `middle`, expected one of",
        ),
    ];
    for (i, (text, place, message)) in cases.iter().enumerate() {
        let folder = Folder::new(&format!("bad-{i}"), &[("Bad.toml", text)]);
        let error = Templates::load(Some(&folder.0)).unwrap_err().to_string();
        assert!(
            error.contains("Bad.toml") && error.contains(place) && error.contains(message),
            "{error}"
        );
        assert!(!error.contains('\n'), "{error}");
    }
}

const MAX: Size = Size {
    width: 600,
    height: 300,
};

fn drawing(body: &str) -> Result<Logo, PictureError> {
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" viewBox=\"0 0 200 100\">{body}</svg>"
    );
    let started = Instant::now();
    let drawn = logo(svg.as_bytes(), &Limits::default(), MAX, false);
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}: {}",
        started.elapsed(),
        &svg[..200.min(svg.len())]
    );
    drawn
}

#[test]
fn drawings_are_drawn_at_the_requested_size() {
    let logo = drawing("<rect width='200' height='100' fill='#f00'/>").unwrap();
    assert_eq!(logo.size(), MAX);
    assert_eq!(logo.pixels()[100], [255, 0, 0, 255]);
    let trimmed =
        drawing("<rect x='50' y='25' width='50' height='50' fill='#00f' fill-opacity='.5'/>")
            .unwrap();
    assert_eq!((trimmed.size().width, trimmed.size().height), (150, 150));
    assert_eq!(trimmed.pixels()[5000], [0, 0, 128, 128]);
    assert_eq!(drawing("").unwrap_err(), PictureError::Invisible);
}

#[test]
fn drawings_open_nothing_outside() {
    let folder = Folder::new("outside", &[]);
    let file = folder.0.join("secret.png");
    image::RgbaImage::from_pixel(4, 4, image::Rgba([255, 0, 0, 255]))
        .save(&file)
        .unwrap();
    for href in [
        file.display().to_string(),
        format!("file://{}", file.display()),
        "http://127.0.0.1:9/x.png".into(),
    ] {
        let drawn = drawing(&format!(
            "<image width='200' height='100' xlink:href='{href}' href='{href}'/>"
        ));
        assert_eq!(drawn.unwrap_err(), PictureError::Invisible);
    }
    let entity = format!(
        "<!DOCTYPE svg [<!ENTITY x SYSTEM \"file://{}\">]><svg xmlns=\"http://www.w3.org/2000/svg\"><text>&x;</text></svg>",
        file.display()
    );
    assert!(logo(entity.as_bytes(), &Limits::default(), MAX, false).is_err());
}

#[test]
fn pictures_keep_their_alpha() {
    let mut picture = image::RgbaImage::from_pixel(40, 20, image::Rgba([0, 0, 0, 0]));
    for x in 10..30 {
        for y in 4..16 {
            picture.put_pixel(x, y, image::Rgba([200, 100, 50, 128]));
        }
    }
    let mut png = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
    let png = png.into_inner();
    let decoded = logo(&png, &Limits::default(), MAX, false).unwrap();
    assert_eq!((decoded.size().width, decoded.size().height), (20, 12));
    assert_eq!(decoded.pixels()[0], [100, 50, 25, 128]);
    let small = Size {
        width: 10,
        height: 10,
    };
    let reduced = logo(&png, &Limits::default(), small, false).unwrap();
    assert_eq!((reduced.size().width, reduced.size().height), (10, 6));
    assert_eq!(reduced.pixels()[25], [100, 50, 25, 128]);
    let tight = Limits {
        max_pixels: 100,
        ..Limits::default()
    };
    assert!(matches!(
        logo(&png, &tight, MAX, false),
        Err(PictureError::TooManyPixels { .. })
    ));
    assert!(matches!(
        logo(&png[..60], &Limits::default(), MAX, false),
        Err(PictureError::Truncated(_))
    ));
    for junk in [
        &b""[..],
        b"hello",
        b"%PDF-1.4",
        b"<html></html>",
        b"\x1f\x8b\x08",
        b"<svg",
    ] {
        assert!(logo(junk, &Limits::default(), MAX, false).is_err());
    }
}
