//! Sets on the disk: trained on as if they were in memory, of a bounded size there, and never silently damaged.
#![cfg(feature = "train")]

use std::fs;
use std::path::{Path, PathBuf};

use convnet::data::{self, DataError, Defect, Images, Packed, Packer, Samples};
use convnet::loss::SoftmaxCrossEntropy;
use convnet::optim::Adam;
use convnet::train::{Progress, TrainError, Trainer, evaluate};
use convnet::{Parameters, convnet};

convnet! { struct Plain { input(8x8x1), conv(4, 3x3, pad = 1), relu, max_pool(2x2), fc(10) } }

/// A file that is gone in the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let name = format!("convnet-packed-{name}-{}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn digits() -> Images {
    data::digits(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/data/digits.csv.gz"
    ))
    .unwrap()
}

fn trainer(epochs: usize) -> Trainer<Adam> {
    Trainer::new(Adam::default())
        .batch_size(64)
        .epochs(epochs)
        .progress(Progress::Silent)
}

fn train(trainer: &Trainer<Adam>, set: &impl Samples) -> Vec<f32> {
    let mut net = Plain::<f32>::random(3);
    trainer.fit(&mut *net, set).unwrap();
    let tensors = 0..Plain::<f32>::TENSORS.len();
    tensors
        .flat_map(|index| net.tensor(index).to_vec())
        .collect()
}

#[test]
fn a_packed_set_trains_as_the_same_in_memory() {
    let (digits, file) = (digits(), Scratch::new("same"));
    assert_eq!(digits.pack(&file.0).unwrap(), digits.len());
    let packed = Packed::open([&file.0]).unwrap();
    packed.verify().unwrap();
    assert_eq!(packed.statistics().unwrap(), digits.statistics());
    assert_eq!(
        (packed.len(), packed.shape(), packed.classes()),
        (1797, [8, 8, 1], 10)
    );
    let by = digits.statistics();
    let digits = digits.normalised(&by).unwrap();
    let packed = packed.normalised(&by).unwrap();
    let wrapped = train(&trainer(2), &(&packed).random_shifts(1));
    assert_eq!(wrapped, train(&trainer(2), &(&digits).random_shifts(1)));
    let (net, loss) = (Plain::<f32>::random(3), SoftmaxCrossEntropy::default());
    let seen = evaluate(&*net, &packed, &loss).unwrap();
    assert_eq!(seen, evaluate(&*net, &digits, &loss).unwrap());
}

#[test]
fn many_files_are_one_set() {
    let (digits, files) = (
        digits(),
        [0, 1, 2].map(|number| Scratch::new(&format!("many{number}"))),
    );
    let ends = [100, 101, 300];
    let mut start = 0;
    for (file, end) in files.iter().zip(ends) {
        let mut packer = Packer::new(&file.0, [8, 8, 1]).unwrap();
        for index in start..end {
            packer
                .push(digits.pixels(index), digits.label(index))
                .unwrap();
        }
        assert_eq!(packer.finish(10, &[]).unwrap(), end - start);
        start = end;
    }
    let packed = Packed::open(files.iter().map(|file| &file.0)).unwrap();
    let packed = packed.normalised(digits.normalisation()).unwrap();
    assert_eq!(packed.len(), 300);
    let (mut a, mut b) = ([0.0_f32; 64], [1.0_f32; 64]);
    for index in 0..300 {
        digits.image(index, &mut a);
        packed.image(index, &mut b);
        assert_eq!(
            (a, digits.label(index)),
            (b, packed.label(index)),
            "{index}"
        );
    }
}

/// The order within windows is another than that of all, depends on the seed only, and a training that is
/// resumed in the middle of an epoch goes on in it.
#[test]
fn a_shuffle_within_a_window_is_resumed() {
    let (file, path) = (Scratch::new("window"), Scratch::new("checkpoint"));
    let (_, digits) = digits().split(0.25, 1).unwrap();
    digits.pack(&file.0).unwrap();
    let open = || Packed::open([&file.0]).unwrap();
    let windowed = || open().shuffled_within(128);
    let whole = train(&trainer(2), &windowed());
    assert!(whole != train(&trainer(2), &open()));
    assert_eq!(whole, train(&trainer(2).threads(1), &windowed()));

    /// Fails at an image of the second epoch.
    struct Fails(Packed, std::sync::atomic::AtomicUsize);
    impl Samples for Fails {
        fn len(&self) -> usize {
            self.0.len()
        }
        fn shape(&self) -> [usize; 3] {
            self.0.shape()
        }
        fn label(&self, index: usize) -> usize {
            self.0.label(index)
        }
        fn classes(&self) -> usize {
            self.0.classes()
        }
        fn image<T: convnet::Real>(&self, index: usize, image: &mut [T]) {
            self.0.image(index, image);
            // All are looked at once before the first step.
            if self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed) > 2 * self.len() + 350 {
                image.fill(T::nan());
            }
        }
        fn window(&self) -> usize {
            self.0.window()
        }
    }
    let saved = trainer(2).checkpoint(&path.0).checkpoint_every(5);
    let mut net = Plain::<f32>::random(3);
    let error = saved
        .fit(&mut *net, &Fails(windowed(), 0.into()))
        .unwrap_err();
    assert!(
        matches!(error, TrainError::Diverged { epoch: 1, .. }),
        "{error}"
    );
    let mut other = Plain::<f32>::random(3);
    let refused = saved.fit(&mut *other, &open()).unwrap_err().to_string();
    assert!(
        refused.contains("shuffled within is 128 there and nothing here"),
        "{refused}"
    );
    assert_eq!(train(&saved, &windowed()), whole);
}

#[test]
fn what_is_damaged_is_said() {
    let (digits, file) = (digits(), Scratch::new("damaged"));
    digits.pack(&file.0).unwrap();
    let sound = fs::read(&file.0).unwrap();
    let opened = |bytes: &[u8]| {
        fs::write(&file.0, bytes).unwrap();
        Packed::open([&file.0])
    };
    let refused = |bytes: &[u8], what: &str| {
        let error = opened(bytes).unwrap_err();
        assert_eq!(error.path.as_deref(), Some(&*file.0));
        assert!(error.to_string().contains(what), "{error}");
    };
    refused(&sound[..20], "it is too short for one");
    refused(&sound[..sound.len() - 1], "it was cut short");
    refused(&[&sound[..], &[0]].concat(), "something was added");
    refused(
        &[&b"x"[..], &sound[1..]].concat(),
        "it does not begin as one",
    );
    let mut bytes = sound.clone();
    *bytes.last_mut().unwrap() ^= 1;
    refused(&bytes, "its index is damaged");
    // Every byte of the beginning counts, whatever it becomes.
    for at in 0..28 {
        let mut bytes = sound.clone();
        bytes[at] ^= 0x81;
        assert!(opened(&bytes).is_err(), "{at}");
    }
    // A record is looked at when it is read: whatever meets it names it.
    let mut bytes = sound.clone();
    bytes[28 + 64 * 1000 + 7] ^= 1;
    let packed = opened(&bytes).unwrap();
    let expected = |error: DataError| {
        let text = error.to_string();
        assert!(matches!(error.defect, Defect::Packed { .. }));
        assert!(text.contains("image 1000 has the checksum #"), "{text}");
    };
    expected(packed.verify().unwrap_err());
    let mut net = Plain::<f32>::random(3);
    let TrainError::Data(error) = trainer(1).fit(&mut *net, &packed).unwrap_err() else {
        panic!("another error")
    };
    expected(error);
    let seen = evaluate(
        &*net,
        &(&packed).random_flips(),
        &SoftmaxCrossEntropy::default(),
    );
    let TrainError::Data(error) = seen.unwrap_err() else {
        panic!("another error")
    };
    expected(error);
    fs::remove_file(&file.0).unwrap();
    let missing = Packed::open([&file.0]).unwrap_err().to_string();
    assert!(missing.contains("there is no such file") && missing.contains("`convnet pack`"));
    assert!(Packed::open::<&Path>([]).is_err());
}

#[test]
fn a_file_that_is_not_finished_is_none() {
    let file = Scratch::new("unfinished");
    fs::write(&file.0, "what was there").unwrap();
    let failed = |packer: Packer, classes, names: &[String]| {
        let error = packer.finish(classes, names).unwrap_err();
        assert_eq!(fs::read(&file.0).unwrap(), b"what was there");
        assert!(!file.0.with_extension("tmp").exists());
        error.to_string()
    };
    let packer = || Packer::new(&file.0, [1, 2, 1]).unwrap();
    assert!(failed(packer(), 2, &[]).ends_with("there are no images"));
    let mut one = packer();
    let error = one.push(&[1, 2, 3], 0).unwrap_err();
    assert!(
        matches!(error.defect, Defect::Pixels { found: 3, .. }),
        "{error}"
    );
    one.push(&[1, 2], 3).unwrap();
    assert!(failed(one, 2, &[]).contains("image 0 has the label 3, and there are 2 classes"));
    let mut two = packer();
    two.push(&[1, 2], 1).unwrap();
    assert!(failed(two, 2, &["night".to_owned()]).contains("there are 2 classes and 1 names"));
}

/// 100 MB, of which no more than a few are ever in memory.
#[cfg(target_os = "linux")]
#[test]
fn a_set_takes_no_memory_of_its_size() {
    fn resident() -> usize {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .unwrap();
        line.split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<usize>()
            .unwrap()
            / 1024
    }
    let (file, before, mut most) = (Scratch::new("large"), resident(), 0);
    let mut packer = Packer::new(&file.0, [256, 256, 1]).unwrap();
    let mut pixels = vec![0; 1 << 16];
    for number in 0..1600_usize {
        pixels[number] = 255;
        packer.push(&pixels, number % 7).unwrap();
        most = most.max(resident());
    }
    packer.finish(7, &[]).unwrap();
    let packed = Packed::open([&file.0]).unwrap();
    let mut image = vec![0.0_f32; 1 << 16];
    for number in 0..1600 {
        packed.image(number, &mut image);
        most = most.max(resident());
    }
    assert!(packed.fault().is_none() && image[..1600].iter().all(|&pixel| pixel == 1.0));
    assert!(fs::metadata(&file.0).unwrap().len() > 100 << 20);
    // The other tests of this file run beside it.
    assert!(most - before < 48, "{before} MB became {most}");
}
