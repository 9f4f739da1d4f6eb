//! A running variance without a root is refused wherever weights come in or go out, in one sentence.
#![cfg(feature = "train")]

use convnet::flash;
use convnet::weights::WeightsError;
use convnet::{Parameters, convnet, weights};

convnet! {
    struct Norm { input(4x4x2), n: batch_norm }
}

convnet! {
    struct Wide { input(4x4x2), n: batch_norm(eps = 1e-3) }
}

const EPS: f64 = 1e-3;

convnet! {
    struct Named { input(4x4x2), n: batch_norm(eps = EPS) }
}

convnet! {
    struct Outer { input(4x4x2), inner: network(Named), relu }
}

// Made by `ui/weights/make.py`.
const BELOW: &[u8] = include_bytes!("ui/weights/variance.safetensors");
const ZERO: &[u8] = include_bytes!("ui/weights/variance_eps.safetensors");
const NEAR: &[u8] = include_bytes!("ui/weights/variance_near.safetensors");
const NAN: &[u8] = include_bytes!("ui/weights/variance_nan.safetensors");

weights!(static SOUND: Norm = "ui/weights/variance_near.safetensors");

const WORDS: &str = "`n.variance` holds -2e-5 at index 1; with eps, 1e-5, that is not above 0, and has no \
                     root to divide by\nvariances are 0 or more: export the weights anew, after \
                     `train::calibrate` if they are this crate's";

fn refused(result: Result<(), WeightsError>, expected: f64) -> String {
    let error = result.unwrap_err();
    let WeightsError::Variance {
        index: 1,
        value,
        epsilon,
        ..
    } = error
    else {
        panic!("{error}")
    };
    assert_eq!((value, epsilon), (f64::from(expected as f32), 1e-5));
    error.to_string()
}

#[test]
fn a_variance_without_a_root_is_not_read() {
    let mut net = Norm::<f32>::boxed();
    assert_eq!(refused(weights::from_bytes(&mut *net, BELOW), -2e-5), WORDS);
    assert_eq!(flash::read::<Norm>(BELOW).err().unwrap().as_str(), WORDS);
    refused(weights::from_bytes(&mut *net, ZERO), -1e-5);
    assert!(flash::read::<Norm>(ZERO).is_err());
    assert_eq!(net.n.variance, [0.0; 2], "nothing was taken");

    weights::from_bytes(&mut *net, NEAR).unwrap();
    assert_eq!(net.n.variance, [0.5, -9.9999e-6]);
    assert_eq!(SOUND.n.variance, net.n.variance);
    assert!(
        weights::from_bytes(&mut *Wide::<f32>::boxed(), BELOW).is_ok(),
        "its eps is larger"
    );

    let error = weights::from_bytes(&mut *net, NAN).unwrap_err();
    assert!(
        matches!(error, WeightsError::NotFinite { index: 0, .. }),
        "{error}"
    );
    assert_eq!(
        flash::read::<Norm>(NAN).err().unwrap().as_str(),
        error.to_string()
    );
}

/// The file has PyTorch's names: `tests/vectors/negative_variance.safetensors`.
#[test]
fn nor_from_pytorch() {
    let bytes = include_bytes!("vectors/negative_variance.safetensors");
    let mut net = Norm::<f32>::boxed();
    let error = weights::from_pytorch(&mut *net, bytes, &[]).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("`n.running_var` holds -2e-5 at index 0; with eps, 1e-5,"),
        "{text}"
    );
    weights::from_pytorch(&mut *Wide::<f32>::boxed(), bytes, &[]).unwrap();
}

#[test]
fn nor_saved() {
    fn check<P: Parameters<Scalar = f32>>(net: &mut P, tensor: usize, epsilon: f64) {
        let path = concat!(env!("CARGO_TARGET_TMPDIR"), "/variances.safetensors");
        let _ = std::fs::remove_file(path);
        for (variance, sound) in [
            (-1.0, false),
            (-1.001 * epsilon, false),
            (-0.999 * epsilon, true),
        ] {
            net.tensor_mut(tensor)[1] = variance as f32;
            let saved = [
                weights::save(&*net, path),
                weights::to_bytes(&*net).map(|_| ()),
            ];
            for saved in saved {
                let refused =
                    matches!(saved, Err(WeightsError::Variance { epsilon: e, .. }) if e == epsilon);
                assert_eq!((saved.is_ok(), refused), (sound, !sound), "{variance}");
            }
            assert_eq!(std::path::Path::new(path).exists(), sound);
        }
    }
    check(&mut *Norm::<f32>::random(1), 3, 1e-5);
    check(&mut *Wide::<f32>::random(1), 3, 1e-3);
    check(&mut *Outer::<f32>::random(1), 3, 1e-3);
}
