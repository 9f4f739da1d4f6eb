//! A network with several outputs.

use convnet::{Parameters, Prepared, Tensor, Volume, convnet};

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

convnet! {
    /// Outputs on the way: two on one volume, one in a block, two in a repetition, and what is left at the end.
    pub struct OnTheWay {
        input(8x8x3),
        conv(4, 3x3, pad = 1), relu,
        outputs { fine: [conv(2, 1x1)], light: [global_avg_pool] },
        concat {
            [],
            [max_pool(2x2), conv(6, 3x3, pad = 1), outputs { middle: [] }, relu, upsample(2x2)],
        },
        [conv(5, 3x3, pad = 1), outputs { step: [conv(1, 1x1)] }, relu] * 2,
        outputs { scores: [fc(3)] },
    }
}

/// The same lines without what is taken on the way.
mod without {
    convnet::convnet! {
        pub(super) struct OnTheWay {
            input(8x8x3),
            conv(4, 3x3, pad = 1), relu,
            concat { [], [max_pool(2x2), conv(6, 3x3, pad = 1), relu, upsample(2x2)] },
            [conv(5, 3x3, pad = 1), relu] * 2,
            scores: [fc(3)],
        }
    }
}

#[test]
fn outputs_on_the_way_change_nothing_behind_them() {
    let names: Vec<_> = OnTheWay::OUTPUTS
        .iter()
        .map(|it| (it.name, it.volume))
        .collect();
    let expected = [
        ("fine", [8, 8, 2]),
        ("light", [1, 1, 4]),
        ("middle", [4, 4, 6]),
        ("step1", [8, 8, 1]),
        ("step2", [8, 8, 1]),
        ("scores", [1, 1, 3]),
    ];
    assert_eq!(names, expected);
    let (net, mut plain) = (OnTheWay::random(3), without::OnTheWay::boxed());
    for (index, tensor) in <without::OnTheWay as Parameters>::TENSORS
        .iter()
        .enumerate()
    {
        let same = |it: &&Tensor| it.name == tensor.name;
        let from = OnTheWay::<f32>::TENSORS
            .iter()
            .position(|it| same(&it))
            .unwrap();
        plain.tensor_mut(index).copy_from_slice(net.tensor(from));
    }
    let (mut arena, mut other) = (OnTheWay::arena(), without::OnTheWay::arena());
    let image = image();
    let mut seen = Vec::new();
    let scores = plain.observe(&image, &mut other, |layer, volume| {
        seen.push((layer.name, volume.as_slice().to_vec()));
    });
    let all = OnTheWay::outputs(net.forward(&image, &mut arena));
    assert_eq!(all.scores, scores);
    let of = |name: &str| &seen.iter().find(|(it, _)| *it == name).unwrap().1;
    assert_eq!(all.middle.as_slice(), of("concat1.conv1"));
    // And each is what its own layers make of the volume there.
    let mut light = [0.0; 4];
    for column in of("relu1").chunks_exact(4) {
        light
            .iter_mut()
            .zip(column)
            .for_each(|(sum, v)| *sum += v / 64.0);
    }
    for (a, b) in light.iter().zip(all.light.as_slice()) {
        assert!((a - b).abs() < 1e-6, "{a} and {b}");
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
