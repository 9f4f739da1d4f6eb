//! A folder of images: which files are read, in which order, at which size, and what is said of broken ones.

use std::fs;
use std::path::{Path, PathBuf};

use convnet_core::data::{self, DataError, Defect, Folder, Samples, Sizing};
use image::{Rgb, RgbImage};

/// A folder of its own, that is gone in the end.
struct Photos(PathBuf);

impl Photos {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("convnet-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Cats are red, dogs blue, and of another size.
    fn of_cats_and_dogs(name: &str) -> Self {
        let photos = Self::new(name);
        photos.draw("cat/1.png", 4, 4, [200, 0, 0]);
        photos.draw("cat/deeper/2.bmp", 8, 4, [210, 0, 0]);
        photos.draw("dog/10.png", 4, 8, [0, 0, 100]);
        photos.draw("dog/3.ppm", 2, 2, [0, 0, 110]);
        photos
    }

    fn path(&self, file: &str) -> PathBuf {
        let path = self.0.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn draw(&self, file: &str, width: u32, height: u32, color: [u8; 3]) {
        let image = RgbImage::from_pixel(width, height, Rgb(color));
        image.save(self.path(file)).unwrap();
    }

    fn write(&self, file: &str, bytes: &[u8]) {
        fs::write(self.path(file), bytes).unwrap();
    }
}

impl Drop for Photos {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn blamed(error: &DataError) -> &Path {
    error.path.as_deref().unwrap()
}

#[test]
fn a_class_is_a_sub_folder() {
    let photos = Photos::of_cats_and_dogs("classes");
    // What is no image of a class.
    photos.write("README.txt", b"photos of pets");
    photos.write("cat/.DS_Store", b"left by a system");
    photos.write("dog/Thumbs.db", b"left by another");
    photos.write(".git/config", b"");
    let images = data::folder(&photos.0, [4, 4, 3]).unwrap();
    assert_eq!(images.class_names(), ["cat", "dog"]);
    assert_eq!(
        (images.len(), images.classes(), images.shape()),
        (4, 2, [4, 4, 3])
    );
    let labels: Vec<usize> = (0..4).map(|index| images.label(index)).collect();
    assert_eq!(labels, [0, 0, 1, 1]);
    for (index, color) in [[200, 0, 0], [210, 0, 0], [0, 0, 100], [0, 0, 110]]
        .iter()
        .enumerate()
    {
        let pixels = images.pixels(index).chunks(3);
        assert!(
            pixels.len() == 16 && pixels.clone().all(|pixel| pixel == color),
            "{index}"
        );
    }
}

#[test]
fn depth_one_is_gray_and_four_has_alpha() {
    let photos = Photos::of_cats_and_dogs("depths");
    let gray = data::folder(&photos.0, [2, 2, 1]).unwrap();
    // Red at 0.2126, by ITU-R BT.709.
    assert_eq!(gray.pixels(0), [43; 4]);
    assert_eq!(
        data::folder(&photos.0, [1, 1, 4]).unwrap().pixels(0),
        [200, 0, 0, 255]
    );
    let error = data::folder(&photos.0, [2, 2, 5]).unwrap_err().to_string();
    assert!(error.contains("no depth of 5"), "{error}");
}

/// Left half dark, right half bright, twice as wide as high.
fn halves() -> RgbImage {
    RgbImage::from_fn(8, 4, |x, _| Rgb([if x < 4 { 10 } else { 250 }; 3]))
}

#[test]
fn another_size_is_stretched_cropped_or_refused() {
    let photos = Photos::new("sizes");
    halves().save(photos.path("a/halves.png")).unwrap();
    photos.draw("b/square.png", 4, 4, [9; 3]);
    let read = |sizing| Folder::new(&photos.0, [4, 4, 1]).sizing(sizing).read();

    // Both ends are seen: the far left dark, the far right bright.
    let stretched = read(Sizing::Stretch).unwrap();
    let row = &stretched.pixels(0)[..4];
    assert_eq!((row[0], row[3]), (10, 250), "{row:?}");
    // The middle, as it is.
    let cropped = read(Sizing::Crop).unwrap();
    assert_eq!(cropped.pixels(0)[..4], [10, 10, 250, 250]);

    let error = read(Sizing::Refuse).unwrap_err();
    let Defect::Broken(broken) = &error.defect else {
        panic!("{error}")
    };
    assert_eq!(broken.len(), 1);
    assert!(blamed(&broken[0]).ends_with("a/halves.png"));
    assert!(
        error.to_string().contains("8x4, where 4x4 is expected"),
        "{error}"
    );
}

#[test]
fn broken_files_are_all_named_or_left_out_and_listed() {
    let photos = Photos::of_cats_and_dogs("broken");
    let sound = fs::read(photos.path("cat/1.png")).unwrap();
    photos.write("cat/half.png", &sound[..sound.len() / 2]);
    photos.write("dog/empty.jpg", b"");
    photos.write("dog/page.png", b"<!doctype html><title>404</title>");

    let error = data::folder(&photos.0, [4, 4, 3]).unwrap_err();
    assert!(matches!(&error.defect, Defect::Broken(broken) if broken.len() == 3));
    let text = error.to_string();
    for file in ["half.png", "empty.jpg", "page.png"] {
        assert!(text.contains(file), "{text}");
    }
    assert!(
        text.contains("3 files cannot be read") && text.contains("read_sound"),
        "{text}"
    );

    let (images, broken) = Folder::new(&photos.0, [4, 4, 3]).read_sound().unwrap();
    assert_eq!(images.len(), 4);
    let names = ["cat/half.png", "dog/empty.jpg", "dog/page.png"];
    assert!(
        broken
            .iter()
            .zip(names)
            .all(|(error, name)| blamed(error).ends_with(name))
    );

    let ruins = Photos::new("ruins");
    ruins.write("cat/1.png", b"");
    let error = Folder::new(&ruins.0, [4, 4, 3]).read_sound().unwrap_err();
    assert!(matches!(error.defect, Defect::Broken(_)), "{error}");
}

#[test]
fn a_folder_that_is_none_says_what_it_should_be() {
    let photos = Photos::new("none");
    let error = data::folder(photos.0.join("nowhere"), [4, 4, 3]).unwrap_err();
    assert!(matches!(error.defect, Defect::Missing { .. }), "{error}");
    let error = data::folder(&photos.0, [4, 4, 3]).unwrap_err();
    assert!(matches!(error.defect, Defect::NoClass), "{error}");
    photos.draw("cat/1.png", 1, 1, [0; 3]);
    fs::create_dir(photos.0.join("dog")).unwrap();
    let error = data::folder(&photos.0, [4, 4, 3]).unwrap_err();
    assert!(matches!(error.defect, Defect::Empty), "{error}");
    assert!(blamed(&error).ends_with("dog"));
}

#[test]
fn a_test_folder_has_the_classes_of_the_training() {
    let training = Photos::of_cats_and_dogs("training");
    let training = data::folder(&training.0, [2, 2, 3]).unwrap();
    let test = Photos::new("test");
    test.draw("dog/7.png", 2, 2, [0, 0, 255]);
    let folder = Folder::new(&test.0, [2, 2, 3]).classes(training.class_names());
    let images = folder.read().unwrap();
    assert_eq!(
        (images.label(0), images.class_names()),
        (1, training.class_names())
    );

    test.draw("bird/1.png", 2, 2, [0; 3]);
    let error = folder.read().unwrap_err();
    assert!(matches!(error.defect, Defect::OtherClass { .. }));
    assert!(error.to_string().contains("cat, dog"), "{error}");
    assert!(blamed(&error).ends_with("bird"));
}

/// A photo that was taken with the camera turned: its rows lie as columns, and its EXIF note says so.
#[test]
fn a_photo_is_turned_upright() {
    let photos = Photos::new("upright");
    let mut jpeg = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 100);
    halves().write_with_encoder(encoder).unwrap();
    // Tag 0x0112, orientation: 6, turn by a quarter clockwise. One entry, big-endian.
    let tiff = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let exif = [b"Exif\0\0".as_slice(), tiff].concat();
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    let segment = [[0xff, 0xe1].as_slice(), &length, &exif].concat();
    jpeg.splice(2..2, segment);
    photos.write("a/turned.jpg", &jpeg);
    let folder = Folder::new(&photos.0, [8, 4, 1]).sizing(Sizing::Refuse);
    let images = folder.silent().read().unwrap();
    // What was left is above.
    assert!(images.pixels(0)[0] < 50 && images.pixels(0)[31] > 200);
}

#[test]
fn a_split_takes_its_share_of_each_class() {
    let photos = Photos::new("split");
    for (class, count) in [("many", 20), ("few", 5), ("two", 2), ("one", 1)] {
        for index in 0..count {
            photos.draw(&format!("{class}/{index}.png"), 1, 1, [index, count, 0]);
        }
    }
    let images = data::folder(&photos.0, [1, 1, 3]).unwrap();
    let whole: Vec<_> = (0..28).map(|index| images.pixels(index).to_vec()).collect();
    let (training, test) = images.clone().split(0.2, 1).unwrap();
    let count = |set: &data::Images| {
        let mut counts = [0; 4];
        (0..set.len()).for_each(|index| counts[set.label(index)] += 1);
        counts
    };
    // Sorted: few, many, one, two.
    assert_eq!(training.class_names(), ["few", "many", "one", "two"]);
    assert_eq!(
        (count(&training), count(&test)),
        ([4, 16, 1, 1], [1, 4, 0, 1])
    );
    // Each image is on one side.
    let mut both: Vec<_> = [&training, &test]
        .into_iter()
        .flat_map(|set| (0..set.len()).map(|index| set.pixels(index).to_vec()))
        .collect();
    both.sort();
    let mut sorted = whole;
    sorted.sort();
    assert_eq!(both, sorted);

    let pixels = |set: &data::Images| {
        (0..set.len())
            .map(|i| set.pixels(i).to_vec())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        pixels(&images.clone().split(0.2, 1).unwrap().1),
        pixels(&test)
    );
    assert_ne!(
        pixels(&images.clone().split(0.2, 2).unwrap().1),
        pixels(&test)
    );
    for share in [0.0, 1.0, -0.5, 2.0, f64::NAN] {
        let error = images.clone().split(share, 1).unwrap_err();
        assert!(matches!(error.defect, Defect::Share { .. }), "{share}");
    }
}

/// As read into memory, with what is broken refused or left out; nothing is left behind.
#[test]
fn a_folder_is_packed_as_it_is_read() {
    let photos = Photos::of_cats_and_dogs("packed");
    let file = std::env::temp_dir().join(format!("convnet-folder-{}.packed", std::process::id()));
    let folder = Folder::new(&photos.0, [4, 4, 3])
        .sizing(Sizing::Crop)
        .silent();
    assert_eq!(folder.pack(&file).unwrap(), 4);
    let (read, packed) = (
        folder.read().unwrap(),
        data::Streamed::packed([&file]).unwrap(),
    );
    assert_eq!((packed.len(), packed.sizing()), (4, Sizing::Crop));
    assert_eq!(packed.class_names(), read.class_names());
    let (mut a, mut b) = ([0.0_f32; 48], [1.0_f32; 48]);
    for index in 0..4 {
        read.image(index, &mut a);
        packed.image(index, &mut b);
        assert_eq!((a, read.label(index)), (b, packed.label(index)));
    }
    fs::remove_file(&file).unwrap();
    photos.write("cat/0.png", b"no image");
    let error = folder.pack(&file).unwrap_err();
    assert!(
        matches!(&error.defect, Defect::Broken(broken) if broken.len() == 1),
        "{error}"
    );
    assert!(!file.exists() && !file.with_extension("tmp").exists());
    let (images, broken) = folder.pack_sound(&file).unwrap();
    assert_eq!((images, broken.len()), (4, 1));
    assert!(blamed(&broken[0]).ends_with("cat/0.png"));
    fs::remove_file(&file).unwrap();
}

/// Decoded when they are looked at, or ahead of that, with what is broken refused then or left out before.
#[test]
fn a_folder_is_streamed_as_it_is_read() {
    let photos = Photos::of_cats_and_dogs("streamed");
    let folder = Folder::new(&photos.0, [4, 4, 3])
        .sizing(Sizing::Crop)
        .silent();
    let read = folder.read().unwrap();
    let (mut a, mut b) = ([0.0_f32; 48], [1.0_f32; 48]);
    for threads in [0, 2] {
        let set = folder.stream().unwrap().ahead(threads, 2);
        assert_eq!((set.len(), set.sizing()), (4, Sizing::Crop));
        assert_eq!(set.class_names(), read.class_names());
        for index in [2, 0, 3, 1] {
            set.prefetch(&mut [index, 1].into_iter());
            read.image(index, &mut a);
            set.image(index, &mut b);
            assert_eq!((a, read.label(index)), (b, set.label(index)));
        }
    }
    photos.write("cat/0.png", b"no image");
    let set = folder.stream().unwrap().ahead(1, 2);
    set.prefetch(&mut (0..5));
    set.image(1, &mut b);
    assert!(set.fault().is_none() && set.verify().is_err());
    set.image(0, &mut b);
    assert!(b.iter().all(|pixel| pixel.is_nan()));
    assert!(blamed(&set.fault().unwrap()).ends_with("cat/0.png"));
    let (set, broken) = folder.stream_sound().unwrap();
    assert_eq!((set.len(), broken.len()), (4, 1));
    assert!(blamed(&broken[0]).ends_with("cat/0.png"));
    set.verify().unwrap();
    // Of a set of nothing but broken files, all are named.
    photos.write("only/one/0.png", b"no image");
    let error = Folder::new(photos.0.join("only"), [4, 4, 3])
        .silent()
        .stream_sound();
    assert!(matches!(error.unwrap_err().defect, Defect::Broken(broken) if broken.len() == 1));
}
