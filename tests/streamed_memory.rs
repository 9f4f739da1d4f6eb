//! A set on the disk takes no memory of its size, read ahead of or not. A process of its own: what other tests keep in
//! memory would count.
#![cfg(all(feature = "train", target_os = "linux"))]

use std::fs;

use convnet::data::{Packer, Samples, Streamed};

/// 50 MB, of which no more than a few are ever in memory.
#[test]
fn a_set_takes_no_memory_of_its_size() {
    /// In MB.
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
    let name = format!("convnet-streamed-large-{}", std::process::id());
    let (path, mut most) = (std::env::temp_dir().join(name), 0);
    let before = resident();
    let mut packer = Packer::new(&path, [256, 256, 1]).unwrap();
    let mut pixels = vec![0; 1 << 16];
    for number in 0..800_usize {
        pixels[number] = 255;
        packer.push(&pixels, number % 7).unwrap();
        most = most.max(resident());
    }
    packer.finish(7, &[]).unwrap();
    // 4 MB are ready at most.
    let packed = Streamed::packed([&path]).unwrap().ahead(2, 64);
    let mut image = vec![0.0_f32; 1 << 16];
    for number in 0..800 {
        packed.prefetch(&mut (number..800));
        packed.image(number, &mut image);
        most = most.max(resident());
    }
    let size = fs::metadata(&path).unwrap().len();
    fs::remove_file(&path).unwrap();
    assert!(packed.fault().is_none() && image[..800].iter().all(|&pixel| pixel == 1.0));
    assert!(size > 50 << 20);
    assert!(most - before < 16, "{before} MB became {most}");
}
