//! Files with PyTorch's names, read under a mapping.
#![no_main]

use convnet::weights::{self, Flattened, Mapping};
use convnet_fuzz::Net;
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: convnet_fuzz::seeds::write("pytorch"), |bytes: &[u8]| {
    let plain = Mapping::from(&[("conv1", "c")]);
    let odd = Mapping::new()
        .name("*n#", "*n#")
        .absent("*.b*")
        .ignore("c")
        .transposed("scores")
        .flattened("scores", Flattened::WidthDepthHeight);
    for mapping in [plain, odd] {
        let mut net = Net::<f32>::random(1);
        let before = weights::to_bytes(&*net).expect("finite");
        match weights::from_pytorch(&mut *net, bytes, mapping) {
            Ok(mapped) => {
                assert!(!mapped.to_string().is_empty());
                drop(weights::to_bytes(&*net).expect("what is read is finite"));
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                assert_eq!(weights::to_bytes(&*net).expect("finite"), before);
            }
        }
    }
});
