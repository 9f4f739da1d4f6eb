//! `nn.BatchNorm2d`: 5 cases of inference and 8 of training.

use std::array::from_fn;

use convnet_core::layer::{BatchNorm, InPlace, Layer};
use convnet_core::moments::{GIVEN, Moments, MomentsMut, USED, merge_backward, merge_forward};
use convnet_core::optim::MOMENTUM;
use convnet_core::{Real, Volume};

use crate::case::{Case, assert_close, case, cases, of};

/// `"id" [H, W, D];`
macro_rules! batch_norm {
    ($name:ident $check:ident $($id:literal [$h:literal, $w:literal, $d:literal];)*) => {
        #[test]
        fn $name() {
            $($check::<f64, $h, $w, $d>(case($id));)*
            $($check::<f32, $h, $w, $d>(case($id));)*
            let training = stringify!($name) == "training";
            let all = cases("batch_norm2d").filter(|case| case.flag("training") == training);
            assert_eq!(all.map(|case| case.id.as_str()).collect::<Vec<_>>(), [$($id),*]);
        }
    };
}

batch_norm! { inference check_inference
    "155" [4, 3, 2];
    "156" [5, 4, 3];
    "157" [4, 4, 1];
    "158" [2, 4, 2];
    "159" [5, 4, 4];
}

batch_norm! { training check_training
    "147" [5, 3, 2];
    "148" [4, 2, 3];
    "149" [1, 5, 2];
    "150" [3, 5, 3];
    "151" [5, 2, 4];
    "152" [3, 3, 1];
    "153" [3, 2, 1];
    "154" [4, 5, 3];
}

type Images<T, const H: usize, const W: usize, const D: usize> = Vec<Box<Volume<T, H, W, D>>>;

fn images<T: Real, const H: usize, const W: usize, const D: usize>(
    case: &Case,
    name: &str,
) -> Images<T, H, W, D> {
    let tensor = case.tensor(name);
    let image = |n| {
        let mut image = Volume::boxed();
        image.as_mut_slice().copy_from_slice(&tensor.image::<T>(n));
        image
    };
    (0..tensor.shape[0]).map(image).collect()
}

/// The layer with the case's parameters and running statistics.
fn norm<T: Real, const D: usize>(case: &Case) -> BatchNorm<T, D> {
    let mut norm = BatchNorm::ZERO;
    for (name, tensor) in [
        ("gamma", &mut norm.gamma),
        ("beta", &mut norm.beta),
        ("running_mean", &mut norm.mean),
        ("running_var", &mut norm.variance),
    ] {
        tensor.copy_from_slice(&of(&case.tensor(name).values));
    }
    assert_eq!(norm.epsilon(), case.number("eps"));
    norm
}

fn check_volume<T: Real, const H: usize, const W: usize, const D: usize>(
    case: &Case,
    name: &str,
    n: usize,
    found: &Volume<T, H, W, D>,
) {
    let what = format!("{}.{name}[{n}]", case.id);
    assert_close(&what, found.as_slice(), &case.tensor(name).image::<f64>(n));
}

fn check_tensor<T: Real>(case: &Case, name: &str, found: &[T]) {
    let what = format!("{}.{name}", case.id);
    assert_close(&what, found, &case.tensor(name).values);
}

fn check_inference<T: Real, const H: usize, const W: usize, const D: usize>(case: &Case) {
    let norm = norm::<T, D>(case);
    let mut gradient = BatchNorm::ZERO;
    let (xs, dys): (Images<T, H, W, D>, Images<T, H, W, D>) =
        (images(case, "x"), images(case, "dy"));
    for (n, (x, dy)) in xs.iter().zip(&dys).enumerate() {
        let (mut y, mut dx, mut v) = (Volume::boxed(), Volume::boxed(), x.clone());
        norm.forward(x, &mut y);
        norm.forward_in_place(&mut v);
        assert_eq!(v, y);
        check_volume(case, "y", n, &y);
        norm.backward(x, &mut dx, dy, &mut gradient);
        check_volume(case, "dx", n, &dx);
    }
    check_tensor(case, "dgamma", &gradient.gamma);
    check_tensor(case, "dbeta", &gradient.beta);
}

fn check_training<T: Real, const H: usize, const W: usize, const D: usize>(case: &Case) {
    let norm = norm::<T, D>(case);
    let mut gradient = BatchNorm::ZERO;
    let (xs, dys): (Images<T, H, W, D>, Images<T, H, W, D>) =
        (images(case, "x"), images(case, "dy"));
    let mut batch = vec![Moments::<T, D>::ZERO; xs.len()];
    fn each<T: Real, const H: usize, const W: usize, const D: usize>(
        moments: &mut Moments<T, D>,
    ) -> MomentsMut<'_, T> {
        MomentsMut::new(H * W, moments)
    }
    let mut v = Volume::boxed();
    for (x, moments) in xs.iter().zip(&mut batch) {
        norm.observe(x, moments);
    }
    merge_forward(&mut batch, each::<T, H, W, D>);
    for (n, (x, moments)) in xs.iter().zip(&batch).enumerate() {
        norm.normalise(x, moments, &mut v);
        check_volume(case, "y", n, &v);
    }
    for ((x, dy), moments) in xs.iter().zip(&dys).zip(&mut batch) {
        norm.observe_gradient(x, dy, moments, &mut gradient);
    }
    merge_backward(&mut batch, each::<T, H, W, D>);
    for (n, ((x, dy), moments)) in xs.iter().zip(&dys).zip(&batch).enumerate() {
        norm.backward_normalised(x, dy, moments, &mut v);
        check_volume(case, "dx", n, &v);
    }
    check_tensor(case, "dgamma", &gradient.gamma);
    check_tensor(case, "dbeta", &gradient.beta);
    // As a step does.
    assert_eq!(case.number("momentum"), MOMENTUM);
    let share = T::of(MOMENTUM / xs.len() as f64);
    let moved = |old: &[T; D], d: &[T; D]| -> [T; D] { from_fn(|i| old[i] - share * d[i]) };
    check_tensor(case, "new_running_mean", &moved(&norm.mean, &gradient.mean));
    let variance = moved(&norm.variance, &gradient.variance);
    check_tensor(case, "new_running_var", &variance);
}

/// Where all numbers are large, a mean of squares less the square of the mean has no digit right.
#[test]
fn nothing_cancels() {
    let mut batch = vec![Moments::<f32, 1>::ZERO; 2];
    let norm = BatchNorm::<f32, 1>::ZERO;
    for (image, moments) in batch.iter_mut().enumerate() {
        let x = Volume::<f32, 1, 4, 1>([[0.0, 1.0, 2.0, 3.0].map(|x| [1e5 + x + image as f32])]);
        norm.observe(&x, moments);
    }
    merge_forward(&mut batch, |moments| MomentsMut::new(4, moments));
    // Of 0, 1, 2, 3, 1, 2, 3, 4: squares of the distances from 2 sum up to 12.
    let expected = [1e5 + 2.0, 12.0 / 8.0, 12.0 / 7.0];
    for moments in &batch {
        let [[mean], [variance]] = moments[USED];
        assert_close(
            "moments",
            &[mean, variance, moments[GIVEN][1][0]],
            &expected,
        );
        assert!((variance - 1.5).abs() < 1e-6, "{variance}");
    }
}
