//! Data sets: what files hold is what comes out; what is wrong with them is named.
#![cfg(feature = "train")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use convnet_core::data::{self, DataError, Defect, Images, Normalisation, Samples};
use flate2::{Compression, write::GzEncoder};

const IMAGES: &str = "train-images-idx3-ubyte";
const LABELS: &str = "train-labels-idx1-ubyte.gz";

fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join("data")
        .join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn words(words: &[u32], bytes: &[u8]) -> Vec<u8> {
    words
        .iter()
        .flat_map(|word| word.to_be_bytes())
        .chain(bytes.iter().copied())
        .collect()
}

/// A sound MNIST of two and one image of 3x2, plain and gzipped files mixed.
fn mnist(name: &str) -> PathBuf {
    let folder = folder(name);
    let put = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
    put(
        IMAGES,
        &words(
            &[0x803, 2, 2, 3],
            &[0, 51, 102, 153, 204, 255, 1, 2, 3, 4, 5, 6],
        ),
    );
    put(LABELS, &gzip(&words(&[0x801, 2], &[9, 4])));
    put(
        "t10k-images-idx3-ubyte.gz",
        &gzip(&words(&[0x803, 1, 2, 3], &[7; 6])),
    );
    put("t10k-labels-idx1-ubyte", &words(&[0x801, 1], &[0]));
    folder
}

/// A sound CIFAR-10 with two images a file. Red counts up, green is the file's number, blue zero.
fn cifar10(name: &str) -> PathBuf {
    let folder = folder(name);
    let names = (1..=5)
        .map(|n| format!("data_batch_{n}.bin"))
        .chain(["test_batch.bin".into()]);
    for (number, name) in (1..).zip(names) {
        let image = |label: u8| {
            let red = (0..1024).map(|p| (p % 251) as u8);
            let image = red.chain([number; 1024]).chain([0; 1024]);
            [label].into_iter().chain(image).collect::<Vec<u8>>()
        };
        fs::write(folder.join(name), [image(number), image(0)].concat()).unwrap();
    }
    folder
}

fn blamed(error: &DataError) -> &str {
    error
        .path
        .as_deref()
        .and_then(Path::file_name)
        .and_then(|name| name.to_str())
        .unwrap()
}

#[test]
fn mnist_is_read_plain_and_gzipped() {
    let (train, test) = data::mnist(mnist("sound")).unwrap();
    assert_eq!((train.len(), test.len(), train.classes()), (2, 1, 10));
    assert_eq!(train.shape(), [2, 3, 1]);
    assert_eq!([train.label(0), train.label(1), test.label(0)], [9, 4, 0]);
    let mut image = [0.0f32; 6];
    train.image(0, &mut image);
    assert_eq!(image, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
    assert_eq!(train.pixels(1), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn mnist_is_found_under_the_names_that_others_give_it() {
    // With the dot that unpackers write.
    let dots = mnist("dots");
    fs::rename(dots.join(IMAGES), dots.join("train-images.idx3-ubyte")).unwrap();
    // Where torchvision puts it: beside the archives, and below the folder that it was given.
    let raw = folder("torchvision").join("MNIST/raw");
    fs::create_dir_all(raw.parent().unwrap()).unwrap();
    fs::rename(mnist("raw"), &raw).unwrap();
    // As Kaggle's archive unpacks: each file in a folder of its name.
    let kaggle = mnist("kaggle");
    let labels = kaggle.join("t10k-labels-idx1-ubyte");
    let bytes = fs::read(&labels).unwrap();
    fs::remove_file(&labels).unwrap();
    fs::create_dir(&labels).unwrap();
    fs::write(labels.join("t10k-labels-idx1-ubyte"), bytes).unwrap();
    for folder in [
        &dots,
        raw.parent().unwrap(),
        &raw,
        &folder_above(&raw),
        &kaggle,
    ] {
        let (train, test) = data::mnist(folder).unwrap();
        assert_eq!((train.len(), test.len()), (2, 1), "{}", folder.display());
    }
    // An empty folder of that name is no file.
    fs::remove_file(labels.join("t10k-labels-idx1-ubyte")).unwrap();
    let error = data::mnist(&kaggle).unwrap_err();
    assert!(matches!(error.defect, Defect::Missing { .. }), "{error}");
}

fn folder_above(raw: &Path) -> PathBuf {
    raw.ancestors().nth(2).unwrap().to_owned()
}

#[test]
fn of_a_broken_file_and_a_sound_one_the_sound_one_is_taken() {
    let folder = mnist("beside");
    let whole = fs::read(folder.join(IMAGES)).unwrap();
    let packed = format!("{IMAGES}.gz");
    let half = &gzip(&whole)[..20];
    fs::write(folder.join(&packed), half).unwrap();
    assert_eq!(data::mnist(&folder).unwrap().0.len(), 2);
    fs::write(folder.join(IMAGES), &whole[..20]).unwrap();
    let error = data::mnist(&folder).unwrap_err();
    assert!(matches!(&error.defect, Defect::Each(errors) if errors.len() == 2));
    let message = error.to_string();
    assert!(message.contains(&format!("{packed}: ")), "{message}");
    assert!(
        message.contains(&format!("{IMAGES}: 20 bytes")),
        "{message}"
    );
}

#[test]
fn a_set_may_have_more_classes_under_other_names() {
    let folder = folder("letters");
    let [images, labels] = ["letters-images", "letters-labels.gz"].map(|name| folder.join(name));
    fs::write(&images, words(&[0x803, 2, 1, 1], &[5, 6])).unwrap();
    fs::write(&labels, gzip(&words(&[0x801, 2], &[1, 26]))).unwrap();
    let set = data::idx(&images, &labels, 27).unwrap();
    assert_eq!((set.classes(), set.label(0), set.label(1)), (27, 1, 26));
    let error = data::idx(&images, &labels, 26).unwrap_err();
    assert!(matches!(
        error.defect,
        Defect::Label {
            index: 1,
            label: 26,
            classes: 26
        }
    ));
    assert!(
        error
            .to_string()
            .ends_with("say so to `data::idx` or `Images::new`")
    );
    let error = data::idx(&labels, &images, 27).unwrap_err();
    assert!(matches!(error.defect, Defect::Magic { .. }), "{error}");
    let error = data::idx(folder.join("none"), &labels, 27).unwrap_err();
    assert!(matches!(error.defect, Defect::Missing { .. }), "{error}");
}

/// Breaks one file of a sound MNIST.
fn broken_mnist(name: &str, file: &str, bytes: &[u8]) -> DataError {
    let folder = mnist(name);
    fs::write(folder.join(file), bytes).unwrap();
    let error = data::mnist(folder).expect_err("the file is bad");
    assert_eq!(blamed(&error), file, "{error}");
    error
}

#[test]
fn what_is_wrong_with_an_idx_file_is_told() {
    let image = words(&[0x803, 2, 2, 3], &[0; 12]);
    for cut in [4, 9, 16, 27] {
        let error = broken_mnist("cut", IMAGES, &image[..cut]);
        assert!(
            matches!(error.defect, Defect::Length { found, .. } if found == cut),
            "{error}"
        );
    }
    let error = broken_mnist("long", IMAGES, &words(&[0x803, 2, 2, 3], &[0; 13]));
    assert!(matches!(
        error.defect,
        Defect::Length {
            expected: 28,
            found: 29
        }
    ));
    let error = broken_mnist(
        "huge",
        IMAGES,
        &words(&[0x803, u32::MAX, u32::MAX, u32::MAX], &[]),
    );
    assert!(matches!(
        error.defect,
        Defect::Length {
            expected: usize::MAX,
            found: 16
        }
    ));

    let error = broken_mnist("swapped", IMAGES, &words(&[0x801, 2], &[1, 2]));
    assert!(matches!(
        error.defect,
        Defect::Magic {
            expected: 0x803,
            found: 0x801
        }
    ));
    assert!(error.to_string().contains("swapped"));
    let error = broken_mnist("text", IMAGES, b"<html>");
    assert!(matches!(error.defect, Defect::Magic { .. }));
    let error = broken_mnist("none", IMAGES, b"");
    assert!(matches!(error.defect, Defect::Magic { .. }));

    let error = broken_mnist("flat", IMAGES, &words(&[0x803, 2, 0, 3], &[]));
    assert!(matches!(
        error.defect,
        Defect::Pixels {
            shape: [0, 3, 1],
            ..
        }
    ));
}

#[test]
fn labels_that_do_not_match_are_told() {
    let error = broken_mnist("fewer", LABELS, &gzip(&words(&[0x801, 1], &[3])));
    assert!(matches!(
        error.defect,
        Defect::Count {
            images: 2,
            labels: 1
        }
    ));
    let error = broken_mnist("range", LABELS, &gzip(&words(&[0x801, 2], &[3, 10])));
    assert!(matches!(
        error.defect,
        Defect::Label {
            index: 1,
            label: 10,
            classes: 10
        }
    ));
    let packed = gzip(&words(&[0x801, 2], &[3, 1]));
    let error = broken_mnist("packed", LABELS, &packed[..packed.len() - 9]);
    assert!(matches!(error.defect, Defect::Io(_)), "{error}");
}

#[test]
fn a_file_that_is_not_there_is_named_with_a_way_to_get_it() {
    let folder = mnist("missing");
    fs::remove_file(folder.join(LABELS)).unwrap();
    let error = data::mnist(&folder).unwrap_err();
    assert_eq!(blamed(&error), LABELS);
    let message = error.to_string();
    assert!(message.contains("dataset-fashion-mnist"));
    assert!(message.contains(", nor `train-labels-idx1-ubyte`, `train-labels.idx1-ubyte.gz`"));
    assert!(message.contains("`MNIST/raw/train-labels-idx1-ubyte`"));

    let folder = cifar10("missing");
    fs::remove_file(folder.join("data_batch_3.bin")).unwrap();
    let error = data::cifar10(&folder).unwrap_err();
    assert_eq!(blamed(&error), "data_batch_3.bin");
    assert!(matches!(error.defect, Defect::Missing { .. }));
    assert!(
        data::digits("no/digits.csv")
            .unwrap_err()
            .to_string()
            .contains("scikit-learn")
    );
}

#[test]
fn cifar_planes_become_depth_columns() {
    let folder = cifar10("sound");
    let (train, test) = data::cifar10(&folder).unwrap();
    assert_eq!(
        (train.len(), test.len(), train.shape()),
        (10, 2, [32, 32, 3])
    );
    assert_eq!([train.label(4), train.label(5), test.label(0)], [3, 0, 6]);
    assert_eq!(
        train.pixels(4)[3 * 300..][..3],
        [300u32 % 251, 3, 0].map(|p| p as u8)
    );

    // The archive unpacks into a folder of its own.
    let around = folder.with_file_name("around");
    let _ = fs::remove_dir_all(&around);
    fs::create_dir_all(&around).unwrap();
    fs::rename(&folder, around.join("cifar-10-batches-bin")).unwrap();
    assert_eq!(data::cifar10(&around).unwrap().0.len(), 10);
}

#[test]
fn what_is_wrong_with_a_cifar_file_is_told() {
    let broken = |bytes: &[u8]| {
        let folder = cifar10("broken");
        fs::write(folder.join("data_batch_2.bin"), bytes).unwrap();
        let error = data::cifar10(folder).expect_err("the file is bad");
        assert_eq!(blamed(&error), "data_batch_2.bin", "{error}");
        error.defect
    };
    assert!(matches!(
        broken(&[0; 3072]),
        Defect::Records {
            record: 3073,
            found: 3072
        }
    ));
    assert!(matches!(broken(&[]), Defect::Empty));
    let two = [[0; 3073], [11; 3073]].concat();
    assert!(matches!(
        broken(&two),
        Defect::Label {
            index: 1,
            label: 11,
            classes: 10
        }
    ));
}

/// The counts are those of `optdigits.names`, UCI, section 8, testing set.
#[test]
fn the_repositorys_digits_are_ucis() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../examples/data/digits.csv.gz"
    );
    let digits = data::digits(path).unwrap();
    let mut counts = [0; 10];
    (0..digits.len()).for_each(|index| counts[digits.label(index)] += 1);
    assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    let mut image = [0.0f64; 64];
    digits.image(0, &mut image);
    assert_eq!(
        image[2..6],
        [5.0 / 16.0, 13.0 / 16.0, 9.0 / 16.0, 1.0 / 16.0]
    );
}

#[test]
fn what_is_wrong_with_a_line_of_digits_is_told() {
    let path = folder("digits").join("digits.csv");
    let good = format!("{}7\n", "16,".repeat(64));
    let broken = |line: &str| {
        fs::write(&path, format!("{good}{line}")).unwrap();
        data::digits(&path)
            .expect_err("the line is bad")
            .to_string()
    };
    assert!(
        broken(&good.replace("16,7", "17,7"))
            .ends_with("line 2: expected a pixel from 0 to 16, found 17")
    );
    assert!(broken(&good.replace(",7", ",10")).ends_with("expected a digit from 0 to 9, found 10"));
    assert!(broken(&good.replace(",7", ",x")).ends_with("found x"));
    assert!(broken("1,2").ends_with("expected 64 pixels and a digit, found fewer"));
    assert!(broken(&good.replace(",7", "")).ends_with("found no digit"));
    assert!(broken(&good.replace(",7", ",7,1")).ends_with("found `1` behind them"));
    fs::write(&path, "").unwrap();
    assert!(matches!(
        data::digits(&path).unwrap_err().defect,
        Defect::Empty
    ));
}

#[test]
fn images_that_do_not_fit_together_are_refused() {
    let defect = |shape, pixels, labels| Images::new(shape, 2, pixels, labels).unwrap_err().defect;
    assert!(matches!(
        defect([2, 2, 1], vec![0; 6], vec![0]),
        Defect::Pixels { found: 6, .. }
    ));
    assert!(matches!(
        defect([0, 2, 1], vec![], vec![]),
        Defect::Pixels { found: 0, .. }
    ));
    assert!(matches!(defect([2, 2, 1], vec![], vec![]), Defect::Empty));
    assert!(matches!(
        defect([2, 2, 1], vec![0; 8], vec![0]),
        Defect::Count {
            images: 2,
            labels: 1
        }
    ));
    assert!(matches!(
        defect([2, 2, 1], vec![0; 8], vec![0, 2]),
        Defect::Label {
            index: 1,
            label: 2,
            classes: 2
        }
    ));
}

#[test]
fn normalised_images_have_mean_zero_and_deviation_one() {
    let pixels = vec![10, 7, 20, 7, 40, 7, 50, 7];
    let images = Images::new([2, 1, 2], 1, pixels, vec![0, 0]).unwrap();
    // Depth slice 0: mean 30, variance (400 + 100 + 100 + 400)/4. Slice 1 is 7 everywhere.
    let statistics = images.statistics();
    let expected = Normalisation {
        mean: vec![30.0, 7.0],
        deviation: vec![250f64.sqrt(), 1.0],
    };
    assert_eq!(statistics, expected);
    let images = images.normalised(&statistics).unwrap();
    let mut image = [0.0f64; 4];
    images.image(1, &mut image);
    assert_eq!(
        image,
        [10.0 / 250f64.sqrt(), 0.0, 20.0 / 250f64.sqrt(), 0.0]
    );

    for bad in [
        Normalisation::divide(255.0, 3),
        Normalisation::divide(0.0, 2),
    ] {
        let error = images.clone().normalised(&bad).unwrap_err();
        assert!(matches!(
            error.defect,
            Defect::Normalisation { depth: 2, .. }
        ));
    }
}

#[test]
fn a_split_parts_every_image_by_its_seed() {
    let images = Images::new([1, 1, 1], 100, (0..100).collect(), (0..100).collect()).unwrap();
    let labels = |seed| {
        let (rest, apart) = data::split(&images, 0.25, seed).unwrap();
        assert_eq!((rest.len(), apart.len()), (75, 25));
        let labels = |set: &data::Subset<_>| (0..set.len()).map(|i| set.label(i)).collect();
        let (rest, apart): (Vec<_>, Vec<_>) = (labels(&rest), labels(&apart));
        let mut all = [rest, apart.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
        apart
    };
    assert_eq!(labels(1), labels(1));
    assert_ne!(labels(1), labels(2));
    for share in [0.0, 0.001, 1.0, 1.5, -0.5, f64::NAN] {
        let error = data::split(&images, share, 1).unwrap_err();
        assert!(
            matches!(error.defect, Defect::Share { images: 100, .. }),
            "{share}"
        );
    }
}
