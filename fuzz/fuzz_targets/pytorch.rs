//! Files with PyTorch's names, read under a mapping.
#![no_main]

use convnet::weights;
use convnet_fuzz::Net;
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: convnet_fuzz::seeds::write("pytorch"), |bytes: &[u8]| {
    let mut net = Net::<f32>::random(1);
    let before = weights::to_bytes(&*net).expect("finite");
    match weights::from_pytorch(&mut *net, bytes, &[("conv1", "c")]) {
        Ok(()) => drop(weights::to_bytes(&*net).expect("what is read is finite")),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            assert_eq!(weights::to_bytes(&*net).expect("finite"), before);
        }
    }
});
