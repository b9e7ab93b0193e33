//! Tables → draft: names are resolved and numbers checked against their ranges.

use toml::Spanned;

use super::backdrop::backdrop;
use super::diagnostic::{Diagnostic, LocatedDiagnostic};
use super::draft::{DraftPanel, Template};
use super::item::items;
use super::number::{number, pair, required};
use super::span::DraftSpan;
use super::stylesheet::Stylesheet;
use super::tables::{BackdropTable, Number, PanelTable, TemplateTable, TransitionTable};
use crate::spec::overlay::{Margin, Panel};
use crate::spec::{Transition, TransitionKind};

/// The default of a transition, in seconds.
const TRANSITION_SECONDS: f64 = 0.8;

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// At the first mistake, with its line and column.
    pub fn parse(name: &str, text: &str) -> Result<Template, LocatedDiagnostic> {
        toml::from_str(text)
            .map_err(Diagnostic::from)
            .and_then(|table| template(name, table))
            .map_err(|diagnostic| diagnostic.located(text))
    }
}

fn template(name: &str, table: TemplateTable) -> Result<Template, Diagnostic> {
    let stylesheet = Stylesheet::new(table.colours, table.style)?;
    let panels = table.panel.into_iter();
    let panels: Result<_, Diagnostic> = panels.map(|table| panel(table, &stylesheet)).collect();
    Ok(Template {
        name: name.into(),
        title: table.title,
        description: table.description,
        transition: transition(table.transition, table.crossfade)?,
        panels: panels?,
    })
}

/// `crossfade` counts only where there is no `transition`.
fn transition(
    table: Option<TransitionTable>,
    crossfade: Option<Number>,
) -> Result<Transition, Diagnostic> {
    let range = 0.0..=10.0;
    let (kind, seconds) = match table {
        Some(TransitionTable { kind, seconds }) => {
            (kind, number("seconds", seconds, TRANSITION_SECONDS, range)?)
        }
        None => (
            TransitionKind::Fade,
            number("crossfade", crossfade, TRANSITION_SECONDS, range)?,
        ),
    };
    Ok(Transition { kind, seconds })
}

fn panel(table: PanelTable, stylesheet: &Stylesheet) -> Result<DraftPanel, Diagnostic> {
    let span = span(&table)?;
    let [x, y] = pair("margin", table.margin, [6.0, 6.0], 0.0..=45.0)?;
    let is_blur = |table: &Spanned<BackdropTable>| table.get_ref().blur.is_some();
    if let Some(blur) = table.backdrops.iter().skip(1).find(|table| is_blur(table)) {
        let message = "a blur is below all other backdrops; write it first";
        return Err(Diagnostic::new(blur.span(), message.to_owned()));
    }
    let backdrops = table.backdrops.into_iter();
    let backdrops: Result<_, Diagnostic> = backdrops
        .map(|table| backdrop(table, &stylesheet.palette))
        .collect();
    Ok(DraftPanel {
        span,
        panel: Panel {
            anchor: table.anchor,
            margin: Margin { x, y },
            width: number("width", table.width, 84.0, 1.0..=400.0)?,
            align: table.align.unwrap_or(table.anchor.align()),
            gap: number("gap", table.gap, 2.0, 0.0..=100.0)?,
            backdrops: backdrops?,
            items: Vec::new(),
        },
        items: items(table.items, stylesheet)?,
    })
}

fn span(table: &PanelTable) -> Result<DraftSpan, Diagnostic> {
    let seconds = |key, value: &Option<_>| number(key, value.clone(), 0.5, 0.0..=60.0);
    // Negative times count from the end.
    let moment = |key, value| required(key, value, -400.0..=400.0);
    let end = table.end.as_ref().map(|end| moment("end", end));
    Ok(DraftSpan {
        start: moment("start", &table.start)?,
        end: end.transpose()?,
        fade_in: seconds("fade_in", &table.fade_in)?,
        fade_out: seconds("fade_out", &table.fade_out)?,
    })
}
