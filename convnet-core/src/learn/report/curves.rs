//! Training curves, by `plotters`: loss, accuracy, learning rate.

use plotters::prelude::*;

use super::short;
use crate::learn::train::{Epoch, History, Metrics};

/// One curve: its colour, its name, its points.
type Curve<'a> = (RGBColor, &'a str, Vec<(f64, f64)>);

// The page's own colours, light and dark, stand in their places once they are drawn.
const INK: RGBColor = RGBColor(1, 2, 3);
const LINE: RGBColor = RGBColor(1, 2, 4);
const ONE: RGBColor = RGBColor(1, 2, 5);
const TWO: RGBColor = RGBColor(1, 2, 6);
const THREE: RGBColor = RGBColor(1, 2, 7);
const COLOURS: [(RGBColor, &str); 5] = [
    (INK, "--soft"),
    (LINE, "--line"),
    (ONE, "--one"),
    (TWO, "--two"),
    (THREE, "--three"),
];

const SIZE: (u32, u32) = (360, 230);

/// A drawing for each of the three, where there is something to draw.
pub(super) fn draw(history: &History) -> String {
    let points = |of: &dyn Fn(&Epoch) -> Option<f64>| -> Vec<(f64, f64)> {
        let epochs = history.epochs.iter().zip(1_u32..);
        let found = epochs.filter_map(|(epoch, number)| Some((f64::from(number), of(epoch)?)));
        found.filter(|(_, value)| value.is_finite()).collect()
    };
    let of = |metric: &dyn Fn(&Metrics) -> Option<f64>| {
        [
            (ONE, "training", points(&|epoch| metric(&epoch.training))),
            (
                TWO,
                "validation",
                points(&|epoch| epoch.validation.as_ref().and_then(metric)),
            ),
        ]
    };
    let loss = of(&|metrics| Some(metrics.loss));
    let accuracy = of(&|metrics| metrics.accuracy.map(|share| 100.0 * share));
    let rate = [(
        THREE,
        "learning rate",
        points(&|epoch| Some(epoch.learning_rate)),
    )];
    let figures = [
        figure("loss", &loss),
        figure("accuracy, %", &accuracy),
        figure("learning rate", &rate),
    ];
    let epochs = history.epochs.len();
    let best = history.best.map_or_else(String::new, |best| {
        format!(
            " The network has its weights of epoch {}, in which the validation loss was lowest.",
            best + 1
        )
    });
    format!(
        "<p>{epochs} {}.{best}</p><div class=\"curves\">{}</div>",
        if epochs == 1 { "epoch" } else { "epochs" },
        figures.concat()
    )
}

/// Curves with their names below; nothing where no curve has a point.
fn figure(title: &str, curves: &[Curve<'_>]) -> String {
    let curves: Vec<_> = curves
        .iter()
        .filter(|(.., points)| !points.is_empty())
        .collect();
    let Some(svg) = svg(&curves) else {
        return String::new();
    };
    let names: String = curves
        .iter()
        .map(|(colour, name, points)| {
            let last = points
                .last()
                .map_or_else(String::new, |(_, value)| format!(" {}", short(*value)));
            let key = format!(
                "<span class=\"key\" style=\"background:{}\"></span>",
                css(*colour)
            );
            format!("<span>{key}{name}{last}</span> ")
        })
        .collect();
    format!("<figure><h3>{title}</h3>{svg}<figcaption>{names}</figcaption></figure>")
}

/// The drawing; nothing if there are no points.
fn svg(curves: &[&Curve<'_>]) -> Option<String> {
    let points = || curves.iter().flat_map(|(.., points)| points);
    let epochs = points().map(|&(epoch, _)| epoch).reduce(f64::max)?;
    let (least, most) = points().fold((f64::INFINITY, 0.0_f64), |(least, most), &(_, value)| {
        (least.min(value), most.max(value))
    });
    let least = if least > 0.6 * most {
        least - 0.1 * (most - least)
    } else {
        least.min(0.0)
    };
    let most = if most > least { most } else { least + 1.0 };
    let mut svg = String::new();
    let drawn = {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        chart(&root, (epochs, least, most), curves).and_then(|()| root.present().map_err(drop))
    };
    drawn.ok()?;
    for (colour, _) in COLOURS {
        svg = svg.replace(&hex(colour), &css(colour));
    }
    Some(svg.replace(
        &format!("<svg width=\"{}\" height=\"{}\"", SIZE.0, SIZE.1),
        "<svg",
    ))
}

/// Axes, a grid, lines; a text buffer has no errors to tell.
fn chart(
    root: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    (epochs, least, most): (f64, f64, f64),
    curves: &[&Curve<'_>],
) -> Result<(), ()> {
    let mut chart = ChartBuilder::on(root)
        .margin(6)
        .margin_right(12)
        .x_label_area_size(24)
        .y_label_area_size(44)
        .build_cartesian_2d(1.0..epochs.max(2.0), least..most + 0.04 * (most - least))
        .map_err(drop)?;
    let label = ("sans-serif", 12).into_font().color(&INK);
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(LINE)
        .light_line_style(TRANSPARENT)
        .axis_style(LINE)
        .label_style(label)
        .x_labels(6)
        .y_labels(5)
        .x_label_formatter(&|epoch| match epoch.fract() == 0.0 {
            true => format!("{epoch:.0}"),
            false => String::new(),
        })
        .y_label_formatter(&|value| tick(*value))
        .draw()
        .map_err(drop)?;
    for (colour, _, points) in curves {
        let line = LineSeries::new(points.iter().copied(), colour.stroke_width(2));
        chart
            .draw_series(line.point_size(if points.len() < 24 { 2 } else { 0 }))
            .map_err(drop)?;
    }
    Ok(())
}

/// A number beside an axis: no more digits than it needs.
fn tick(value: f64) -> String {
    let text = short(value);
    match text.contains('.') && !text.contains('e') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// As `plotters` writes it.
fn hex(RGBColor(r, g, b): RGBColor) -> String {
    format!("#{r:02X}{g:02X}{b:02X}")
}

/// As the page says it.
fn css(colour: RGBColor) -> String {
    let found = COLOURS.iter().find(|(other, _)| *other == colour);
    found.map_or_else(|| hex(colour), |(_, name)| format!("var({name})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_has_the_colours_of_the_page() {
        let metrics = |loss| Metrics {
            loss,
            accuracy: None,
        };
        let epoch = |loss, rate| Epoch {
            training: metrics(loss),
            validation: Some(metrics(2.0 * loss)),
            learning_rate: rate,
            images_per_second: 1.0,
            waits: Vec::new(),
        };
        let epochs = vec![epoch(2.0, 0.1), epoch(1.0, 0.05), epoch(f64::NAN, 0.0)];
        let history = History {
            epochs,
            ..History::default()
        };
        let drawn = draw(&history);
        assert_eq!(drawn.matches("<svg").count(), 2, "{drawn}");
        for name in ["--one", "--two", "--three", "--line", "--soft"] {
            assert!(
                drawn.contains(&format!("\"var({name})\"")),
                "{name}: {drawn}"
            );
        }
        assert!(!drawn.contains("#0102"), "{drawn}");
        assert!(drawn.contains("validation 2.00"), "{drawn}");
    }
}
