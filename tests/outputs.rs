//! A network with several outputs.

use convnet::{Prepared, Volume, convnet};

convnet! {
    /// A detector: boxes and scores of 4x4 places, and how light the image is.
    pub struct Detector {
        input(8x8x3),
        conv(4, 3x3, pad = 1),
        relu,
        max_pool(2x2),
        outputs {
            boxes: [conv(8, 1x1)],
            scores: [conv(2, 3x3, pad = 1), sigmoid],
            light: [global_avg_pool, fc(1)],
        },
    }
}

fn image() -> Box<Volume<f32, 8, 8, 3>> {
    let mut image = Volume::boxed();
    for (i, v) in image.as_mut_slice().iter_mut().enumerate() {
        *v = (i * 37 % 101) as f32 / 50.0 - 1.0;
    }
    image
}

#[test]
fn each_output_lies_in_the_vector_by_its_name() {
    let names: Vec<_> = Detector::OUTPUTS
        .iter()
        .map(|it| (it.name, it.volume, it.at))
        .collect();
    let expected = [
        ("boxes", [4, 4, 8], 0),
        ("scores", [4, 4, 2], 128),
        ("light", [1, 1, 1], 160),
    ];
    assert_eq!(names, expected);
    assert_eq!(Detector::OUTPUT, [1, 1, 161]);

    let (net, mut arena) = (Detector::random(1), Detector::arena());
    let mut seen = Vec::new();
    let all = net.observe(&image(), &mut arena, |layer, volume| {
        seen.push((layer.name, volume.as_slice().to_vec()));
    });
    let DetectorOutputs {
        boxes,
        scores,
        light,
    } = Detector::outputs(all);
    let of = |name: &str| &seen.iter().rfind(|(it, _)| *it == name).unwrap().1;
    assert_eq!(boxes.as_slice(), of("boxes.conv1"));
    assert_eq!(scores.as_slice(), of("scores.sigmoid1"));
    assert_eq!(light.as_slice(), of("light.fc1"));
    assert!(
        scores
            .as_slice()
            .iter()
            .all(|score| (0.0..1.0).contains(score))
    );
}

/// Sizes that only the compiler knows, and a branch without layers.
const PLACES: usize = 4;
convnet! {
    struct Named {
        input(PLACES x PLACES x 2),
        outputs { same: [], sums: [global_avg_pool] },
    }
}

#[test]
fn sizes_may_be_names() {
    let mut image = Volume([[[0.0; 2]; PLACES]; PLACES]);
    image[3][1] = [16.0, -8.0];
    let (net, mut arena) = (Named::boxed(), Named::arena());
    let NamedOutputs { same, sums } = Named::outputs(net.forward(&image, &mut arena));
    assert_eq!((same, sums), (&image, &Volume([[[1.0, -0.5]]])));
    let places: Vec<_> = Named::OUTPUTS.iter().map(|it| it.range()).collect();
    assert_eq!(places, [0..32, 32..34]);
}

#[test]
fn a_prepared_network_gives_the_same() {
    let (net, image) = (Detector::random(1), image());
    let (prepared, mut arena) = (Prepared::new(&*net), Detector::arena());
    let mut small = prepared.arena();
    let (all, fast) = (
        net.forward(&image, &mut arena),
        prepared.forward(&image, &mut small),
    );
    for (a, b) in all.as_slice().iter().zip(fast.as_slice()) {
        assert!((a - b).abs() < 1e-5, "{a} and {b}");
    }
}
