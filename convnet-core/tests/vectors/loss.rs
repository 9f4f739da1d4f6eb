//! Softmax cross-entropy and multiclass SVM. The cases take the mean over a batch; a loss sees one
//! image, and whoever adds up divides.

use convnet_core::Real;
use convnet_core::loss::{Hinge, Loss, SoftmaxCrossEntropy, softmax};

use crate::case::{Case, assert_close, cases};

#[test]
fn softmax_cross_entropy() {
    let mut count = 0;
    for case in cases("softmax_cross_entropy") {
        let loss = SoftmaxCrossEntropy::default();
        check::<f64>(case, &loss);
        check::<f32>(case, &loss);
        probabilities::<f64>(case);
        probabilities::<f32>(case);
        count += 1;
    }
    assert_eq!(count, 12);
}

#[test]
fn svm_hinge() {
    let mut count = 0;
    for case in cases("svm_hinge") {
        let loss = Hinge {
            delta: case.number("delta"),
            squared: case.flag("squared"),
        };
        check::<f64>(case, &loss);
        check::<f32>(case, &loss);
        count += 1;
    }
    assert_eq!(count, 12);
}

fn check<T: Real>(case: &Case, loss: &impl Loss<T>) {
    let scores = case.tensor("scores");
    let images = T::of(scores.shape[0] as f64);
    let (mut sum, mut d_scores) = (T::ZERO, Vec::new());
    for (n, label) in case.labels().into_iter().enumerate() {
        let scores = scores.row::<T>(n);
        let mut gradient = vec![T::ONE; scores.len()];
        sum += loss.loss(&scores, label, &mut gradient).unwrap();
        d_scores.extend(gradient.iter().map(|&d| d / images));
    }
    assert_close(
        &format!("{}.loss", case.id),
        &[sum / images],
        &case.tensor("loss").values,
    );
    let expected = &case.tensor("dscores").values;
    assert_close(&format!("{}.dscores", case.id), &d_scores, expected);
}

fn probabilities<T: Real>(case: &Case) {
    let scores = case.tensor("scores");
    let mut all = Vec::new();
    for n in 0..scores.shape[0] {
        let scores = scores.row::<T>(n);
        let mut probabilities = vec![T::ONE; scores.len()];
        softmax(&scores, &mut probabilities);
        all.extend(probabilities);
    }
    assert_close(
        &format!("{}.prob", case.id),
        &all,
        &case.tensor("prob").values,
    );
}
