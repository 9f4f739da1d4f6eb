//! Sets on the disk: trained on as if they were in memory, of a bounded size there, and never silently damaged.
#![cfg(feature = "train")]

use std::fs;
use std::path::{Path, PathBuf};

use convnet::data::{self, DataError, Defect, Images, Packer, Samples, Streamed};
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
        let _ = fs::remove_dir_all(&self.0);
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
    let packed = Streamed::packed([&file.0]).unwrap();
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
    let packed = Streamed::packed(files.iter().map(|file| &file.0)).unwrap();
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
    let open = || Streamed::packed([&file.0]).unwrap();
    let windowed = || open().shuffled_within(128);
    let whole = train(&trainer(2), &windowed());
    assert!(whole != train(&trainer(2), &open()));
    assert_eq!(
        whole,
        train(&trainer(2).threads(1), &windowed().ahead(1, 200))
    );

    /// Fails at an image of the second epoch.
    struct Fails(Streamed, std::sync::atomic::AtomicUsize);
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
        fn prefetch(&self, images: &mut dyn Iterator<Item = usize>) {
            self.0.prefetch(images);
        }
    }
    let saved = trainer(2).checkpoint(&path.0).checkpoint_every(5);
    let mut net = Plain::<f32>::random(3);
    let error = saved
        .fit(&mut *net, &Fails(windowed().ahead(2, 100), 0.into()))
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
    // Read ahead of or not, by any number of threads.
    assert_eq!(train(&saved, &windowed().ahead(3, 7)), whole);
}

/// Shards of IDX files, as LeCun describes them, on the disk as in memory.
#[test]
fn shards_of_idx_are_one_set() {
    let digits = digits();
    let files = ["i0", "l0", "i1", "l1"].map(|name| Scratch::new(&format!("idx-{name}")));
    let write = |[images, labels]: [&Scratch; 2], part: std::ops::Range<usize>| {
        let header = |numbers: &[u32]| numbers.iter().flat_map(|n| n.to_be_bytes()).collect();
        let count = part.len() as u32;
        let mut bytes: Vec<u8> = header(&[0x803, count, 8, 8]);
        part.clone()
            .for_each(|index| bytes.extend(digits.pixels(index)));
        fs::write(&images.0, bytes).unwrap();
        let mut bytes: Vec<u8> = header(&[0x801, count]);
        bytes.extend(part.map(|index| digits.label(index) as u8));
        fs::write(&labels.0, bytes).unwrap();
    };
    let [i0, l0, i1, l1] = &files;
    write([i0, l0], 0..1000);
    write([i1, l1], 1000..digits.len());
    let open = |classes| Streamed::idx([(&i0.0, &l0.0), (&i1.0, &l1.0)], classes);
    let of = |set: Streamed| set.normalised(digits.normalisation()).unwrap();
    let set = of(open(10).unwrap());
    let (mut a, mut b) = ([0.0_f32; 64], [1.0_f32; 64]);
    for index in 0..digits.len() {
        digits.image(index, &mut a);
        set.image(index, &mut b);
        assert_eq!((a, digits.label(index)), (b, set.label(index)), "{index}");
    }
    assert_eq!((set.len(), set.classes()), (digits.len(), 10));
    let memory = train(&trainer(1), &digits);
    assert_eq!(
        train(&trainer(1), &of(open(10).unwrap().ahead(2, 130))),
        memory
    );

    let error = open(9).unwrap_err();
    assert!(
        matches!(
            error.defect,
            Defect::Label {
                label: 9,
                classes: 9,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(error.path.as_ref(), Some(&l0.0));
    let swapped = Streamed::idx([(&l0.0, &i0.0)], 10).unwrap_err();
    assert!(matches!(swapped.defect, Defect::Magic { .. }), "{swapped}");
    let uneven = Streamed::idx([(&i0.0, &l1.0)], 10).unwrap_err();
    assert!(
        matches!(uneven.defect, Defect::Count { images: 1000, .. }),
        "{uneven}"
    );
    let mut torn = fs::read(&i1.0).unwrap();
    torn.pop();
    fs::write(&i1.0, torn).unwrap();
    let error = open(10).unwrap_err();
    assert!(matches!(error.defect, Defect::Length { .. }), "{error}");
    fs::write(&i1.0, [0x1f, 0x8b, 8]).unwrap();
    let error = open(10).unwrap_err().to_string();
    assert!(error.contains("it is gzipped"), "{error}");
    assert!(error.contains(i1.0.to_str().unwrap()), "{error}");
}

/// Files in CIFAR-10's binary version, on the disk as in memory.
#[test]
fn shards_of_cifar_are_one_set() {
    let folder = Scratch::new("cifar");
    fs::create_dir_all(&folder.0).unwrap();
    let names = (1..=5).map(|n| format!("data_batch_{n}.bin"));
    let paths: Vec<PathBuf> = names.map(|name| folder.0.join(name)).collect();
    let record = |n: usize| {
        let pixels = (0..3072).map(move |at| ((at * 7 + n * 13) % 251) as u8);
        std::iter::once((n % 10) as u8).chain(pixels)
    };
    for (shard, path) in paths.iter().enumerate() {
        let records = (3 * shard..3 * shard + 3).flat_map(record);
        fs::write(path, records.collect::<Vec<u8>>()).unwrap();
    }
    fs::copy(&paths[0], folder.0.join("test_batch.bin")).unwrap();
    let (memory, _) = data::cifar10(&folder.0).unwrap();
    let disk = Streamed::cifar10(&paths).unwrap();
    assert_eq!(
        (disk.len(), disk.shape(), disk.classes()),
        (15, [32, 32, 3], 10)
    );
    assert_eq!(disk.class_names(), memory.class_names());
    let (mut a, mut b) = (vec![0.0_f64; 3072], vec![1.0_f64; 3072]);
    for index in 0..15 {
        memory.image(index, &mut a);
        disk.image(index, &mut b);
        assert_eq!(
            (&a, memory.label(index)),
            (&b, disk.label(index)),
            "{index}"
        );
    }
    fs::write(&paths[4], record(0).take(3072).collect::<Vec<u8>>()).unwrap();
    let error = Streamed::cifar10(&paths).unwrap_err();
    assert!(
        matches!(
            error.defect,
            Defect::Records {
                record: 3073,
                found: 3072
            }
        ),
        "{error}"
    );
    fs::write(&paths[4], vec![10; 3073]).unwrap();
    let error = Streamed::cifar10(&paths).unwrap_err();
    assert!(
        matches!(
            error.defect,
            Defect::Label {
                index: 0,
                label: 10,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(error.path.as_ref(), Some(&paths[4]));
}

#[test]
fn what_is_damaged_is_said() {
    let (digits, file) = (digits(), Scratch::new("damaged"));
    digits.pack(&file.0).unwrap();
    let sound = fs::read(&file.0).unwrap();
    let opened = |bytes: &[u8]| {
        fs::write(&file.0, bytes).unwrap();
        Streamed::packed([&file.0])
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
    let missing = Streamed::packed([&file.0]).unwrap_err().to_string();
    assert!(missing.contains("there is no such file") && missing.contains("`convnet pack`"));
    assert!(Streamed::packed::<&Path>([]).is_err());
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
