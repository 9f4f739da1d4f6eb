//! What was taken for what, and the images on which the loss is largest.

use std::fmt::Write as _;

use super::short;
use super::volumes::{class_name, picture_of};
use crate::data::{Samples, Target};
use crate::learn::train::Evaluation;
use crate::{AnyVolume, Network};

/// Of more classes than these no matrix is drawn.
const MOST_CLASSES: usize = 50;

/// Of images that must be those of the evaluation.
pub(super) fn draw<N: Network, Y: Target>(
    net: &N,
    seen: &Evaluation,
    samples: &impl Samples<Y>,
) -> String {
    let accuracy = match seen.accuracy() {
        share if share.is_nan() => String::new(),
        share => format!("accuracy {:.2} %, ", 100.0 * share),
    };
    format!(
        "<p>{} images, {accuracy}loss {:.4}</p>{}{}",
        seen.images(),
        seen.loss(),
        matrix(seen),
        worst(net, seen, samples)
    )
}

/// A line a class, a column a prediction; nothing where there is no right and wrong, or too much of it.
fn matrix(seen: &Evaluation) -> String {
    let accuracies: Vec<_> = seen.class_accuracies().collect();
    let classes = accuracies.len();
    if classes > MOST_CLASSES || seen.accuracy().is_nan() {
        return String::new();
    }
    let name = |class| class_name(seen.class_names(), class);
    let (mut head, mut rows) = (String::new(), String::new());
    for (class, accuracy) in accuracies.iter().enumerate() {
        let _ = write!(
            head,
            "<th class=\"head\" title=\"{0}\">{0}</th>",
            name(class)
        );
        let images: usize = (0..classes)
            .map(|predicted| seen.count(class, predicted))
            .sum();
        let _ = write!(rows, "<tr><th class=\"left\">{}</th>", name(class));
        for predicted in 0..classes {
            let count = seen.count(class, predicted);
            let share = 100.0 * count as f64 / images.max(1) as f64;
            let colour = if class == predicted { "three" } else { "two" };
            // A rare mistake is to be seen, too.
            let depth = if count == 0 { 0.0 } else { 14.0 + 0.36 * share };
            let text = if count == 0 {
                "·".to_owned()
            } else {
                count.to_string()
            };
            let _ = write!(
                rows,
                "<td style=\"background:color-mix(in srgb, var(--{colour}) {depth:.0}%, transparent)\" \
                 title=\"{} taken for {}: {share:.1} %\">{text}</td>",
                name(class),
                name(predicted)
            );
        }
        let accuracy =
            accuracy.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", 100.0 * share));
        let _ = writeln!(rows, "<td>{accuracy}</td></tr>");
    }
    format!(
        "<div class=\"scroll\" tabindex=\"0\"><table class=\"matrix\"><thead><tr><th class=\"left\">is ↓ said →</th>{head}\
         <th>right</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )
}

/// The images on which the loss is largest, with what they are and what they were taken for.
fn worst<N: Network, Y: Target>(net: &N, seen: &Evaluation, samples: &impl Samples<Y>) -> String {
    let (mut input, mut arena): (Box<N::Input>, Box<N::Arena>) =
        (bytemuck::zeroed_box(), bytemuck::zeroed_box());
    let mut figures = String::new();
    for &(index, loss) in seen.worst() {
        let there = index < samples.len();
        let Some(picture) = there
            .then(|| picture_of::<N, Y>(samples, index, "small"))
            .flatten()
        else {
            continue;
        };
        samples.image(index, input.as_mut_slice());
        let scores = net.forward(&input, &mut arena).as_slice();
        let (mut answers, mut says) = (0, String::new());
        samples
            .label(index)
            .answers(scores, &mut |label, predicted| {
                answers += 1;
                let [label, predicted] =
                    [label, predicted].map(|class| class_name(seen.class_names(), class));
                says = match label == predicted {
                    true => format!("{label}<br/>"),
                    false => format!("{label}, taken for {predicted}<br/>"),
                };
            });
        if answers != 1 {
            says.clear();
        }
        let loss = short(loss);
        let _ = write!(
            figures,
            "<figure>{picture}<figcaption>{says}loss {loss}</figcaption></figure>"
        );
    }
    match figures.is_empty() {
        true => figures,
        false => format!(
            "<h3 style=\"margin-top:1.2rem\">The largest losses</h3><div class=\"worst\">{figures}</div>"
        ),
    }
}
