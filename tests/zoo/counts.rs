//! The zoo against what is published: every volume, the parameters, the multiply-adds.

use crate::networks::*;
use convnet::graph::Op;
use convnet::plan::{LayerInfo, Plan};
use convnet::shape::Window;
use convnet::{Network, Parameters};

/// The volume of every layer that makes another one, width x height x depth; the others must leave
/// theirs as it is.
fn check(input: &str, layers: &[LayerInfo<'_>], expected: &str) {
    let keeps = [
        "relu",
        "relu6",
        "tanh",
        "lrn",
        "dropout",
        "batch_norm",
        "softmax",
    ];
    let mut expected = expected.split_whitespace();
    let mut volume = input.to_owned();
    for layer in layers {
        let [h, w, d] = layer.volume;
        if !keeps.contains(&layer.word()) {
            volume = expected.next().expect("a volume for each layer").to_owned();
        }
        assert_eq!(format!("{w}x{h}x{d}"), volume, "{}", layer.name);
    }
    assert_eq!(expected.next(), None);
}

/// Parameters and multiply-adds of the layer called `name`.
fn figures(layers: &[LayerInfo<'_>], name: &str) -> (usize, u64) {
    let layer = layers.iter().find(|layer| layer.name == name);
    let layer = layer.unwrap_or_else(|| panic!("no layer {name}"));
    (layer.parameters, layer.macs)
}

/// LeCun et al. 1998, section II.B: sides, trainable parameters, and connections, which count the
/// biases too. C3 sees all of S2 here (2,416 parameters; the paper's table of 60 connections has
/// 1,516), and S2 and S4 learn nothing (12 and 32 in the paper).
#[test]
fn lenet_5() {
    let volumes = "28x28x6 14x14x6 10x10x16 5x5x16 1x1x120 1x1x84 1x1x10";
    check("32x32x1", LeNet5::LAYERS, volumes);
    let connections = |name, outputs| {
        let (parameters, macs) = figures(LeNet5::LAYERS, name);
        (parameters, macs + outputs)
    };
    assert_eq!(connections("c1", 28 * 28 * 6), (156, 122_304));
    assert_eq!(connections("c5", 120), (48_120, 48_120));
    assert_eq!(connections("f6", 84), (10_164, 10_164));
    assert_eq!(LeNet5::PARAMETERS, 61_706);
    assert_eq!(LeNet5::MACS, 117_600 + 240_000 + 48_000 + 10_080 + 840);
}

/// Sides and depths: the paper's figure 2 and CS231n, *AlexNet*; sums: Caffe's `bvlc_alexnet`.
#[test]
fn alexnet() {
    let volumes = "55x55x96 27x27x96 27x27x256 13x13x256 13x13x384 13x13x384 13x13x256 6x6x256 \
                   1x1x4096 1x1x4096 1x1x1000";
    check("227x227x3", AlexNet::LAYERS, volumes);
    assert_eq!(AlexNet::PARAMETERS, 60_965_224);
    assert_eq!(AlexNet::MACS, 724_406_816);
    // CS231n: 11·11·3·96 weights and 55·55·96 neurons; the paper: 48 deep filters in conv2.
    assert_eq!(figures(AlexNet::LAYERS, "conv1"), (34_944, 105_415_200));
    assert_eq!(figures(AlexNet::LAYERS, "conv2").0, 5 * 5 * 48 * 256 + 256);
}

/// torchvision 0.15, `AlexNet_Weights.IMAGENET1K_V1`: `num_params`, and 0.714 G `_ops`.
#[test]
fn torchvisions_alexnet() {
    let volumes = "55x55x64 27x27x64 27x27x192 13x13x192 13x13x384 13x13x256 13x13x256 6x6x256 \
                   1x1x4096 1x1x4096 1x1x1000";
    check("224x224x3", TorchAlexNet::LAYERS, volumes);
    assert_eq!(TorchAlexNet::PARAMETERS, 61_100_840);
    assert_eq!(TorchAlexNet::MACS.div_ceil(1_000_000), 715);
    assert_eq!(TorchAlexNet::MACS, 714_188_480);
}

/// Zeiler and Fergus 2013, figure 3. No sum is printed there: this one is added up by hand.
#[test]
fn zfnet() {
    let volumes = "110x110x96 55x55x96 26x26x256 13x13x256 13x13x384 13x13x384 13x13x256 6x6x256 \
                   1x1x4096 1x1x4096 1x1x1000";
    check("224x224x3", ZfNet::LAYERS, volumes);
    let convs = [
        (7, 3, 96),
        (5, 96, 256),
        (3, 256, 384),
        (3, 384, 384),
        (3, 384, 256),
    ];
    let convs: usize = convs.iter().map(|(f, d, k)| f * f * d * k + k).sum();
    let fcs = (6 * 6 * 256 + 1) * 4096 + (4096 + 1) * 4096 + (4096 + 1) * 1000;
    assert_eq!(ZfNet::PARAMETERS, convs + fcs);
}

/// CS231n, *VGGNet in detail*: every volume; weights without biases, layer by layer.
#[test]
fn vgg_16() {
    let volumes = "224x224x64 224x224x64 112x112x64 112x112x128 112x112x128 56x56x128 \
                   56x56x256 56x56x256 56x56x256 28x28x256 28x28x512 28x28x512 28x28x512 14x14x512 \
                   14x14x512 14x14x512 14x14x512 7x7x512 1x1x4096 1x1x4096 1x1x1000";
    check("224x224x3", Vgg16::LAYERS, volumes);
    let weights = [
        1_728,
        36_864,
        73_728,
        147_456,
        294_912,
        589_824,
        589_824,
        1_179_648,
        2_359_296,
        2_359_296,
        2_359_296,
        2_359_296,
        2_359_296,
        102_760_448,
        16_777_216,
        4_096_000,
    ];
    let learning = Vgg16::LAYERS.iter().filter(|layer| layer.parameters > 0);
    let ours: Vec<_> = learning
        .map(|layer| layer.parameters - layer.volume[2])
        .collect();
    assert_eq!(ours, weights);
    assert_eq!(Vgg16::PARAMETERS, 138_357_544);
    assert_eq!(Vgg16::MACS, 15_470_264_320);
}

/// Simonyan and Zisserman 2014, table 1, column E; torchvision's sums.
#[test]
fn vgg_19() {
    let volumes = "224x224x64 224x224x64 112x112x64 112x112x128 112x112x128 56x56x128 \
                   56x56x256 56x56x256 56x56x256 56x56x256 28x28x256 \
                   28x28x512 28x28x512 28x28x512 28x28x512 14x14x512 \
                   14x14x512 14x14x512 14x14x512 14x14x512 7x7x512 1x1x4096 1x1x4096 1x1x1000";
    check("224x224x3", Vgg19::LAYERS, volumes);
    assert_eq!(Vgg19::PARAMETERS, 143_667_240);
    assert_eq!(Vgg19::MACS / 10_000_000, 1963);
}

/// Howard et al. 2017, table 1 (volumes) and table 4 (569 M multiply-adds); Keras's
/// `MobileNet().summary()`: trainable and non-trainable parameters.
#[test]
fn mobilenet() {
    let volumes = "112x112x32 112x112x32 112x112x64 56x56x64 56x56x128 56x56x128 56x56x128 \
                   28x28x128 28x28x256 28x28x256 28x28x256 14x14x256 14x14x512 \
                   14x14x512 14x14x512 14x14x512 14x14x512 14x14x512 14x14x512 14x14x512 14x14x512 \
                   14x14x512 14x14x512 7x7x512 7x7x1024 7x7x1024 7x7x1024 1x1x1024 1x1x1000";
    check("224x224x3", MobileNet::LAYERS, volumes);
    assert_eq!(MobileNet::PARAMETERS, 4_231_976);
    assert_eq!((MobileNet::MACS + 500_000) / 1_000_000, 569);
    let tensors = <MobileNet as Parameters>::TENSORS.iter();
    let statistics = tensors.filter(|tensor| !tensor.role.is_learned());
    assert_eq!(statistics.map(|tensor| tensor.len()).sum::<usize>(), 21_888);
    // Table 2: 1x1 convs are 94.86 % of the work and 74.59 % of the parameters.
    let pointwise = MobileNet::LAYERS
        .iter()
        .filter(|layer| matches!(layer.op, Op::Conv { window, .. } if window.size == [1, 1]));
    let share = pointwise.map(|layer| layer.macs).sum::<u64>() as f64 / MobileNet::MACS as f64;
    assert!((share - 0.9486).abs() < 0.002, "{share}");
}

/// Iandola et al. 2016, table 1 (whose input of 224 comes to 111 and 55 by other rounding);
/// torchvision's sums. A fire module squeezes, expands twice, and puts the two side by side.
#[test]
fn squeezenets() {
    let fire = |side: usize, [squeeze, one, three]: [usize; 3]| {
        let depths = [squeeze, one, three, one + three];
        depths
            .map(|depth| format!("{side}x{side}x{depth}"))
            .join(" ")
    };
    let [two, four, six, eight] = [[16, 64, 64], [32, 128, 128], [48, 192, 192], [64, 256, 256]];
    let volumes = [
        "109x109x96 54x54x96".to_owned(),
        fire(54, two),
        fire(54, two),
        fire(54, four),
        "27x27x256".to_owned(),
        fire(27, four),
        fire(27, six),
        fire(27, six),
        fire(27, eight),
        "13x13x512".to_owned(),
        fire(13, eight),
        "13x13x1000 1x1x1000".to_owned(),
    ];
    check("224x224x3", SqueezeNet10::LAYERS, &volumes.join(" "));
    assert_eq!(SqueezeNet10::PARAMETERS, 1_248_424);
    // 0.82 billion, torchvision says.
    assert_eq!(SqueezeNet10::MACS, 818_924_576);
    // The first pool reads 109x109x96 and writes 54x54x96: no module needs as much.
    assert_eq!(SqueezeNet10::ARENA_BYTES, 4_562_304 + 1_119_744);
    let volumes = [
        "111x111x64 55x55x64".to_owned(),
        fire(55, two),
        fire(55, two),
        "27x27x128".to_owned(),
        fire(27, four),
        fire(27, four),
        "13x13x256".to_owned(),
        fire(13, six),
        fire(13, six),
        fire(13, eight),
        fire(13, eight),
        "13x13x1000 1x1x1000".to_owned(),
    ];
    check("224x224x3", SqueezeNet11::LAYERS, &volumes.join(" "));
    assert_eq!(SqueezeNet11::PARAMETERS, 1_235_496);
    assert_eq!(SqueezeNet11::MACS / 10_000_000, 34);
}

/// Szegedy et al. 2014, table 1: the depths of each module's branches; torchvision's sums.
#[test]
fn googlenet() {
    // Its input; 1x1; reduction and 3x3; reduction and second 3x3; behind the pool.
    let inception = |side: usize, [x, one, r3, three, r5, five, pooled]: [usize; 7]| {
        let concat = one + three + five + pooled;
        let depths = [one, r3, three, r5, five, x, pooled, concat];
        depths
            .map(|depth| format!("{side}x{side}x{depth}"))
            .join(" ")
    };
    let volumes = [
        "112x112x64 56x56x64 56x56x64 56x56x192 28x28x192".to_owned(),
        inception(28, [192, 64, 96, 128, 16, 32, 32]),
        inception(28, [256, 128, 128, 192, 32, 96, 64]),
        "14x14x480".to_owned(),
        inception(14, [480, 192, 96, 208, 16, 48, 64]),
        inception(14, [512, 160, 112, 224, 24, 64, 64]),
        inception(14, [512, 128, 128, 256, 24, 64, 64]),
        inception(14, [512, 112, 144, 288, 32, 64, 64]),
        inception(14, [528, 256, 160, 320, 32, 128, 128]),
        "7x7x832".to_owned(),
        inception(7, [832, 256, 160, 320, 32, 128, 128]),
        inception(7, [832, 384, 192, 384, 48, 128, 128]),
        "1x1x1024 1x1x1000".to_owned(),
    ];
    check("224x224x3", GoogLeNet::LAYERS, &volumes.join(" "));
    assert_eq!(GoogLeNet::PARAMETERS, 6_624_904);
    assert_eq!((GoogLeNet::MACS + 5_000_000) / 10_000_000, 150);
}

/// He et al. 2015, table 1: so many blocks of two convs on each side; torchvision's sums.
#[test]
fn resnets() {
    let volumes = |blocks: [usize; 4]| {
        let mut volumes = String::from("112x112x64 56x56x64 ");
        for (stage, (side, depth)) in [(56, 64), (28, 128), (14, 256), (7, 512)]
            .iter()
            .enumerate()
        {
            for block in 0..blocks[stage] {
                // Two convs and their sum with the input; the first block of a stage but the first
                // projects that, by one more.
                let lines = if block == 0 && stage > 0 { 4 } else { 3 };
                volumes += &format!("{side}x{side}x{depth} ").repeat(lines);
            }
        }
        volumes + "1x1x512 1x1x1000"
    };
    check("224x224x3", ResNet18::LAYERS, &volumes([2, 2, 2, 2]));
    assert_eq!(ResNet18::PARAMETERS, 11_689_512);
    assert_eq!(ResNet18::MACS / 10_000_000, 181);
    check("224x224x3", ResNet34::LAYERS, &volumes([3, 4, 6, 3]));
    assert_eq!(ResNet34::PARAMETERS, 21_797_672);
    assert_eq!(ResNet34::MACS / 10_000_000, 366);
}

/// Caffe, `examples/cifar10/cifar10_quick_train_test.prototxt`.
#[test]
fn cifar10_quick() {
    let volumes = "32x32x32 16x16x32 16x16x32 8x8x32 8x8x64 4x4x64 1x1x64 1x1x10";
    check("32x32x3", Cifar10Quick::LAYERS, volumes);
    assert_eq!(Cifar10Quick::PARAMETERS, 145_578);
    assert_eq!(Cifar10Quick::MACS, 12_354_176);
}

/// ConvNetJS, `demo/cifar10.html`.
#[test]
fn conv_net_js() {
    let volumes = "32x32x16 16x16x16 16x16x20 8x8x20 8x8x20 4x4x20 1x1x10";
    check("32x32x3", ConvNetJs::LAYERS, volumes);
    assert_eq!(ConvNetJs::PARAMETERS, 22_466);
    assert_eq!(ConvNetJs::MACS, 3_920_000);
}

/// The table at the head of the example.
#[test]
fn what_does_not_come_out_even() {
    let uneven = |layers: &[LayerInfo<'_>]| -> Vec<String> {
        let fits = layers.iter().filter_map(|layer| {
            let detail = layer.op.detail().to_string();
            let fit = detail.rsplit_once("fit ")?.1;
            let (fit, _) = fit.split_once(',').unwrap_or((fit, ""));
            Some(format!("{} {fit}", layer.name))
        });
        fits.collect()
    };
    assert_eq!(uneven(TorchAlexNet::LAYERS), ["conv1 crop"]);
    assert_eq!(
        uneven(ZfNet::LAYERS),
        ["conv1 crop", "pool1 pad", "pool2 pad"]
    );
    assert_eq!(
        uneven(Cifar10Quick::LAYERS),
        ["pool1 pad", "pool2 pad", "pool3 pad"]
    );
    let crop = |layer: &&LayerInfo<'_>| layer.op.detail().to_string().contains("stride 2");
    for resnet in [ResNet18::LAYERS, ResNet34::LAYERS] {
        let steps = resnet.iter().filter(crop).count();
        let cropped = uneven(resnet);
        assert_eq!((cropped.len(), steps), (8, 8));
        assert!(cropped.iter().all(|layer| layer.ends_with(" crop")));
    }
    let googlenet = ["conv1.conv1 crop", "pool1 pad", "pool2 pad", "pool3 pad"];
    assert_eq!(uneven(GoogLeNet::LAYERS), googlenet);
    assert_eq!(
        uneven(SqueezeNet10::LAYERS),
        ["conv1 crop", "max_pool2 pad"]
    );
    assert_eq!(uneven(SqueezeNet11::LAYERS), ["conv1 crop"]);
    for even in [
        LeNet5::LAYERS,
        AlexNet::LAYERS,
        Vgg16::LAYERS,
        Vgg19::LAYERS,
        MobileNet::LAYERS,
        ConvNetJs::LAYERS,
    ] {
        assert!(uneven(even).is_empty());
    }
}

/// Each layer of that table, with nothing said of its fit: the error says what the network needs.
#[test]
fn what_does_not_come_out_even_is_told_what_would() {
    // Input, F, S, P; whether it is a pool; and what it needs.
    let layers = [
        (224, 11, 4, 2, false, "crop"),
        (224, 7, 2, 1, false, "crop"),
        (110, 3, 2, 0, true, "pad"),
        (26, 3, 2, 0, true, "pad"),
        (224, 7, 2, 0, false, "crop"),
        (54, 3, 2, 0, true, "pad"),
        (224, 3, 2, 0, false, "crop"),
        (224, 7, 2, 3, false, "crop"),
        (112, 3, 2, 0, true, "pad"),
        (56, 3, 2, 0, true, "pad"),
        (28, 3, 2, 0, true, "pad"),
        (112, 3, 2, 1, true, "crop"),
        (56, 3, 2, 1, false, "crop"),
        (56, 1, 2, 0, false, "crop"),
        (32, 3, 2, 0, true, "pad"),
        (16, 3, 2, 0, true, "pad"),
        (8, 3, 2, 0, true, "pad"),
    ];
    for (side, f, s, p, pool, needs) in layers {
        let window = Window::square(f, s, p);
        let op = match pool {
            true => Op::MaxPool { window },
            false => Op::conv(64, window),
        };
        let failure = Plan::new([side, side, 64], &[op]).expect_err("it is not even");
        let text = failure.message("layer", &op);
        let line = format!("\nfit = {needs} would ");
        assert!(text.as_str().contains(&line), "{}", text.as_str());
    }
}

/// torchvision 0.15: `num_params` and `_ops` of the weights called `IMAGENET1K_V1`, in G; U-Net: what
/// [PyTorch's](https://github.com/milesial/Pytorch-UNet) has without bilinear upsampling, for three channels and
/// one class.
#[test]
fn what_torchvision_counts() {
    fn counted<N: Network>(parameters: usize, giga: Option<f64>) {
        let (mut learned, mut macs) = (0, 0);
        for layer in N::LAYERS {
            learned += layer.parameters;
            macs += layer.macs;
        }
        assert_eq!(learned, parameters);
        if let Some(giga) = giga {
            let found = macs as f64 / 1e9;
            assert!((found - giga).abs() < 0.006, "{parameters}: {found}");
        }
    }
    counted::<MobileNetV2<f32>>(3_504_872, Some(0.301));
    counted::<MobileNetV3Small<f32>>(2_542_856, Some(0.057));
    counted::<MobileNetV3Large<f32>>(5_483_032, Some(0.217));
    counted::<MnasNet<f32>>(4_383_312, Some(0.314));
    counted::<EfficientNetB0<f32>>(5_288_548, Some(0.386));
    counted::<ResNet50<f32>>(25_557_032, Some(4.089));
    counted::<DenseNet121<f32>>(7_978_856, Some(2.834));
    counted::<ShuffleNetV2<f32>>(2_278_604, Some(0.145));
    counted::<InceptionV3<f32>>(23_834_568, Some(5.713));
    counted::<UNet<f32>>(31_037_633, None);
}
