//! `convnet pack`: a folder of images becomes a set, and what is broken is named.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use convnet_core::data::{Samples, Streamed};

/// A folder that is gone in the end: two cats, a dog, of one pixel each, in text.
struct Photos(PathBuf);

impl Photos {
    fn new(name: &str) -> Self {
        let name = format!("convnet-pack-{name}-{}", std::process::id());
        let photos = Self(std::env::temp_dir().join(name));
        for (file, color) in [
            ("cat/a", "255 0 0"),
            ("cat/b", "250 0 0"),
            ("dog/c", "0 0 9"),
        ] {
            let path = photos.0.join("set").join(file).with_extension("ppm");
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("P3\n1 1\n255\n{color}\n")).unwrap();
        }
        photos
    }

    fn pack(&self, options: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_convnet"));
        command.arg("pack").arg(self.0.join("set"));
        command
            .args(["--size", "2x2x3"])
            .args(options)
            .output()
            .unwrap()
    }
}

impl Drop for Photos {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn first_pixels(file: &Path) -> Vec<[u8; 3]> {
    let set = Streamed::packed([file]).unwrap();
    set.verify().unwrap();
    assert_eq!((set.shape(), set.class_names().len()), ([2, 2, 3], 2));
    let first = |index| {
        let mut image = [0.0_f64; 12];
        set.image(index, &mut image);
        [0, 1, 2].map(|d| (image[d] * 255.0).round() as u8)
    };
    (0..set.len()).map(first).collect()
}

#[test]
fn a_folder_becomes_a_set() {
    let photos = Photos::new("sound");
    let made = photos.pack(&[]);
    let said = String::from_utf8(made.stdout).unwrap();
    assert!(
        made.status.success() && said.ends_with(": 3 images of cat, dog\n"),
        "{said}"
    );
    let pixels = first_pixels(&photos.0.join("set.packed"));
    assert_eq!(pixels, [[255, 0, 0], [250, 0, 0], [0, 0, 9]]);
}

#[test]
fn what_is_broken_is_named_and_refused_or_left_out() {
    let photos = Photos::new("broken");
    fs::write(photos.0.join("set/cat/torn.png"), b"no image").unwrap();
    let refused = photos.pack(&[]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        !refused.status.success() && said.contains("torn.png"),
        "{said}"
    );
    assert!(!photos.0.join("set.packed").exists());

    let out = photos.0.join("sound.packed");
    let made = photos.pack(&["--skip-broken", "--crop", "--out", out.to_str().unwrap()]);
    let said = String::from_utf8(made.stderr).unwrap();
    assert!(made.status.success(), "{said}");
    assert!(
        said.contains("left out") && said.contains("torn.png"),
        "{said}"
    );
    assert_eq!(first_pixels(&out).len(), 3);
}
