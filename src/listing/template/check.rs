//! Form → draft: names are resolved, numbers held to their ranges, and mistakes reported with their place.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};

use toml::Spanned;

use super::draft::{DraftContent, DraftItem, DraftPanel, Piece, Template};
use super::error::{Diagnostic, LocatedDiagnostic};
use super::fields::Field;
use super::form::{BackdropForm, ItemForm, Name, Number, PanelForm, StyleForm, TemplateForm};
use super::span::DraftSpan;
use crate::spec::overlay::{Backdrop, Colour, LogoBox, Margin, Paint, Panel, Pill, Rule, Style};

/// Seconds in which a scene turns into the next, unless the template says otherwise.
const CROSSFADE: f64 = 0.8;

const SECONDS: RangeInclusive<f64> = 0.0..=60.0;
const MOMENT: RangeInclusive<f64> = -400.0..=400.0;
const SHARE: RangeInclusive<f64> = 0.0..=1.0;
/// In u: frames are at least 100 u wide and high.
const LENGTH: RangeInclusive<f64> = 0.0..=400.0;
const TYPE_SIZE: RangeInclusive<f64> = 0.5..=60.0;

impl Template {
    pub(super) fn parse(name: &str, text: &str) -> Result<Template, LocatedDiagnostic> {
        toml::from_str(text)
            .map_err(Diagnostic::from)
            .and_then(|form| template(name, form))
            .map_err(|diagnostic| diagnostic.located(text))
    }
}

fn template(name: &str, form: TemplateForm) -> Result<Template, Diagnostic> {
    let palette = Palette::new(form.colours)?;
    let styles: Result<BTreeMap<String, NamedStyle>, Diagnostic> = form
        .style
        .into_iter()
        .map(|(name, form)| Ok((name, named_style(form, &palette)?)))
        .collect();
    let stylesheet = Stylesheet {
        palette,
        styles: styles?,
    };
    let panels: Result<Vec<_>, Diagnostic> = form
        .panel
        .into_iter()
        .map(|form| panel(form, &stylesheet))
        .collect();
    Ok(Template {
        name: name.into(),
        title: form.title,
        description: form.description,
        crossfade: number("crossfade", form.crossfade, CROSSFADE, 0.0..=10.0)?,
        panels: panels?,
    })
}

/// The colours that the template has given names.
struct Palette(BTreeMap<String, Colour>);

impl Palette {
    fn new(forms: BTreeMap<String, Name>) -> Result<Palette, Diagnostic> {
        let colours: Result<_, Diagnostic> = forms
            .into_iter()
            .map(|(name, text)| {
                let colour = text
                    .get_ref()
                    .parse()
                    .map_err(|e: String| Diagnostic::new(text.span(), e))?;
                Ok((name, colour))
            })
            .collect();
        colours.map(Palette)
    }

    fn colour(&self, name: &Name) -> Result<Colour, Diagnostic> {
        if let Some(colour) = self.0.get(name.get_ref()) {
            return Ok(*colour);
        }
        name.get_ref().parse().map_err(|_| {
            let known = listed(self.0.keys());
            let text = name.get_ref();
            Diagnostic::new(
                name.span(),
                format!(
                    "unknown colour \"{text}\"; give #rrggbb or a name from [colours]: {known}"
                ),
            )
        })
    }

    fn paint(&self, colour: &Name, opacity: Option<Number>) -> Result<Paint, Diagnostic> {
        Ok(Paint {
            colour: self.colour(colour)?,
            opacity: number("opacity", opacity, 1.0, SHARE)?,
        })
    }
}

/// A style and its pill.
struct NamedStyle {
    style: Style,
    pill: Option<Pill>,
}

struct Stylesheet {
    palette: Palette,
    styles: BTreeMap<String, NamedStyle>,
}

fn named_style(form: StyleForm, palette: &Palette) -> Result<NamedStyle, Diagnostic> {
    let size = required("size", &form.size, TYPE_SIZE)?;
    let white = Colour([255; 3]);
    let paint = Paint {
        colour: form
            .colour
            .map_or(Ok(white), |name| palette.colour(&name))?,
        opacity: number("opacity", form.opacity, 1.0, SHARE)?,
    };
    let style = Style {
        font: form.font,
        weight: number("weight", form.weight, 400.0, 1.0..=1000.0)?.round() as u16,
        italic: form.italic,
        size,
        min_size: number("min_size", form.min_size, size * 0.6, 0.5..=size)?,
        paint,
        tracking: number("tracking", form.tracking, 0.0, -20.0..=100.0)?,
        uppercase: form.uppercase,
        max_lines: number("lines", form.lines, 1.0, 1.0..=12.0)?.round() as u32,
        leading: number("leading", form.leading, 1.2, 0.7..=4.0)?,
        shadow: number("shadow", form.shadow, 0.0, SHARE)?,
    };
    let pill = form.pill.map(|form| -> Result<Pill, Diagnostic> {
        Ok(Pill {
            paint: palette.paint(&form.colour, form.opacity)?,
            padding: pair("padding", form.padding, [1.6, 0.9], 0.0..=40.0)?,
            radius: number("radius", form.radius, LENGTH.end() / 2.0, LENGTH)?,
        })
    });
    Ok(NamedStyle {
        style,
        pill: pill.transpose()?,
    })
}

fn panel(form: PanelForm, stylesheet: &Stylesheet) -> Result<DraftPanel, Diagnostic> {
    let span = DraftSpan {
        start: required("start", &form.start, MOMENT)?,
        end: form
            .end
            .map(|end| required("end", &end, MOMENT))
            .transpose()?,
        fade_in: number("fade_in", form.fade_in, 0.5, SECONDS)?,
        fade_out: number("fade_out", form.fade_out, 0.5, SECONDS)?,
    };
    let [x, y] = pair("margin", form.margin, [6.0, 6.0], 0.0..=45.0)?;
    let backdrops: Result<Vec<_>, Diagnostic> = form
        .backdrops
        .into_iter()
        .map(|form| backdrop(form, &stylesheet.palette))
        .collect();
    Ok(DraftPanel {
        span,
        panel: Panel {
            anchor: form.anchor,
            margin: Margin { x, y },
            width: number("width", form.width, 84.0, 1.0..=400.0)?,
            align: form.align.unwrap_or(form.anchor.align()),
            gap: number("gap", form.gap, 2.0, 0.0..=100.0)?,
            backdrops: backdrops?,
            items: Vec::new(),
        },
        items: items(form.items, stylesheet)?,
    })
}

fn backdrop(form: Spanned<BackdropForm>, palette: &Palette) -> Result<Backdrop, Diagnostic> {
    let at = form.span();
    let form = form.into_inner();
    let given = [
        ("tint", form.tint.is_some()),
        ("scrim", form.scrim.is_some()),
        ("bar", form.bar.is_some()),
        ("card", form.card.is_some()),
        ("stripe", form.stripe.is_some()),
        ("frame", form.frame.is_some()),
    ];
    let kind = kind("backdrop", &given, &at)?;
    let accepted: &[&str] = match kind {
        "tint" => &["opacity"],
        "scrim" => &["colour", "opacity", "reach"],
        "bar" => &["opacity", "padding", "bleed"],
        "card" => &["opacity", "padding", "radius", "shadow"],
        "stripe" => &["colour", "opacity", "thickness"],
        _ => &["opacity", "inset", "thickness"],
    };
    let used = [
        ("colour", form.colour.is_some()),
        ("opacity", form.opacity.is_some()),
        ("reach", form.reach.is_some()),
        ("padding", form.padding.is_some()),
        ("bleed", form.bleed.is_some()),
        ("radius", form.radius.is_some()),
        ("shadow", form.shadow.is_some()),
        ("thickness", form.thickness.is_some()),
        ("inset", form.inset.is_some()),
    ];
    refuse_strays(kind, accepted, &used, &at)?;

    let black = || Spanned::new(at.clone(), "#000000".to_owned());
    let named = [form.tint, form.bar, form.card, form.frame, form.colour];
    let colour = named.into_iter().flatten().next().unwrap_or_else(black);
    let paint = palette.paint(&colour, form.opacity)?;
    let thickness = number("thickness", form.thickness, 0.3, 0.0..=50.0)?;
    let padding = |default| pair("padding", form.padding.clone(), default, 0.0..=50.0);
    Ok(match (kind, form.scrim, form.stripe) {
        ("tint", ..) => Backdrop::Tint(paint),
        (_, Some(edge), _) => Backdrop::Scrim {
            edge,
            paint,
            reach: number("reach", form.reach, 1.5, 0.5..=10.0)?,
        },
        ("bar", ..) => Backdrop::Bar {
            paint,
            padding: padding([0.0, 3.0])?[1],
            bleed: form.bleed.unwrap_or(false),
        },
        ("card", ..) => Backdrop::Card {
            paint,
            padding: padding([3.5, 3.0])?,
            radius: number("radius", form.radius, 0.0, LENGTH)?,
            shadow: number("shadow", form.shadow, 0.0, SHARE)?,
        },
        (_, _, Some(side)) => Backdrop::Stripe {
            side,
            paint,
            thickness,
        },
        _ => Backdrop::Frame {
            paint,
            inset: number("inset", form.inset, 3.0, 0.0..=50.0)?,
            thickness,
        },
    })
}

fn items(
    forms: Vec<Spanned<ItemForm>>,
    stylesheet: &Stylesheet,
) -> Result<Vec<DraftItem>, Diagnostic> {
    forms
        .into_iter()
        .map(|form| item(form, stylesheet))
        .collect()
}

fn item(form: Spanned<ItemForm>, stylesheet: &Stylesheet) -> Result<DraftItem, Diagnostic> {
    let at = form.span();
    let form = form.into_inner();
    let given = [
        ("text", form.text.is_some()),
        ("rule", form.rule.is_some()),
        ("logo", form.logo.is_some()),
        ("row", form.row.is_some()),
    ];
    let kind = kind("item", &given, &at)?;
    let accepted: &[&str] = match kind {
        "text" => &["style", "keep"],
        "rule" => &["length", "thickness", "opacity"],
        "logo" => &["backdrop"],
        _ => &["gap"],
    };
    let used = [
        ("style", form.style.is_some()),
        ("keep", form.keep.is_some()),
        ("length", form.length.is_some()),
        ("thickness", form.thickness.is_some()),
        ("opacity", form.opacity.is_some()),
        ("backdrop", form.backdrop.is_some()),
        ("gap", form.gap.is_some()),
    ];
    refuse_strays(kind, accepted, &used, &at)?;

    let space = form
        .space
        .map(|space| required("space", &space, 0.0..=100.0))
        .transpose()?;
    let content = if let Some(text) = form.text {
        let named_style = stylesheet.named_style(form.style, &at)?;
        DraftContent::Text {
            pieces: pieces(&text)?,
            style: named_style.style.clone(),
            pill: named_style.pill,
            keep: form.keep.unwrap_or(false),
        }
    } else if let Some(colour) = form.rule {
        DraftContent::Rule(Rule {
            paint: stylesheet.palette.paint(&colour, form.opacity)?,
            length: number("length", form.length, 0.0, LENGTH)?,
            thickness: number("thickness", form.thickness, 0.3, 0.0..=20.0)?,
        })
    } else if let Some([width, height]) = form.logo {
        DraftContent::Logo(LogoBox {
            width: required("the logo's width", &width, 0.5..=400.0)?,
            height: required("the logo's height", &height, 0.5..=400.0)?,
            backdrop: form.backdrop.unwrap_or(true),
        })
    } else {
        DraftContent::Row {
            gap: number("gap", form.gap, 2.0, 0.0..=100.0)?,
            items: items(form.row.unwrap_or_default(), stylesheet)?,
        }
    };
    Ok(DraftItem { space, content })
}

impl Stylesheet {
    fn named_style(
        &self,
        name: Option<Name>,
        at: &Range<usize>,
    ) -> Result<&NamedStyle, Diagnostic> {
        let known = || listed(self.styles.keys());
        let name = name.ok_or_else(|| {
            Diagnostic::new(
                at.clone(),
                format!("the text has no style; give one of: {}", known()),
            )
        })?;
        self.styles.get(name.get_ref()).ok_or_else(|| {
            let unknown = name.get_ref();
            Diagnostic::new(
                name.span(),
                format!("unknown style \"{unknown}\"; give one of: {}", known()),
            )
        })
    }
}

/// Takes `{fact}` apart; `{{` and `}}` are braces.
fn pieces(text: &Name) -> Result<Vec<Piece>, Diagnostic> {
    let diagnostic = |message: String| Diagnostic::new(text.span(), message);
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text.get_ref().as_str();
    while let Some(at) = rest.find(['{', '}']) {
        literal.push_str(&rest[..at]);
        let tail = &rest[at..];
        if tail.starts_with("{{") || tail.starts_with("}}") {
            literal.push_str(&tail[..1]);
            rest = &tail[2..];
            continue;
        }
        let (name, after) = tail
            .strip_prefix('{')
            .and_then(|tail| tail.split_once('}'))
            .ok_or_else(|| {
                diagnostic("a brace has no partner; write {{ or }} for a brace".into())
            })?;
        let known = Field::TEXTS.iter().find(|(word, _)| *word == name.trim());
        let (_, field) = known.ok_or_else(|| {
            let known = listed(Field::TEXTS.iter().map(|(word, _)| word));
            diagnostic(format!(
                "unknown placeholder {{{name}}}; there are: {known}"
            ))
        })?;
        if !literal.is_empty() {
            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
        }
        pieces.push(Piece::Field(*field));
        rest = after;
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    Ok(pieces)
}

/// Which one of the keys that say what a table is was given.
fn kind(
    what: &str,
    given: &[(&'static str, bool)],
    at: &Range<usize>,
) -> Result<&'static str, Diagnostic> {
    let mut kinds = given
        .iter()
        .filter(|(_, given)| *given)
        .map(|(kind, _)| *kind);
    match (kinds.next(), kinds.next()) {
        (Some(kind), None) => Ok(kind),
        (Some(one), Some(other)) => Err(Diagnostic::new(
            at.clone(),
            format!("this {what} cannot be both a {one} and a {other}"),
        )),
        (None, _) => {
            let known = listed(given.iter().map(|(kind, _)| kind));
            Err(Diagnostic::new(
                at.clone(),
                format!("this {what} shows nothing; give one of: {known}"),
            ))
        }
    }
}

fn refuse_strays(
    kind: &str,
    accepted: &[&str],
    used: &[(&str, bool)],
    at: &Range<usize>,
) -> Result<(), Diagnostic> {
    let stray = used
        .iter()
        .find(|(key, used)| *used && !accepted.contains(key));
    stray.map_or(Ok(()), |(key, _)| {
        let known = listed(accepted);
        Err(Diagnostic::new(
            at.clone(),
            format!("`{key}` does not belong to a {kind}; what does: {known}"),
        ))
    })
}

fn number(
    key: &str,
    value: Option<Number>,
    default: f64,
    range: RangeInclusive<f64>,
) -> Result<f64, Diagnostic> {
    value.map_or(Ok(default), |value| required(key, &value, range))
}

fn required(key: &str, value: &Number, range: RangeInclusive<f64>) -> Result<f64, Diagnostic> {
    if range.contains(value.get_ref()) {
        return Ok(*value.get_ref());
    }
    let (least, most) = range.into_inner();
    let given = value.get_ref();
    Err(Diagnostic::new(
        value.span(),
        format!("{key} is {given}; give a number from {least} to {most}"),
    ))
}

fn pair(
    key: &str,
    values: Option<[Number; 2]>,
    default: [f64; 2],
    range: RangeInclusive<f64>,
) -> Result<[f64; 2], Diagnostic> {
    match values {
        Some([x, y]) => Ok([required(key, &x, range.clone())?, required(key, &y, range)?]),
        None => Ok(default),
    }
}

fn listed<T: AsRef<str>>(words: impl IntoIterator<Item = T>) -> String {
    let words: Vec<T> = words.into_iter().collect();
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    if words.is_empty() {
        "(none)".into()
    } else {
        words.join(", ")
    }
}
