//! A report is well-formed XML, and a browser needs nothing else for it; each layer's picture is in it, of the right
//! size, and each picture is what the network computed.

use std::io::Cursor;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use convnet::data::{self, Images, Samples};
use convnet::int8::Quantize;
use convnet::loss::SoftmaxCrossEntropy;
use convnet::optim::Adam;
use convnet::report::Report;
use convnet::train::{Progress, TrainError, Trainer, evaluate};
use convnet::{Volume, convnet, int8};
use roxmltree::{Document, Node, ParsingOptions};

convnet! {
    struct Digits {
        input(8x8x1),
        conv1: conv(16, 3x3, pad = 1),
        relu,
        max_pool(2x2, stride = 2),
        conv2: conv(32, 3x3, pad = 1),
        relu,
        max_pool(2x2, stride = 2),
        dropout(0.25),
        scores: fc(10),
    }
}
int8!(Digits);

convnet! {
    /// Every kind of block, and a network inside.
    struct Blocks {
        input(12x8x3),
        stem: network(Stem),
        residual { conv(4, 3x3, pad = 1), relu, residual { depthwise(3x3, pad = 1) } },
        concat { [conv(3, 1x1)], [conv(2, 1x1), concat { [conv(2, 3x3, pad = 1)], [] }], [] },
        residual { conv(6, 3x3, pad = 1), shortcut { conv(6, 1x1) } },
        batch_norm,
        global_avg_pool,
        fc(70),
        scores: fc(3),
        softmax,
    }
}

convnet! {
    struct Stem { input(12x8x3), conv1: conv(4, 5x5, pad = 2), relu }
}

const DIGITS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../examples/data/digits.csv.gz"
);

fn parsed(page: &str) -> Document<'_> {
    let options = ParsingOptions {
        allow_dtd: true,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(page, options).unwrap_or_else(|error| panic!("{error}"))
}

fn section<'a>(page: &'a Document<'a>, id: &str) -> Option<Node<'a, 'a>> {
    let mut nodes = page.descendants();
    nodes.find(|node| node.has_tag_name("section") && node.attribute("id") == Some(id))
}

/// The pictures below a node: what is said of each, its width, height and bytes.
fn pictures(node: Node<'_, '_>) -> Vec<(String, [u32; 2], Vec<u8>)> {
    let images = node.descendants().filter(|node| node.has_tag_name("img"));
    let decoded = images.map(|image| {
        let source = image.attribute("src").expect("an image has a source");
        let text = source
            .strip_prefix("data:image/png;base64,")
            .expect("it is in the page");
        let file = STANDARD.decode(text).expect("it is base64");
        let mut reader = png::Decoder::new(Cursor::new(file))
            .read_info()
            .expect("it is PNG");
        let mut bytes = vec![0; reader.output_buffer_size().expect("it is small")];
        let info = reader.next_frame(&mut bytes).expect("it has pixels");
        (
            image.attribute("alt").expect("it is said").to_owned(),
            [info.width, info.height],
            bytes,
        )
    });
    decoded.collect()
}

/// Nothing is fetched, and no script runs.
fn stands_alone(page: &Document<'_>) {
    for node in page.descendants().filter(Node::is_element) {
        assert!(!["script", "link", "iframe"].contains(&node.tag_name().name()));
        for attribute in node.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            let inside = value.starts_with('#') || value.starts_with("data:");
            assert!(!matches!(name, "src" | "href") || inside, "{name}={value}");
            assert!(!name.starts_with("on"), "{name}");
        }
    }
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("convnet-report-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

#[test]
#[ignore = "builds an example"]
fn digits_names_the_page_that_it_wrote() {
    let folder = folder("digits");
    let [weights, report] = ["digits.safetensors", "digits.html"].map(|it| folder.join(it));
    let digits = std::process::Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--release", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml"))
        .args(["--example", "digits", "--", "--int8", "--epochs", "2"])
        .arg("--weights")
        .arg(weights)
        .arg("--report")
        .arg(&report)
        .output()
        .expect("cargo runs");
    assert!(digits.status.success(), "{digits:?}");
    let said = String::from_utf8(digits.stdout).expect("it prints text");
    let last = said.lines().last().expect("it prints something");
    assert!(last.contains(&report.display().to_string()), "{last}");
    let text = std::fs::read_to_string(&report).expect("it is there");
    let page = parsed(&text);
    stands_alone(&page);
    for id in [
        "training",
        "evaluation",
        "graph",
        "filters",
        "memory",
        "int8",
    ] {
        assert!(section(&page, id).is_some(), "{id}");
    }
    let seen = pictures(section(&page, "activations").expect("it saw images"));
    for layer in Digits::LAYERS {
        let own = |says: &str| says.split([',', ':']).next() == Some(layer.name);
        assert!(seen.iter().any(|(says, ..)| own(says)), "{}", layer.name);
    }
}

#[test]
fn a_trainer_writes_a_page_with_each_layers_picture() -> Result<(), Box<dyn std::error::Error>> {
    let digits = data::digits(DIGITS)?;
    let (training, test) = data::split(&digits, 0.2, 1)?;
    let path = folder("trainer").join("run.html");
    let mut net = Digits::random(1);
    let history = Trainer::new(Adam::default())
        .learning_rate(3e-3)
        .epochs(3)
        .progress(Progress::Silent)
        .report(&path)
        .fit_validated(&mut *net, &training, &test)?;
    let text = std::fs::read_to_string(&path)?;
    let page = parsed(&text);
    stands_alone(&page);

    let activations = section(&page, "activations").expect("there are images");
    let answers: Vec<_> = activations
        .children()
        .filter(|node| node.attribute("class") == Some("answer"))
        .collect();
    assert_eq!(answers.len(), 3);
    for (index, answer) in answers.into_iter().enumerate() {
        let pictures = pictures(answer);
        let mut image = Volume::boxed();
        test.image(index, image.as_mut_slice());
        let mut arena = Digits::arena();
        net.observe(&image, &mut arena, |layer, volume| {
            let [height, width, depth] = volume.shape();
            let own = pictures
                .iter()
                .filter(|(says, ..)| says.split([',', ':']).next() == Some(layer.name));
            let own: Vec<_> = own.collect();
            if (height, width) == (1, 1) {
                assert_eq!(
                    (own.len(), own[0].1),
                    (1, [depth as u32, 1]),
                    "{}",
                    layer.name
                );
                return;
            }
            assert_eq!(own.len(), depth, "{}", layer.name);
            let [least, most] = volume.range();
            for (d, (_, size, bytes)) in own.into_iter().enumerate() {
                assert_eq!(*size, [width as u32, height as u32]);
                for (&byte, v) in bytes.iter().zip(volume.slice(d)) {
                    let level = 255.0 * (v - least) / (most - least);
                    assert!(
                        (f32::from(byte) - level).abs() < 0.51,
                        "{}: {byte}, not {level}",
                        layer.name
                    );
                }
            }
        });
        let bars = answer
            .descendants()
            .filter(|node| node.attribute("class") == Some("bar"));
        assert_eq!(bars.count(), 5);
    }
    // A picture for each slice of each filter.
    assert_eq!(
        pictures(section(&page, "filters").expect("it has filters")).len(),
        16 + 32 * 16
    );
    let curves = section(&page, "training").expect("it was trained");
    assert_eq!(
        curves
            .descendants()
            .filter(|node| node.has_tag_name("svg"))
            .count(),
        3
    );
    let lines = curves
        .descendants()
        .filter(|node| node.has_tag_name("polyline"));
    assert!(lines.count() >= 5);

    // The matrix has the numbers of the evaluation; the worst image is its worst.
    let seen = evaluate(&*net, &test, &SoftmaxCrossEntropy::default())?;
    assert_eq!(
        Some(seen.loss()),
        history.epochs[2].validation.map(|metrics| metrics.loss)
    );
    let evaluation = section(&page, "evaluation").expect("it was validated");
    let cells = evaluation
        .descendants()
        .filter(|node| node.has_tag_name("td"));
    let cells: Vec<_> = cells
        .filter_map(|cell| cell.text()?.parse::<usize>().ok())
        .collect();
    assert_eq!(cells.iter().sum::<usize>(), test.len());
    let worst = pictures(evaluation);
    assert_eq!(
        (worst.len(), &*worst[0].0),
        (16, &*format!("image {}", seen.worst()[0].0))
    );

    let graph = section(&page, "graph").expect("there is a graph");
    let boxes = graph
        .descendants()
        .filter(|node| node.has_tag_name("rect"))
        .count();
    assert_eq!(boxes, 1 + Digits::LAYERS.len());
    let memory = section(&page, "memory").expect("there is a plan");
    assert_eq!(
        memory
            .descendants()
            .filter(|node| node.has_tag_name("svg"))
            .count(),
        2
    );
    assert!(section(&page, "int8").is_none());
    std::fs::remove_file(path)?;
    Ok(())
}

#[test]
fn blocks_are_drawn_with_all_their_ways() {
    let net = Blocks::random(3);
    let pixels = (0..2 * 8 * 12 * 3)
        .map(|at| (at * 37 % 256) as u8)
        .collect();
    let images = Images::new([8, 12, 3], 3, pixels, vec![0, 2]).expect("two images");
    let images = images
        .named(["<a>", "b & c", "\"d\""])
        .expect("three names");
    let page = Report::new(&*net)
        .title("Blocks & <more>")
        .images(&images, [1, 7])
        .to_html();
    let page = parsed(&page);
    stands_alone(&page);
    let graph = section(&page, "graph").expect("there is a graph");
    let titles = graph
        .descendants()
        .filter(|node| node.has_tag_name("title"));
    let titles: Vec<_> = titles.filter_map(|title| title.text()).collect();
    for layer in Blocks::LAYERS {
        let drawn = titles
            .iter()
            .filter(|title| title.split(':').next() == Some(layer.name));
        assert_eq!(drawn.count(), 1, "{}", layer.name);
    }
    // One way into each box, two where ways meet, three where three do; `concat` inside meets two.
    let edges = graph
        .descendants()
        .filter(|node| node.has_tag_name("path"))
        .count();
    let joins = 3 + 2 + 1;
    assert_eq!(edges, Blocks::LAYERS.len() + joins);
    // Boxes do not lie on each other.
    let rects: Vec<_> = graph
        .descendants()
        .filter(|node| node.has_tag_name("rect"))
        .collect();
    let places: std::collections::BTreeSet<_> = rects
        .iter()
        .map(|rect| (rect.attribute("x"), rect.attribute("y")))
        .collect();
    assert_eq!(places.len(), rects.len());

    let activations = section(&page, "activations").expect("one image is there");
    let names: Vec<_> = pictures(activations)
        .into_iter()
        .map(|(says, ..)| says)
        .collect();
    for layer in Blocks::LAYERS {
        let named = |says: &&String| says.split([',', ':']).next() == Some(layer.name);
        assert!(names.iter().any(|says| named(&says)), "{}", layer.name);
    }
    let text: String = activations
        .descendants()
        .filter_map(|node| node.text())
        .collect();
    assert!(
        text.contains("\"d\"") && !text.contains("image 7"),
        "{text}"
    );
}

#[test]
fn what_is_in_bytes_has_its_table() {
    let net = Digits::random(5);
    let image = Volume([[[0.5]; 8]; 8]);
    let twin = net.quantize(&[&image]).expect("it can be quantised");
    let found = twin.report(&net, &[&image]);
    let page = Report::new(&*net).int8(&found).to_html();
    let page = parsed(&page);
    let rows = section(&page, "int8").expect("it is there");
    let rows = rows
        .descendants()
        .filter(|node| node.has_tag_name("tr"))
        .count();
    assert_eq!(rows, 1 + found.lines.len());
    assert!(section(&page, "activations").is_none() && section(&page, "training").is_none());
}

#[test]
fn a_report_that_cannot_be_written_is_an_error_with_its_path() {
    let images = Images::new([8, 8, 1], 10, vec![0; 128], vec![1, 2]).expect("two images");
    let path = folder("nowhere").join("no folder").join("run.html");
    let trained = Trainer::new(Adam::default())
        .epochs(1)
        .progress(Progress::Silent)
        .report(&path)
        .fit(&mut *Digits::random(1), &images);
    let Err(TrainError::Report { path: found, .. }) = trained else {
        panic!("{trained:?}");
    };
    assert_eq!(found, path);
}
