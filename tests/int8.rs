//! The int8 twin of a network: every layer that has one, against the network itself.
#![cfg(feature = "train")]

use convnet::int8::{Int8, Machine, Parameters, Quantize, QuantizeError, Ranges, Settings};
use convnet::{AnyVolume, Network, Rng, Volume, convnet, int8};

convnet! {
    /// Filters of each kind, norms folded and alone, every activation, pools.
    pub struct Chain {
        input(12x10x3),
        batch_norm,
        conv1: conv(8, 3x3, pad = 1),
        batch_norm,
        relu6,
        max_pool(2x2),
        depthwise(3x3, pad = 1),
        batch_norm,
        relu,
        conv(12, 1x1, groups = 4, bias = none),
        leaky_relu(0.1),
        conv(6, 3x3, pad = 2, dilation = 2),
        hard_swish,
        avg_pool(2x2, stride = 1),
        relu,
        dropout(0.5),
        hidden: fc(20),
        tanh,
        scores: fc(10),
        softmax,
    }
}
int8!(Chain);

convnet! {
    /// Blocks: sums, slices, shortcuts; a sum of the image itself.
    pub struct Blocks {
        input(8x8x4),
        residual { conv(4, 3x3, pad = 1) },
        relu,
        residual { conv(6, 3x3, pad = 1), relu, shortcut { conv(6, 1x1) } },
        concat { [conv(3, 1x1), sigmoid], [flatten], [hard_sigmoid], [conv(5, 3x3, pad = 1), relu] },
        residual { relu, conv(20, 1x1) },
        global_avg_pool,
        scores: fc(5),
    }
}
int8!(Blocks);

convnet! {
    /// The same numbers in other places.
    pub struct Moved {
        input(6x5x4),
        conv(6, 3x3, pad = 1),
        channel_shuffle(3),
        relu,
        upsample(2x3),
        depthwise(3x3, pad = 1),
        channel_shuffle(2),
        upsample(2x1),
        depth_to_space(1x2),
        conv(4, 1x1),
        space_to_depth(2x5),
        depth_to_space(2x2),
        scores: fc(5),
    }
}
int8!(Moved);

convnet! {
    /// Volumes times what their layers make of them: of the image itself, of a depth column, of as many numbers.
    pub struct Gated {
        input(7x6x5),
        scale { global_avg_pool, conv(5, 1x1), sigmoid },
        conv(8, 3x3, pad = 1),
        hard_swish,
        scale { global_avg_pool, conv(4, 1x1), relu, conv(8, 1x1), hard_sigmoid },
        scale { conv(8, 3x3, pad = 1), tanh },
        relu6,
        scale { dropout(0.5) },
        scores: fc(5),
    }
}
int8!(Gated);

/// Sizes that a macro cannot see.
const FILTERS: usize = 7;
convnet! {
    pub struct ByName { input(6x6x2), conv(FILTERS, 3x3), relu, global_max_pool, fc(3) }
}
int8!(ByName);

convnet! {
    /// Filters of 3x3 over many depths, which a machine may multiply by Winograd's algorithm: before pools of each kind,
    /// in a block, beyond its edges.
    pub struct Deep {
        input(15x13x3),
        conv(16, 3x3, pad = 1),
        relu,
        conv(24, 3x3, pad = 2),
        relu,
        max_pool(2x2, stride = 2, fit = crop),
        residual { conv(40, 3x3, pad = 1), relu6, conv(24, 3x3, pad = 1) },
        relu,
        conv(33, 3x3),
        max_pool(3x3, stride = 1),
        scores: fc(5),
    }
}
int8!(Deep);

/// Images with smooth numbers, which are not all alike.
fn images<N: Network<Scalar = f32>>(count: usize) -> Vec<Box<N::Input>> {
    let mut rng = Rng::new(231);
    let image = |_| {
        let mut image: Box<N::Input> = bytemuck::zeroed_box();
        let phase = rng.uniform() as f32;
        for (at, v) in image.as_mut_slice().iter_mut().enumerate() {
            *v = ((at as f32 * 0.13 + phase * 6.0).sin() + 1.0) * 0.5;
        }
        image
    };
    (0..count).map(image).collect()
}

macro_rules! is_near {
    ($($test:ident: $net:ident, $decibels:literal;)*) => { $(
        #[test]
        fn $test() {
            let net = $net::random(7);
            let images = images::<$net>(16);
            let twin = net.quantize(&images).unwrap();
            let report = twin.report(&net, &images);
            assert!(report.lines.len() >= 3, "{report}");
            for line in &report.lines {
                assert!(line.decibels > $decibels, "{}: {report}", line.name);
            }
            // What a report compares with is the network itself.
            let (mut arena, mut worst) = ($net::arena(), 0.0f32);
            for image in &images {
                let numbers = net.forward(image, &mut arena);
                let bytes = twin.predict(image);
                for (a, b) in numbers.as_slice().iter().zip(bytes.as_slice()) {
                    worst = worst.max((a - b).abs() / twin.scores().scale);
                }
            }
            assert!(worst < 16.0, "{worst} steps: {report}");
            // Packed for any machine, it is the same to the bit.
            let (mut bytes, mut arena) = (Volume::boxed(), Int8::<$net>::arena());
            for machine in Machine::all().map(Some).chain([None]) {
                let prepared = twin.prepare_for(machine);
                let mut own = prepared.arena();
                for image in &images {
                    twin.encode(image, &mut bytes);
                    let scores = twin.forward(&bytes, &mut arena);
                    assert_eq!(prepared.forward(&bytes, &mut own), scores, "{machine:?}");
                }
            }
        }
    )* };
}

is_near! {
    a_chain_of_every_layer: Chain, 15.0;
    blocks: Blocks, 15.0;
    products: Gated, 15.0;
    numbers_in_other_places: Moved, 15.0;
    sizes_by_name: ByName, 15.0;
    filters_over_many_depths: Deep, 15.0;
}

#[test]
fn what_it_takes_is_a_constant() {
    // 3·3·3·8 + 3·3·8 + 1·3·12 + … bytes of filters, 12 bytes a channel.
    const { assert!(Int8::<Chain>::PARAMETERS * 2 < size_of::<Chain>()) };
    // 12x10x3 bytes, two rows of 10x8 for the pool, and the 6x5x8 that it leaves, each from a multiple of 64 on.
    assert_eq!(Int8::<Chain>::ARENA_BYTES, 384 + 192 + 256);
    static TWIN: Int8<ByName> = Int8::<ByName>::ZERO;
    let mut arena = Int8::<ByName>::arena();
    assert_eq!(TWIN.forward(&Volume::ZERO, &mut arena).as_slice(), [0; 3]);
}

#[test]
fn what_cannot_be_quantised_says_why() {
    let net = ByName::random(1);
    let none: [Volume<f32, 6, 6, 2>; 0] = [];
    assert_eq!(net.quantize(&none).err(), Some(QuantizeError::NoImages));
    let mut images = images::<ByName>(2);
    let percentile = net.quantize_by(&images, Ranges::Percentile(0.0));
    assert_eq!(percentile.err(), Some(QuantizeError::Percentile));
    images[1].as_mut_slice()[5] = f32::NAN;
    let error = net.quantize(&images).err().unwrap();
    assert_eq!(
        error,
        QuantizeError::NotFinite {
            layer: "input".into()
        }
    );
    let mut net = net;
    net.conv1.filters[0][0][0][3] = f32::INFINITY;
    let images = self::images::<ByName>(2);
    let error = net.quantize(&images).err().unwrap();
    assert_eq!(
        error,
        QuantizeError::NotFinite {
            layer: "conv1".into()
        }
    );
}

#[test]
fn a_percentile_leaves_out_what_is_rare() {
    let net = ByName::random(1);
    let mut images = images::<ByName>(20);
    images[3].as_mut_slice()[0] = 40.0;
    let [all, most] = [Ranges::MinMax, Ranges::Percentile(99.0)]
        .map(|ranges| net.quantize_by(&images, ranges).unwrap().image());
    assert_eq!(all.real(127), 40.0);
    assert!(most.real(127) < 2.0, "{most:?}");
}

#[test]
fn an_fc_has_one_scale_where_it_is_asked() {
    let (net, images) = (Chain::random(7), images::<Chain>(16));
    let settings = Settings {
        fc_per_tensor: true,
        ..Settings::default()
    };
    // How many multipliers differ from the one before: the last of all are those of `hidden` and `scores`, and of softmax.
    let changes = |twin: &Int8<Chain>| {
        let (_, channels, _) = twin.parts();
        let last = &channels[channels.len() - 31..];
        last.windows(2).filter(|two| two[0].by != two[1].by).count()
    };
    let [each, together] = [Settings::default(), settings].map(|settings| {
        let twin = net.quantize_by(&images, settings).unwrap();
        let report = twin.report(&net, &images);
        assert!(
            report.lines.iter().all(|line| line.decibels > 15.0),
            "{report}"
        );
        changes(&twin)
    });
    assert!(each > 20, "{each}");
    assert_eq!(together, 2);
}

#[test]
fn least_squares_give_up_what_is_rare_for_finer_steps() {
    let net = ByName::random(1);
    let mut images = images::<ByName>(20);
    let largest = |images: &[Box<Volume<f32, 6, 6, 2>>]| {
        let twin = net.quantize_by(images, Ranges::LeastSquares).unwrap();
        twin.image().real(127)
    };
    // Of numbers that are spread evenly nothing is given up; of 1,440 of them one of 3 costs more than it is worth.
    assert!(largest(&images) > 0.9);
    images[3].as_mut_slice()[0] = 3.0;
    assert!(largest(&images) > 1.5);
    images[3].as_mut_slice()[0] = 1.2;
    let squares = |ranges| -> f32 {
        let twin = net.quantize_by(&images, ranges).unwrap();
        let mut bytes = Volume::boxed();
        let all = images.iter().map(|image| {
            twin.encode(image, &mut bytes);
            let pairs = image.as_slice().iter().zip(bytes.as_slice());
            pairs
                .map(|(v, byte)| (v - twin.image().real(*byte)).powi(2))
                .sum::<f32>()
        });
        all.sum()
    };
    let [all, least] = [Ranges::MinMax, Ranges::LeastSquares].map(squares);
    assert!(least <= 1.05 * all, "{least} of {all}");
}

#[test]
fn a_file_holds_all_of_it() {
    fn round(read: impl Fn(&[u8]) -> Vec<u8>, file: &[u8]) {
        assert_eq!(read(file), file);
    }
    let twin = Chain::random(7).quantize(&images::<Chain>(4)).unwrap();
    round(
        |file| Int8::<Chain>::read(file).unwrap().to_bytes(),
        &twin.to_bytes(),
    );
    let blocks = Blocks::random(7).quantize(&images::<Blocks>(4)).unwrap();
    round(
        |file| Int8::<Blocks>::read(file).unwrap().to_bytes(),
        &blocks.to_bytes(),
    );
    let (mut image, mut arena) = (Volume::boxed(), Int8::<Chain>::arena());
    twin.encode(&images::<Chain>(1)[0], &mut image);
    let scores = twin.forward(&image, &mut arena).clone();
    let read = Int8::<Chain>::read(&twin.to_bytes()).unwrap();
    assert_eq!(*read.forward(&image, &mut arena), scores);
}

#[test]
fn a_file_of_another_network_is_refused() {
    let twin = ByName::random(7).quantize(&images::<ByName>(4)).unwrap();
    let file = twin.to_bytes();
    let refusal = |file: &[u8]| match Int8::<ByName>::read(file) {
        Ok(_) => panic!("it was read"),
        Err(message) => message.as_str().to_owned(),
    };
    let said = refusal(&file[..file.len() - 1]);
    assert!(said.starts_with("the file was cut short"), "{said}");
    let other = Chain::random(7).quantize(&images::<Chain>(4)).unwrap();
    let said = refusal(&other.to_bytes());
    assert!(
        said.contains("conv1.filters has another shape than [7, 3, 3, 2]"),
        "{said}"
    );
    let changed = |from: &str, to: &str| {
        let (header, data) =
            file.split_at(8 + u64::from_le_bytes(*file.first_chunk().unwrap()) as usize);
        let header = std::str::from_utf8(&header[8..]).unwrap().replace(from, to);
        let length = (header.len() as u64).to_le_bytes();
        refusal(&[&length[..], header.as_bytes(), data].concat())
    };
    let said = changed("fc1.shift", "fc1.steps");
    assert!(
        said.starts_with("the file has no tensor `fc1.shift`"),
        "{said}"
    );
    let said = changed("\"F32\"", "\"I32\"");
    assert!(said.contains("volumes.scale"), "{said}");

    // A shift that no multiplier has: the last byte of `fc1.shift`, whose three lie before the volumes'.
    let mut file = file.clone();
    let place = file.len() - 7 * 3 - 1;
    file[place] = 1;
    let said = refusal(&file);
    assert!(said.contains("fc1.multiplier or .shift at 2"), "{said}");
}

#[test]
fn pixels_become_the_bytes_of_their_numbers() {
    use convnet::data::{Images, Samples};
    let pixels: Vec<u8> = (0..360).map(|at| (at * at % 251) as u8).collect();
    let set = Images::new([10, 12, 3], 1, pixels.clone(), vec![0]).unwrap();
    let statistics = set.statistics();
    let read_as = [0, 1, 2].map(|at| [statistics.mean[at], statistics.deviation[at]]);
    let normalised = set.clone().normalised(&statistics).unwrap();
    for (set, read_as) in [(set, &[[0.0, 255.0]][..]), (normalised, &read_as)] {
        let mut image = Volume::<f32, 10, 12, 3>::boxed();
        set.image(0, image.as_mut_slice());
        let twin = Chain::random(7).quantize(&[&*image]).unwrap();
        let (mut of_numbers, mut of_pixels) = (Volume::boxed(), Volume::boxed());
        twin.encode(&image, &mut of_numbers);
        twin.encode_pixels(&pixels, read_as, &mut of_pixels);
        assert_eq!(of_pixels, of_numbers);
    }
}

#[test]
fn the_table_says_what_either_takes() {
    let twin = Blocks::random(7).quantize(&images::<Blocks>(2)).unwrap();
    let table = twin.to_string();
    let words = |line: &str| -> Vec<String> { line.split_whitespace().map(Into::into).collect() };
    let lines: Vec<Vec<String>> = table.lines().map(words).collect();
    assert_eq!(lines[0], ["layer", "what", "volume", "int8", "f32"]);
    // 4 filters of 3x3x4, each with a bias and a multiplier of 12 bytes.
    assert_eq!(
        lines[1],
        ["residual1.conv1", "conv", "8x8x4", "192", "592"],
        "{table}"
    );
    let bytes: usize = lines[1..lines.len() - 1]
        .iter()
        .map(|line| line[3].parse::<usize>().unwrap())
        .sum();
    let real: usize = lines[1..lines.len() - 1]
        .iter()
        .map(|line| line[4].parse::<usize>().unwrap())
        .sum();
    let own = Int8::<Blocks>::PARAMETERS;
    assert!(
        bytes < own && own - bytes < 400,
        "{bytes} of {own}: {table}"
    );
    assert_eq!(
        real,
        4 * Blocks::<f32>::LAYERS
            .iter()
            .map(|layer| layer.parameters)
            .sum::<usize>()
    );
    let last = table.lines().last().unwrap();
    assert!(
        last.starts_with(&format!("int8: parameters {own} bytes, arena ")),
        "{last}"
    );
}
