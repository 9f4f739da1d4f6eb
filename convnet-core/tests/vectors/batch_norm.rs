//! `nn.BatchNorm2d`: 5 cases of inference, whole, and 8 of training, as far as this crate's training
//! agrees with PyTorch's (the table of [`BatchNorm`] says where it does not).

use convnet_core::layer::{BatchNorm, InPlace, Layer};
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

/// The layer with the case's parameters and these statistics.
fn norm<T: Real, const D: usize>(case: &Case, mean: &[f64], variance: &[f64]) -> BatchNorm<T, D> {
    let mut norm = BatchNorm::ZERO;
    norm.gamma
        .copy_from_slice(&of(&case.tensor("gamma").values));
    norm.beta.copy_from_slice(&of(&case.tensor("beta").values));
    norm.mean.copy_from_slice(&of(mean));
    norm.variance.copy_from_slice(&of(variance));
    assert_eq!(norm.epsilon(), case.number("eps"));
    norm
}

/// Outputs, forward and in place, and the gradients on γ and β; `d_inputs` if they apply.
fn check<T: Real, const H: usize, const W: usize, const D: usize>(
    case: &Case,
    norm: &BatchNorm<T, D>,
    d_inputs: bool,
) -> BatchNorm<T, D> {
    let mut gradient = BatchNorm::ZERO;
    let (xs, dys): (Images<T, H, W, D>, Images<T, H, W, D>) =
        (images(case, "x"), images(case, "dy"));
    for (n, (x, dy)) in xs.iter().zip(&dys).enumerate() {
        let (mut y, mut dx, mut v) = (Volume::boxed(), Volume::boxed(), x.clone());
        norm.forward(x, &mut y);
        norm.forward_in_place(&mut v);
        assert_eq!(v, y);
        let what = |name| format!("{}.{name}[{n}]", case.id);
        assert_close(&what("y"), y.as_slice(), &case.tensor("y").image::<f64>(n));
        norm.backward(x, &mut dx, dy, &mut gradient);
        if d_inputs {
            assert_close(
                &what("dx"),
                dx.as_slice(),
                &case.tensor("dx").image::<f64>(n),
            );
        }
    }
    let what = |name| format!("{}.{name}", case.id);
    assert_close(
        &what("dgamma"),
        &gradient.gamma,
        &case.tensor("dgamma").values,
    );
    assert_close(&what("dbeta"), &gradient.beta, &case.tensor("dbeta").values);
    gradient
}

fn check_inference<T: Real, const H: usize, const W: usize, const D: usize>(case: &Case) {
    let [mean, variance] = ["running_mean", "running_var"].map(|name| &case.tensor(name).values);
    check::<T, H, W, D>(case, &norm(case, mean, variance), true);
}

/// With the batch's statistics the outputs and the gradients on γ and β are PyTorch's. From the
/// running statistics a step leads to PyTorch's mean, and to its variance but for the two things
/// that the table says: it is not unbiased, and it is about the running mean.
fn check_training<T: Real, const H: usize, const W: usize, const D: usize>(case: &Case) {
    let xs: Images<f64, H, W, D> = images(case, "x");
    let count = (xs.len() * H * W) as f64;
    let (mut mean, mut variance) = ([0.0; D], [0.0; D]);
    for column in xs.iter().flat_map(|x| x.iter().flatten()) {
        (0..D).for_each(|d| mean[d] += column[d] / count);
    }
    for column in xs.iter().flat_map(|x| x.iter().flatten()) {
        (0..D).for_each(|d| variance[d] += (column[d] - mean[d]).powi(2) / count);
    }
    let at_batch = check::<T, H, W, D>(case, &norm(case, &mean, &variance), false);
    // The statistics of the batch are where they should be.
    let largest = at_batch.mean.iter().chain(&at_batch.variance);
    let largest = largest.fold(0.0, |max: f64, d| max.max(Real::to_f64(*d).abs()));
    assert!(
        largest < 1e3 * T::epsilon().to_f64(),
        "{}: {largest}",
        case.id
    );

    let [old_mean, old_variance, new_mean, new_variance] = [
        "running_mean",
        "running_var",
        "new_running_mean",
        "new_running_var",
    ]
    .map(|name| &case.tensor(name).values);
    assert_eq!(case.number("momentum"), MOMENTUM);
    let norm = norm::<T, D>(case, old_mean, old_variance);
    let mut gradient = BatchNorm::ZERO;
    let (xs, dys): (Images<T, H, W, D>, Images<T, H, W, D>) =
        (images(case, "x"), images(case, "dy"));
    for (x, dy) in xs.iter().zip(&dys) {
        norm.backward_parameters(x, dy, &mut gradient);
    }
    let share = T::of(MOMENTUM / xs.len() as f64);
    let moved = |old: &[T; D], d: &[T; D]| -> Vec<T> {
        old.iter()
            .zip(d)
            .map(|(&old, &d)| old - share * d)
            .collect()
    };
    let what = |name| format!("{}.{name}", case.id);
    assert_close(&what("mean"), &moved(&norm.mean, &gradient.mean), new_mean);
    let expected: Vec<f64> = (0..D)
        .map(|d| {
            let unbiased = (new_variance[d] - (1.0 - MOMENTUM) * old_variance[d]) / MOMENTUM;
            let biased = unbiased * (count - 1.0) / count;
            let about_old = biased + (mean[d] - old_mean[d]).powi(2);
            (1.0 - MOMENTUM) * old_variance[d] + MOMENTUM * about_old
        })
        .collect();
    assert_close(
        &what("variance"),
        &moved(&norm.variance, &gradient.variance),
        &expected,
    );
}
